"""The desk web app: its pages, each next to what an officer needs to see it."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, abort, flash, g, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from issuer.web import errors, headers, words
from issuer.web.audit import audit as write_line
from issuer.web.config import WebConfig, here, secret_key
from issuer.web.login import WORKING_DAY, recognise
from issuer.web.pages import (
    accounts,
    audit,
    cards,
    declines,
    entrance,
    faces,
    hardship,
    holder,
    imports,
    lost,
    own_account,
    people,
    reader,
    renewals,
    reports,
    start,
    stock,
)
from issuer.web.permissions import ANY_OFFICER, OPEN, may, permission_of, register
from issuer.web.words import LANGUAGES, _, mark

_MOST_BYTES = 20 * 1024 * 1024
_LONGEST_PATH = 128


@dataclass(frozen=True)
class Pages:
    """A blueprint, what it needs (issuer/web/permissions.py), and its place in the menu: (endpoint, words), or none."""

    blueprint: Blueprint
    permission: str
    menu: tuple[str, str] | None = None


PAGES = (
    Pages(entrance.pages, OPEN),
    Pages(holder.pages, OPEN),
    Pages(start.pages, ANY_OFFICER, ("start.home", mark("Begin"))),
    Pages(people.pages, "find", ("people.find", mark("Zoeken"))),
    Pages(reader.pages, "find", ("reader.index", mark("Pas lezen"))),
    Pages(cards.pages, "issue"),
    Pages(lost.pages, "passes"),
    Pages(faces.pages, "issue"),
    Pages(stock.pages, "batch", ("stock.index", mark("Kaarten"))),
    Pages(declines.pages, "passes", ("declines.explain", mark("Apparaat zei nee"))),
    Pages(imports.pages, "import", ("imports.index", mark("Inlezen"))),
    Pages(renewals.pages, "renew", ("renewals.index", mark("Nieuw jaar"))),
    Pages(reports.pages, "report", ("reports.index", mark("Cijfers"))),
    Pages(hardship.pages, "decide", ("hardship.waiting", mark("Tweede persoon"))),
    Pages(accounts.pages, "accounts", ("accounts.index", mark("Accounts"))),
    Pages(audit.pages, "audit", ("audit.index", mark("Logboek"))),
    Pages(own_account.pages, ANY_OFFICER, ("own_account.index", mark("Mijn account"))),
)


def create_app(config: WebConfig) -> Flask:
    """The app over one municipality's registry."""
    app = Flask("issuer.web")
    app.extensions["desk"] = config
    app.config.update(
        SECRET_KEY=secret_key(config.folder),
        SESSION_COOKIE_NAME="desk",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=config.https,
        # Not Strict: the way back from a city's own login comes from another site.
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=WORKING_DAY,
        # A token lives as long as its session.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=_MOST_BYTES,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=config.proxies)  # type: ignore[method-assign]
    words.teach(app)
    headers.protect(app, config.https)
    errors.handle(app)
    app.before_request(recognise)
    app.before_request(lambda: _admit(app))
    CSRFProtect(app)
    for pages in PAGES:
        register(app, pages.blueprint.name, pages.permission)
        app.register_blueprint(pages.blueprint)
    app.context_processor(lambda: {"menu": _menu(app), "languages": LANGUAGES, "city": config.scheme.name})
    app.jinja_env.globals.update(static=_static, current_language=words.language)
    return app


def _admit(app: Flask) -> Response | None:
    """Let nobody on a page that their roles do not open."""
    if request.endpoint is None:
        return None  # No such page; Flask says so.
    permission = permission_of(app, request.endpoint)
    if permission == OPEN:
        return None
    if g.officer is None:
        return _to_login()
    if g.officer.must_enrol and request.blueprint != own_account.pages.name:
        return redirect(url_for("own_account.second_step"))
    if not may(g.officer.roles, permission):
        _write_down()
        abort(403)
    return None


def _write_down() -> None:
    """Who tries doors that are not theirs stands in the log."""
    with here().registry.transaction() as session:
        write_line(session, "open page", request.path[:_LONGEST_PATH], "refused")


def _to_login() -> Response:
    if g.locked:
        flash(_("U was langer dan 15 minuten weg. Log opnieuw in."), "warning")
    # Without what was asked: that may be a name.
    came_for = request.path if request.method == "GET" else None
    address = url_for("entrance.log_in", next=came_for)
    if "HX-Request" in request.headers:
        # htmx would put the login page inside the page.
        return Response(status=401, headers={"HX-Redirect": url_for("entrance.log_in")})
    return redirect(address)


def _menu(app: Flask) -> list[tuple[str, str, bool]]:
    """(address, words, whether we are there) of each page that this officer may see."""
    if g.get("officer") is None:
        return []
    here_now = (request.endpoint or "").rpartition(".")[0]
    return [
        (url_for(pages.menu[0]), _(pages.menu[1]), pages.blueprint.name == here_now)
        for pages in PAGES
        if pages.menu and may(g.officer.roles, permission_of(app, pages.menu[0]))
    ]


def _static(name: str) -> str:
    """The address of a static file, with its hash: a browser keeps it until it changes."""
    return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((Path(__file__).parent / "static" / name).read_bytes()).hexdigest()[:12]
