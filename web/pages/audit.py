"""The auditor's pages: the log with a filter, as a file, and whether its lines still follow each other."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from web import audit_log
from web.audit import audit
from web.audit_log import AuditLine
from web.csv_export import csv_text
from web.refusal import Refusal
from web.site import site
from web.words import _, of_the_log, said

pages = Blueprint("audit", __name__, url_prefix="/audit")
_ON_A_PAGE = 50
_COLUMNS = ("number", "at", "actor", "origin", "action", "object", "result")


@pages.get("")
def index() -> str:
    page = max(1, request.args.get("page", 1, type=int))
    lines = audit_log.chosen(**_filter())
    with site().transaction() as session:
        count = session.scalar(select(func.count()).select_from(lines.order_by(None).subquery())) or 0
        shown = session.scalars(lines.limit(_ON_A_PAGE).offset((page - 1) * _ON_A_PAGE)).all()
        actions = session.scalars(select(AuditLine.action).distinct().order_by(AuditLine.action)).all()
    return render_template(
        "audit.html",
        lines=shown,
        count=count,
        page=page,
        pages=-(-count // _ON_A_PAGE),
        actions=[("", _("Alles")), *((action, of_the_log(action)) for action in actions)],
        form=request.args,
        address=lambda number: url_for("audit.index", **{**request.args.to_dict(), "page": number}),
    )


@pages.get("/lines.csv")
def lines() -> Response:
    with site().transaction() as session:
        found = session.scalars(audit_log.chosen(**_filter())).all()
        text = csv_text([*_COLUMNS, "hash"], ([getattr(line, name) for name in (*_COLUMNS, "hash")] for line in found))
        audit(session, "export audit log", f"{len(found)} lines")
    return Response(text, mimetype="text/csv", headers={"Content-Disposition": "attachment; filename=audit-log.csv"})


@pages.post("/verify")
def verify() -> Response:
    noted = request.form.get("noted", "").strip()
    try:
        with site().transaction() as session:
            count, last = audit_log.verify(session, noted)
            audit(session, "verify audit log", f"line {count}", "whole")
    except Refusal as error:
        with site().transaction() as session:
            audit(session, "verify audit log", "", "broken")
        flash(said(error), "error")
    else:
        flash(
            _("Het logboek klopt: %(count)s regels. Schrijf dit controlegetal op: %(last)s", count=count, last=last),
            "ok",
        )
    return redirect(url_for("audit.index"), 303)


def _filter() -> dict[str, Any]:
    args = request.args
    return {
        "actor": args.get("actor", "").strip(),
        "action": args.get("action", ""),
        "about": args.get("about", "").strip(),
        "first": args.get("first", type=date.fromisoformat),
        "last": args.get("last", type=date.fromisoformat),
    }
