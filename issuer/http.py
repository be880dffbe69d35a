"""The desk's HTTP interface, for who is not at the desk: terminals fetch the hotlist, holders block a lost pass.

Open to all. What is said of a call beside it is why it may be. Errors are problem+json; invalid input is 400.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from apiflask import APIBlueprint, APIFlask
from flask import Response, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from issuer import hotlist
from issuer.errors import DeskError
from issuer.hotlist import ListKeys, Published
from issuer.http_schemas import HealthOut, PassBlockIn, SchemeOut, scheme_out
from issuer.lost import Guard, NoSuchPass, TooOften, block_by_holder
from issuer.registry import Registry
from issuer.scheme import Scheme
from web.api import Contact, new_interface, problem

API_VERSION = "1.0.0"
_MOST_BYTES = 4096
_ANYBODY = "-"
_LIST: dict[int | str, Any] = {
    200: {"description": "Signed list", "content": {"application/octet-stream": {}}},
    304: {"description": "The same as the one that is there"},
    503: {"description": "There is no list now; try again later"},
}


@dataclass(frozen=True)
class ApiConfig:
    """What the interface is made of. `now` has its zone; `today` is the municipality's day.

    `proxies`: how many servers stand in front of it and say in X-Forwarded-For who asks.
    """

    registry: Registry
    scheme: Scheme
    lists: ListKeys
    contact: Contact
    now: Callable[[], datetime]
    today: Callable[[], date]
    proxies: int = 0


def create_api(config: ApiConfig, guard: Guard | None = None) -> APIFlask:
    """The interface over one municipality's registry. `guard`: that of a page beside it that blocks passes as well."""
    app = new_interface(
        "meedoen-desk",
        "meedoen desk",
        "The list of blocked passes for terminals, lost passes blocked by their holders, and the scheme.",
        API_VERSION,
        _MOST_BYTES,
        config.contact,
        for_any_site=True,
    )
    _answer_problems(app)
    app.register_blueprint(_terminals(config))
    app.register_blueprint(_holders(config, guard or Guard(config.now)))
    app.register_blueprint(_public(config))

    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=config.proxies)  # type: ignore[method-assign]
    return app


def _terminals(config: ApiConfig) -> APIBlueprint:
    """Open on purpose: the list is made for terminals, so who fetches it learns no more than how long it is."""
    blueprint = APIBlueprint("terminals", __name__, url_prefix="/v1", tag="Terminals")
    # By version, so that it is made once, however many ask.
    latest: dict[int, Published] = {}

    def answer(part: Callable[[Published], bytes]) -> Response:
        today = config.today()
        with config.registry.transaction() as session:
            version = hotlist.version(session, today)
            if request.if_none_match.contains_weak(str(version)):
                found = Response(status=304)
            else:
                published = latest.get(version)
                if published is None:
                    published = hotlist.publish(session, today, version, config.lists)
                    latest.clear()
                    latest[version] = published
                found = Response(part(published), mimetype="application/octet-stream")
        found.set_etag(str(version))
        # May be kept, but not used again without asking: a pass may have been blocked since.
        found.cache_control.no_cache = True
        return found

    @blueprint.get("/hotlist")
    @blueprint.doc(
        summary="The whole list of blocked passes: a base, and the changes to it",
        description="Its ETag is its version, as a terminal tells that of the list it has. With If-None-Match an "
        "unchanged list costs next to nothing. Signed by the desk; docs/formats.md says how.",
        responses=_LIST,
    )
    def get_hotlist() -> Response:
        return answer(lambda published: published.whole)

    @blueprint.get("/hotlist/changes")
    @blueprint.doc(
        summary="The changes alone, for a terminal that has the base they belong to",
        description="They begin by saying which base that is. ETag and If-None-Match as for the whole list.",
        responses=_LIST,
    )
    def get_changes() -> Response:
        return answer(lambda published: published.changes)

    return blueprint


def _holders(config: ApiConfig, guard: Guard) -> APIBlueprint:
    """Open on purpose: who lost a pass has nothing to log in with. It takes the code on its face and the holder's date
    of birth, nobody may be wrong often, and all that comes of it is a blocked pass."""
    blueprint = APIBlueprint("holders", __name__, url_prefix="/v1", tag="Holders")

    @blueprint.post("/pass-blocks")
    @blueprint.input(PassBlockIn, arg_name="lost")
    @blueprint.output({}, status_code=204)
    @blueprint.doc(
        summary="Block a lost pass",
        description="With the code on the pass and the holder's date of birth; a parent gives those of the child. Each "
        "terminal refuses the pass from its next sync on. May be repeated; a pass that works nowhere any more stays as "
        "it is. The desk can open the pass again when it is found.",
        responses={
            204: "Nobody can spend what is on the pass any more",
            404: "No pass has this code and this date of birth; not told is which of them is wrong",
            413: "Too long",
            429: "Tried too often",
            503: "Nothing was blocked; try again later",
        },
    )
    def block(lost: dict[str, Any]) -> str:
        with (
            guard.one_try(lost["printedCode"], request.remote_addr or _ANYBODY),
            config.registry.transaction() as session,
        ):
            block_by_holder(session, lost["printedCode"], lost["birthDate"], config.now())
        return ""

    return blueprint


def _public(config: ApiConfig) -> APIBlueprint:
    """Open on purpose: what the city says of its pass to everybody, and whether this works."""
    blueprint = APIBlueprint("public", __name__, tag="Public")

    @blueprint.get("/v1/scheme")
    @blueprint.output(SchemeOut)
    @blueprint.doc(
        summary="What the pass gives, and to whom",
        description="Amounts in cents, points, visits or items: the unit of their purse. For a page of the city.",
    )
    def scheme() -> tuple[dict[str, Any], int, dict[str, str]]:
        return scheme_out(config.scheme, config.today()), 200, {"Cache-Control": "public, max-age=3600"}

    @blueprint.get("/health")
    @blueprint.output(HealthOut)
    @blueprint.doc(hide=True)
    def health() -> dict[str, str]:
        with config.registry.transaction() as session:
            session.execute(select(1))
        return {"status": "ok"}

    return blueprint


# Errors to words


def _answer_problems(app: APIFlask) -> None:
    @app.errorhandler(NoSuchPass)
    def no_such_pass(error: NoSuchPass) -> Response:
        return problem(404, "Not Found", str(error))

    @app.errorhandler(TooOften)
    def too_often(error: TooOften) -> Response:
        answer = problem(429, "Too Many Requests", str(error))
        answer.headers["Retry-After"] = str(int(error.wait.total_seconds()) + 1)
        return answer

    @app.errorhandler(DeskError)
    def refused(error: DeskError) -> Response:
        return problem(503, "Service Unavailable", str(error))

    @app.errorhandler(SQLAlchemyError)
    def no_registry(error: SQLAlchemyError) -> Response:
        # Its text holds what was asked: codes and dates of birth.
        app.logger.error("The registry does not answer: %s", type(error).__name__)
        return problem(503, "Service Unavailable", "The registry does not answer; try again later.")
