"""The vault's HTTP interface: the same over a socket in production and in one process in the embedded default."""

from collections.abc import Callable, Iterable
from typing import Any

from apiflask import APIFlask, Schema, abort
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Range, Regexp
from flask import Response, g, jsonify, request

from keys.errors import KeyStoreError
from keys.proving import RECORD_BYTES, Prover, Verdict
from keys.vault import CardKey, Vault

MOST_RECORDS = 10_000
_PARTY = "meedoen.party"
ISSUER, BACKEND = "issuer", "backend"
PARTIES = (ISSUER, BACKEND)
Environ = dict[str, Any]


class ProofOut(Schema):
    terminal = Integer(allow_none=True)
    sequence = Integer(allow_none=True)
    valid = Boolean(required=True)
    nullifier = String(allow_none=True, metadata={"description": "32 hex digits; only of a valid record"})
    reason = String(allow_none=True, metadata={"description": "record, year, seal, handle or mac"})


class ProofsOut(Schema):
    proofs = List(Nested(ProofOut), required=True)


class CardIn(Schema):
    uid = String(required=True, validate=Regexp(r"^[0-9A-Fa-f]{14}$"))
    generation = Integer(required=True, validate=Range(0, 255))


class CardKeyOut(Schema):
    purpose = String(required=True)
    version = Integer(required=True, metadata={"description": "the key version on the pass"})
    key = String(required=True)
    handle = String(allow_none=True, metadata={"description": "of a tap key: the handle that it follows from"})


class CardKeysOut(Schema):
    handle = String(required=True)
    current = List(Nested(CardKeyOut), required=True, metadata={"description": "what goes onto the pass"})
    older = List(Nested(CardKeyOut), required=True, metadata={"description": "what may be on it from before a rotation"})


class Caller:
    """A WSGI application as one party sees it that calls it in this very process."""

    def __init__(self, app: Callable[[Environ, Any], Iterable[bytes]], party: str) -> None:
        self._app, self._party = app, party

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        return self._app({**environ, _PARTY: self._party}, start_response)


def in_process(environ: Environ) -> str | None:
    """Who calls, as its Caller says. No HTTP header can set this."""
    party: str | None = environ.get(_PARTY)
    return party


def create_app(vault: Vault, who: Callable[[Environ], str | None] = in_process) -> APIFlask:
    """The vault of one municipality. `who` tells the party from the WSGI environment, None for a stranger."""
    prover = Prover(vault)
    app = APIFlask(
        "meedoen-vault", title="meedoen vault", version="1.0.0", spec_path="/v1/openapi.json", docs_path=None
    )
    app.config["MAX_CONTENT_LENGTH"] = MOST_RECORDS * RECORD_BYTES
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 400
    app.description = "Proves transactions and derives the keys of passes. Keeps nothing."

    @app.before_request
    def known() -> None:
        g.party = who(request.environ)
        if g.party is None:
            abort(401, "The vault does not know who is calling.")

    def only(party: str) -> None:
        if g.party != party:
            abort(403, f"This call is for the {party}.")

    @app.error_processor
    def problem(error: Any) -> tuple[Response, int, dict[str, str]]:
        body = {"type": "about:blank", "title": error.message, "status": error.status_code}
        if error.detail:
            body["detail"] = "The request does not have the form of the specification; errors says where."
            body["errors"] = error.detail
        answer = jsonify(body)
        answer.content_type = "application/problem+json"
        return answer, error.status_code, dict(error.headers or {})

    @app.after_request
    def version_header(response: Response) -> Response:
        response.headers["API-Version"] = "1.0.0"
        return response

    @app.post("/v1/prove")
    @app.output(ProofsOut)
    @app.doc(
        summary="Prove records",
        description=f"The body is N records of {RECORD_BYTES} bytes (42 clear, 60 sealed), N up to {MOST_RECORDS}.",
    )
    def prove() -> dict[str, Any]:
        only(BACKEND)
        body = request.get_data()
        if not body or len(body) % RECORD_BYTES:
            abort(400, f"The body must be whole records of {RECORD_BYTES} bytes.")
        return {"proofs": [_proof_out(verdict) for verdict in prover.prove(body)]}

    @app.post("/v1/card-keys")
    @app.input(CardIn, arg_name="card")
    @app.output(CardKeysOut)
    @app.doc(summary="Keys of one pass", description="For the desk, while it writes the pass.")
    def card_keys(card: dict[str, Any]) -> dict[str, Any]:
        only(ISSUER)
        keys = vault.card_keys(bytes.fromhex(card["uid"]), card["generation"])
        return {
            "handle": keys.handle.hex(),
            "current": [_card_key_out(key) for key in keys.current.values()],
            "older": [_card_key_out(key) for key in keys.older],
        }

    @app.get("/v1/terminals/<int:terminal>/leases/<int:number>")
    @app.doc(
        summary="Keys of a terminal, from today on",
        description="Wrapped to its device; `number` is the one that the device says is next. Whoever carries it learns "
        "nothing.",
        responses={200: {"content": {"application/octet-stream": {}}}, 404: "not known, or revoked"},
    )
    def lease(terminal: int, number: int) -> Response:
        only(BACKEND)
        try:
            return Response(vault.lease(terminal, number), content_type="application/octet-stream")
        except KeyStoreError as error:
            abort(404, str(error))

    return app


def _proof_out(verdict: Verdict) -> dict[str, Any]:
    return {
        "terminal": verdict.terminal,
        "sequence": verdict.sequence,
        "valid": verdict.valid,
        "nullifier": verdict.nullifier.hex() if verdict.nullifier else None,
        "reason": verdict.reason,
    }


def _card_key_out(key: CardKey) -> dict[str, Any]:
    return {
        "purpose": key.purpose,
        "version": key.version,
        "key": key.key.hex(),
        "handle": key.handle.hex() if key.handle else None,
    }
