"""The vault's HTTP interface: the same over a socket in production and in one process in the embedded default."""

import hmac
from typing import Any

from apiflask import APIFlask, HTTPTokenAuth, Schema, abort
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Range, Regexp
from flask import Response, jsonify, request

from keys.keyfile import KeyFile
from keys.vault import KEY_VERSION, RECORD_BYTES, Vault

MOST_RECORDS = 10_000


class ProofOut(Schema):
    terminal = Integer(allow_none=True)
    sequence = Integer(allow_none=True)
    valid = Boolean(required=True)
    nullifier = String(allow_none=True, metadata={"description": "32 hex digits; only of a valid record"})
    reason = String(allow_none=True, metadata={"description": "record, seal, handle or mac"})


class ProofsOut(Schema):
    proofs = List(Nested(ProofOut), required=True)


class CardIn(Schema):
    uid = String(required=True, validate=Regexp(r"^[0-9A-Fa-f]{14}$"))
    generation = Integer(required=True, validate=Range(0, 255))


class CardKeysOut(Schema):
    handle = String(required=True)
    versions = Integer(required=True, metadata={"description": "the key version that goes onto the pass"})
    picc = String(required=True)
    application = String(required=True)
    load_key = String(required=True, attribute="load", data_key="load")
    lookup = String(required=True)
    tap = String(required=True)
    transaction_mac = String(required=True)


def create_app(keyfile: KeyFile) -> APIFlask:
    """The vault over the keys of one municipality. It has no database and writes no file."""
    vault = Vault(keyfile)
    app = APIFlask(
        "meedoen-vault", title="meedoen vault", version="1.0.0", spec_path="/v1/openapi.json", docs_path=None
    )
    app.config["MAX_CONTENT_LENGTH"] = MOST_RECORDS * RECORD_BYTES
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 400
    app.description = "Proves transactions and derives the keys of passes. Keeps nothing."
    auth = HTTPTokenAuth()

    @auth.verify_token  # type: ignore[untyped-decorator]
    def party_of(token: str) -> str | None:
        for party, expected in keyfile.tokens.items():
            if hmac.compare_digest(token.encode(), expected.encode()):
                return party
        return None

    def only(party: str) -> None:
        if auth.current_user != party:
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
    @app.auth_required(auth)
    @app.output(ProofsOut)
    @app.doc(
        summary="Prove records",
        description=f"The body is N records of {RECORD_BYTES} bytes (42 clear, 60 sealed), N up to {MOST_RECORDS}.",
    )
    def prove() -> dict[str, Any]:
        only("backend")
        body = request.get_data()
        if not body or len(body) % RECORD_BYTES:
            abort(400, f"The body must be whole records of {RECORD_BYTES} bytes.")
        records = (body[at : at + RECORD_BYTES] for at in range(0, len(body), RECORD_BYTES))
        return {"proofs": [_proof_out(vault, record) for record in records]}

    @app.post("/v1/card-keys")
    @app.auth_required(auth)
    @app.input(CardIn, arg_name="card")
    @app.output(CardKeysOut)
    @app.doc(summary="Keys of one pass", description="For the desk, while it writes the pass.")
    def card_keys(card: dict[str, Any]) -> dict[str, Any]:
        only("issuer")
        keys = vault.card_keys(bytes.fromhex(card["uid"]), card["generation"])
        return {"versions": KEY_VERSION, **{name: value.hex() for name, value in vars(keys).items()}}

    return app


def _proof_out(vault: Vault, record: bytes) -> dict[str, Any]:
    verdict = vault.prove(record)
    return {
        "terminal": verdict.terminal,
        "sequence": verdict.sequence,
        "valid": verdict.valid,
        "nullifier": verdict.nullifier.hex() if verdict.nullifier else None,
        "reason": verdict.reason,
    }
