"""The vault's HTTP interface: the same over a socket in production and in one process in the embedded default."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from apiflask import APIFlask, abort
from flask import Response, g, request

from keys.audit_log import AuditLog
from keys.auditing import AUDIT_BYTES, Auditor, Finding
from keys.balance import Balances, Signature
from keys.errors import KeyMissing, KeyStoreError, NotAllowed, NotUnderstood
from keys.http_schemas import AuditOut, AuditQuery, BalanceIn, BalanceOut, CardIn, CardKeysOut
from keys.proving import PROOF_BYTES, REASONS, RECORD_BYTES, Prover
from keys.vault import DESK, CardKey, Vault
from web.api import new_interface, takes_bytes
from web.outside import from_json

API_VERSION = "1.0.0"
MOST_RECORDS = 10_000
_PARTY = "meedoen.party"
ISSUER, BACKEND = "issuer", "backend"
PARTIES = (ISSUER, BACKEND)
Environ = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """Who may ask for something, what the log calls it, and how long the question may be.

    `line_bytes`: the size of one of many things in the body, which the log counts.
    """

    party: str
    kind: str
    most_bytes: int = 1 << 16
    line_bytes: int = 0


# By the name of the function that answers, which is also what the log calls the action. An audit is read in pieces, so
# it may be long; a table of nullifiers is held whole.
_CALLS = {
    "prove": Call(BACKEND, "record", MOST_RECORDS * RECORD_BYTES, RECORD_BYTES),
    "audit": Call(BACKEND, "record", 1 << 30, AUDIT_BYTES),
    "lease": Call(BACKEND, "keys of a terminal"),
    "card_keys": Call(ISSUER, "keys of a pass"),
    "balance": Call(ISSUER, "balance of a pass", 1 << 28),
}


_PROOFS: dict[int | str, Any] = {
    200: {
        "description": f"{PROOF_BYTES} bytes for each record, in their order: terminal (4), sequence (4), "
        + ", ".join(f"{code} {reason or 'valid'}" for code, reason in enumerate(REASONS))
        + " (1), nullifier of a valid one (16)",
        "content": {"application/octet-stream": {}},
    },
    **{code: {"description": HTTPStatus(code).phrase} for code in (400, 401, 403, 413)},
}
_LEASE: dict[int | str, Any] = {
    200: {"description": "wrapped keys", "content": {"application/octet-stream": {}}},
    401: {"description": "not known here"},
    403: {"description": "another party's call"},
    404: {"description": "not known, or revoked"},
    503: {"description": "the keys of this year are not made"},
}


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


def create_app(vault: Vault, log: AuditLog, who: Callable[[Environ], str | None] = in_process) -> APIFlask:
    """The vault of one municipality. `who` tells the party from the WSGI environment, None for a stranger.

    It has no database; all it writes is a line in `log` for each call.
    """
    prover, balances = Prover(vault), Balances(vault)

    def known() -> None:
        """Who may ask for what is looked at before anything of the question is read."""
        g.actor = who(request.environ)
        call = _CALLS.get(request.endpoint or "")
        if g.actor is None:
            abort(401, "The vault does not know who is calling.")
        if call is not None:
            request.max_content_length = call.most_bytes
            if call.party != g.actor:
                abort(403, f"This call is for the {call.party}.")

    app = new_interface(
        "meedoen-vault",
        "meedoen vault",
        "Proves transactions and derives the keys of passes. Keeps nothing.",
        API_VERSION,
        max(call.most_bytes for call in _CALLS.values()),
        first=known,
    )

    @app.after_request
    def logged(response: Response) -> Response:
        call = _CALLS.get(request.endpoint or "")
        count = (request.content_length or 0) // call.line_bytes if call and call.line_bytes else 1
        origin = request.environ.get("REMOTE_ADDR") or "local socket"
        kind = call.kind if call else "none"
        log.add(g.actor or "stranger", origin, request.endpoint or "unknown", kind, count, str(response.status_code))
        return response

    @app.post("/v1/prove")
    @app.doc(
        summary="Prove records",
        description="Whether a pass of ours committed each. Of a row that is no record nothing is said but that.",
        responses=_PROOFS,
    )
    @takes_bytes(f"N records of {RECORD_BYTES} bytes (42 clear, 60 sealed), N up to {MOST_RECORDS}")
    def prove() -> Response:
        body = request.get_data()
        if not body or len(body) % RECORD_BYTES:
            abort(400, f"The body must be whole records of {RECORD_BYTES} bytes.")
        proofs = b"".join([verdict.to_bytes() for verdict in prover.prove(body)])
        return Response(proofs, content_type="application/octet-stream")

    @app.post("/v1/card-keys")
    @app.input(CardIn, arg_name="card")
    @app.output(CardKeysOut)
    @app.doc(
        summary="Keys of one pass",
        description="For the desk, while it writes the pass.",
        responses=[400, 401, 403, 413],
    )
    def card_keys(card: dict[str, Any]) -> dict[str, Any]:
        keys = vault.card_keys(bytes.fromhex(card["uid"]), card["generation"])
        return {
            "handle": keys.handle.hex(),
            "current": [_card_key_out(key) for key in keys.current.values()],
            "older": [_card_key_out(key) for key in keys.older],
        }

    @app.get("/v1/terminals/<int(max=4294967295):terminal>/leases/<int(max=4294967295):number>")
    @app.doc(
        summary="Keys of a terminal, from today on",
        description="Wrapped to its device; `number` is the one that the device says is next. Who carries it learns "
        "nothing.",
        responses=_LEASE,
    )
    def lease(terminal: int, number: int) -> Response:
        try:
            return Response(vault.lease(terminal, number), content_type="application/octet-stream")
        except KeyMissing as error:
            # No fault of this terminal: custodians have to make the keys of a year.
            abort(503, str(error))
        except KeyStoreError as error:
            abort(404, str(error))

    @app.post("/v1/audit")
    @app.input(AuditQuery, location="query", arg_name="query")
    @app.output(AuditOut)
    @app.doc(
        summary="Audit a period",
        description="Of two findings nobody can tell whether they are about one pass.",
        responses=[400, 401, 403, 413],
    )
    @takes_bytes(
        f"N lines of {AUDIT_BYTES} bytes: outcome (1 committed, 3 in doubt), record (42 clear, 60 sealed), in any order"
    )
    def audit(query: dict[str, Any]) -> dict[str, Any]:
        if not request.content_length or request.content_length % AUDIT_BYTES:
            abort(400, f"The body must be whole lines of {AUDIT_BYTES} bytes.")
        terminals = frozenset({DESK, *map(int, vault.register.terminals)})
        found = Auditor(vault, prover, terminals).audit(_pieces(request.stream), query["fromTheStart"])
        findings = [_finding_out(each) for each in found.findings]
        return {"records": found.records, "findings": findings, "unnamed": found.unnamed}

    @app.post("/v1/balance")
    @app.input(BalanceIn, location="form_and_files", arg_name="form")
    @app.output(BalanceOut)
    @app.doc(
        summary="Balance of one pass",
        description="For two officers together, when a pass is lost.",
        responses=[400, 401, 403, 413],
    )
    def balance(form: dict[str, Any]) -> dict[str, Any]:
        try:
            signed, signatures = _signed(form["request"])
            answer = balances.of(signed, signatures, form["table"].read())
            g.actor = " and ".join(sorted({each.officer for each in signatures}))
        except NotUnderstood as error:
            abort(400, str(error))
        except NotAllowed as error:
            abort(403, str(error))
        purses = [{"purse": purse, "amount": amount} for purse, amount in answer.balances.items()]
        return {"balances": purses, "asOf": answer.as_of}

    return app


def _pieces(stream: Any) -> Iterable[bytes]:
    """A body in pieces of whole lines."""
    while True:
        piece = stream.read(MOST_RECORDS * AUDIT_BYTES)
        while piece and len(piece) % AUDIT_BYTES:
            rest = stream.read(AUDIT_BYTES - len(piece) % AUDIT_BYTES)
            if not rest:
                raise NotUnderstood("The body ended in the middle of a line.")
            piece += rest
        if not piece:
            return
        yield piece


def _signed(text: str) -> tuple[bytes, list[Signature]]:
    try:
        found = from_json(text)
        signatures = [Signature(str(each["officer"]), bytes.fromhex(each["signature"])) for each in found["signatures"]]
        return found["request"].encode(), signatures
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NotUnderstood("The form must have request and signatures.") from None


def _finding_out(finding: Finding) -> dict[str, Any]:
    return {**finding._asdict(), "nullifier": finding.nullifier.hex() if finding.nullifier else None}


def _card_key_out(key: CardKey) -> dict[str, Any]:
    return {
        "purpose": key.purpose,
        "version": key.version,
        "key": key.key.hex(),
        "handle": key.handle.hex() if key.handle else None,
    }
