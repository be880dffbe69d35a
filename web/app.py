"""An app of pages: each next to what an officer needs to see it, in one frame."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, abort, flash, g, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from web import errors, headers, words
from web.audit import audit as write_line
from web.login import WORKING_DAY, recognise
from web.outside import refuse_odd_address, refuse_odd_form
from web.pages import own_account
from web.rights import OPEN, permission_of, register
from web.site import Site, secret_key, site
from web.words import LANGUAGES, _

_HERE = Path(__file__).parent
_MOST_BYTES = 20 * 1024 * 1024
_LONGEST_PATH = 128


@dataclass(frozen=True)
class Pages:
    """A blueprint, what it needs (in the app's Rights), and its place in the menu: (endpoint, words), or none."""

    blueprint: Blueprint
    permission: str
    menu: tuple[str, str] | None = None


def make_app(about: Site, package: str, pages: Sequence[Pages]) -> Flask:
    """The app of a package that has `templates` and `translations` of its own; static files are those of here."""
    app = Flask(package, static_folder=_HERE / "static", static_url_path="/static")
    app.extensions["site"] = about
    app.config.update(
        SECRET_KEY=secret_key(about.folder),
        SESSION_COOKIE_NAME=about.cookie,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=about.https,
        # Not Strict: the way back from a city's own login comes from another site.
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=WORKING_DAY,
        # A token lives as long as its session.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=_MOST_BYTES,
    )
    root = Path(app.root_path)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(root / "templates"), FileSystemLoader(_HERE / "templates")])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if about.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=about.proxies, x_proto=about.proxies)  # type: ignore[method-assign]
    words.teach(app, root / "translations")
    headers.protect(app, about.https)
    errors.handle(app)
    app.before_request(refuse_odd_address)
    app.before_request(recognise)
    app.before_request(lambda: _admit(app))
    CSRFProtect(app)
    app.before_request(refuse_odd_form)
    for each in pages:
        register(app, each.blueprint.name, about.rights.known(each.permission))
        app.register_blueprint(each.blueprint)
    app.context_processor(lambda: {"menu": _menu(app, pages), "languages": LANGUAGES, "city": about.city})
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
    if not g.officer.may(permission):
        _write_down()
        abort(403)
    return None


def _write_down() -> None:
    """Who tries doors that are not theirs stands in the log."""
    with site().transaction() as session:
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


def _menu(app: Flask, pages: Sequence[Pages]) -> list[tuple[str, str, bool]]:
    """(address, words, whether we are there) of each page that this officer may see."""
    if g.get("officer") is None:
        return []
    here_now = (request.endpoint or "").rpartition(".")[0]
    return [
        (url_for(each.menu[0]), _(each.menu[1]), each.blueprint.name == here_now)
        for each in pages
        if each.menu and g.officer.may(permission_of(app, each.menu[0]))
    ]


def _static(name: str) -> str:
    """The address of a static file, with its hash: a browser keeps it until it changes."""
    return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((_HERE / "static" / name).read_bytes()).hexdigest()[:12]
