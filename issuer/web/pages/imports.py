"""Files of households: looked at first, then taken in or not, and undone while nobody got a pass by them."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from issuer import import_report, importing
from issuer.errors import DeskError
from issuer.import_file import Fault
from issuer.web.config import here
from web.audit import audit
from web.login import officer
from web.words import _, language

pages = Blueprint("imports", __name__)
_MOST_SHOWN = 50
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/imports")
def index() -> str:
    with here().registry.transaction() as session:
        return render_template("imports/index.html", runs=importing.runs(session))


@pages.post("/imports")
def upload() -> AnyResponse:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise DeskError("Choose a file first: a CSV or an Excel workbook.")
    raw = sent.read()
    with here().registry.transaction() as session:
        run, seen = importing.upload(session, raw, officer().user_name, here().now(), here().today())
        audit(session, "look at import", f"import {run.id}", "faults" if seen.faults else "done")
    return redirect(url_for("imports.show", number=run.id), 303)


@pages.get("/imports/<int:number>")
def show(number: int) -> str:
    with here().registry.transaction() as session:
        run = importing.find(session, number)
        seen = importing.again(session, number, here().today()) if run.state == "looked" else None
        faults = [(each.row, each.column, _said(each)) for each in seen.faults] if seen else []
        return render_template("imports/show.html", run=run, seen=seen, faults=faults, most=_MOST_SHOWN)


@pages.get("/imports/<int:number>/report.<kind>")
def report(number: int, kind: str) -> Response:
    with here().registry.transaction() as session:
        seen = importing.again(session, number, here().today())
    if kind == "xlsx":
        content, mimetype = import_report.as_xlsx(seen), _XLSX
    else:
        content, mimetype = import_report.as_csv(seen), "text/csv"
    name = f"import-{number}.{'xlsx' if kind == 'xlsx' else 'csv'}"
    return Response(content, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@pages.post("/imports/<int:number>/accept")
def accept(number: int) -> AnyResponse:
    with here().registry.transaction() as session:
        importing.accept(session, number, officer().user_name, here().now(), here().today())
        audit(session, "accept import", f"import {number}")
    flash(_("Het bestand is ingelezen."), "ok")
    return redirect(url_for("imports.show", number=number), 303)


@pages.post("/imports/<int:number>/cancel")
def cancel(number: int) -> AnyResponse:
    with here().registry.transaction() as session:
        importing.cancel(session, number)
        audit(session, "cancel import", f"import {number}")
    flash(_("Het bestand is niet ingelezen en is weg."), "ok")
    return redirect(url_for("imports.index"), 303)


@pages.post("/imports/<int:number>/undo")
def undo(number: int) -> AnyResponse:
    with here().registry.transaction() as session:
        importing.undo(session, number, officer().user_name, here().now())
        audit(session, "undo import", f"import {number}")
    flash(_("Iedereen is weer zoals voor dit bestand."), "ok")
    return redirect(url_for("imports.show", number=number), 303)


def _said(fault: Fault) -> str:
    return fault.problem_en if language() == "en" else f"{fault.problem_nl} {fault.advice_nl}".strip()
