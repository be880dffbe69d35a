"""An HTTP interface by the Dutch rules for interfaces of the government, as each party offers one.

NLGov REST API Design Rules (Logius), https://gitdocumentatie.logius.nl/publicatie/api/adr/. Errors are problem+json
(RFC 9457); what is invalid is 400, and `errors` then says all of it.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Response, jsonify, request

from web.outside import refuse_odd_address, refuse_odd_json

BASE = "/v1"
SPECIFICATION = f"{BASE}/openapi.json"
_YEAR_S = 365 * 24 * 3600
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Content-Type, If-None-Match",
    "Access-Control-Expose-Headers": "API-Version, ETag, Retry-After",
}
_AS_SPECIFIED = f"This is not as {SPECIFICATION} says."
_BROKEN = "Something is wrong here, not with what was asked; try again later."
# What the framework says of a body that does not fit its schema.
_INVALID = "Validation error"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


_View = TypeVar("_View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Contact:
    """Who answers questions about the interface; what is empty is left out."""

    name: str
    email: str
    url: str


def new_interface(
    name: str,
    title: str,
    description: str,
    version: str,
    most_bytes: int,
    contact: Contact | None = None,
    for_any_site: bool = False,
    first: Callable[[], None] | None = None,
) -> APIFlask:
    """An application without calls. They go under BASE; only what is hidden in the specification may stand elsewhere.

    `most_bytes`: the longest body; `for_any_site`: pages of any site may ask, because nothing depends on who asks;
    `first` looks at who asks, before anything of the question is read.
    """
    app = APIFlask(name, title=title, version=version, spec_path=SPECIFICATION, docs_path=None)
    app.description = description
    app.servers = [{"url": BASE}]
    if contact is not None:
        app.contact = {key: value for key, value in asdict(contact).items() if value}
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["AUTO_OPERATION_ID"] = True
    app.config["VALIDATION_ERROR_STATUS_CODE"] = HTTPStatus.BAD_REQUEST
    app.config["MAX_CONTENT_LENGTH"] = most_bytes
    if first is not None:
        app.before_request(first)
    app.before_request(refuse_odd_address)
    app.before_request(refuse_odd_json)

    @app.spec_processor
    def as_answered(spec: Any) -> Any:
        return _as_answered(spec, _bodies(app))

    @app.error_processor
    def refused(error: HTTPError) -> Any:
        title = HTTPStatus(error.status_code).phrase
        generic = _AS_SPECIFIED if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else _BROKEN
        detail = generic if error.message in (title, _INVALID) else str(error.message)
        extra = {"errors": error.detail} if error.detail else {}
        return problem(error.status_code, title, detail, **extra), error.status_code, error.headers

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.update(_HEADERS, **{"API-Version": version})
        # Who wants to know what may be asked may be anywhere.
        if for_any_site or request.path == SPECIFICATION:
            response.headers.update(_CORS)
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def problem(status: int, title: str, detail: str, **extra: Any) -> Response:
    """A problem+json; `detail` says what to do, `extra` what a machine needs."""
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "detail": detail, **extra})
    answer.status_code = status
    answer.content_type = "application/problem+json"
    return answer


def takes_bytes(description: str, in_json: str | None = None) -> Callable[[_View], _View]:
    """Beside a call: what its body is, bytes that only a machine reads. It stands right above the function.

    `in_json`: the name under which the same may come in base64, in JSON.
    """
    content: dict[str, Any] = {"application/octet-stream": {}}
    if in_json is not None:
        text = {"type": "string", "contentEncoding": "base64"}
        content["application/json"] = {
            "schema": {"type": "object", "required": [in_json], "properties": {in_json: text}}
        }

    def note(view: _View) -> _View:
        view.__dict__["takes"] = {"description": description, "content": content}
        return view

    return note


def _bodies(app: APIFlask) -> dict[str, dict[str, Any]]:
    """The bodies of bytes, by path in the specification."""
    found = {}
    for rule in app.url_map.iter_rules():
        takes = app.view_functions[rule.endpoint].__dict__.get("takes")
        if takes is not None:
            found[re.sub(r"<(?:[^<>]*:)?([^<>]+)>", r"{\1}", rule.rule)] = takes
    return found


def _as_answered(spec: dict[str, Any], bodies: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The specification with what the framework leaves out: versions, problem+json, bodies that must be there."""
    for path, body in bodies.items():
        spec["paths"][path]["post"]["requestBody"] = dict(body)
    schemas = spec["components"].setdefault("schemas", {})
    for of_the_framework in ("HTTPError", "ValidationError"):
        schemas.pop(of_the_framework, None)
    schemas["Problem"] = _PROBLEM
    refusal = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    version = {"description": "version of this interface", "schema": {"type": "string"}}
    spec["paths"] = {path.removeprefix(BASE): calls for path, calls in spec["paths"].items()}
    for calls in spec["paths"].values():
        for operation in calls.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            for status, response in operation["responses"].items():
                response.setdefault("description", HTTPStatus(int(status)).phrase)
                response["headers"] = {"API-Version": version}
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    response["content"] = refusal
    return spec
