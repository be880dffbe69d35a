"""The HTTP interface: transports hand in batches and fetch bundles, finance looks and retries.

Errors are problem+json. What is invalid is 400; 422 says that a batch is kept but some of its records were refused;
503 that the same may go well in a moment.
"""

import hmac
import logging
from base64 import b64decode
from typing import Any

from apiflask import APIBlueprint, APIFlask, abort
from flask import Request, Response, g, request
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from backend.bank.messages import MOST_BYTES as MOST_BANK_BYTES
from backend.calendar import day_of
from backend.clearing import Clearing
from backend.config import Config
from backend.errors import (
    DATABASE_BUSY,
    AccountRefused,
    BankEntryRefused,
    CertificateOver,
    ConfigError,
    ExceptionRefused,
    LedgerError,
    LinkError,
    NotFound,
    SettlementRefused,
    StatementRefused,
    TwoJournals,
)
from backend.exceptions import http as exceptions
from backend.http_schemas import (
    AuditOut,
    AuditQuery,
    BankReceiptOut,
    BundleQuery,
    ByIn,
    EntryOut,
    EntryQuery,
    HealthOut,
    JournalOut,
    ReceiptOut,
    SettlementOut,
    StatementOut,
    TotalsOut,
    audit_out,
    entry_out,
    receipt_of_bank,
    receipt_out,
    settlement_out,
    statement_out,
)
from backend.ingest import Receipt
from backend.metrics import MEDIA_TYPE, metrics
from backend.statements import MOST_BYTES as MOST_STATEMENT
from card.batch import ENTRY_BYTES, MOST_ENTRIES
from web.api import new_interface, problem, takes_bytes
from web.database import is_passing
from web.log import EventLog, log_calls

API_VERSION = "1.0.0"
_MOST_BATCH = 30 + 16 + MOST_ENTRIES * ENTRY_BYTES
# In base64, within JSON.
_MOST_BYTES = _MOST_BATCH * 4 // 3 + 64
# As long as clearing itself waits for a lock.
_RETRY_AFTER_S = 10


_LOG = logging.getLogger("meedoen.backend")


def create_app(config: Config, clearing: Clearing | None = None, log: EventLog | None = None) -> APIFlask:
    """The interface over one municipality's clearing (made from the config when it is not given).

    `log`: where each call is written down; without one, none is.
    """
    clearing = clearing or Clearing(config)
    app = new_interface(
        "meedoen-backend",
        "meedoen clearing",
        "Takes in the journals of terminals, and shows finance what was refused and what is paid. Any call may answer "
        "503 with Retry-After: the database is busy, and the same may go well in a moment.",
        API_VERSION,
        _MOST_BYTES,
    )
    _answer_problems(app, clearing)
    # Who may call is said beside what is called; a part without a token is open, for one machine only.
    app.register_blueprint(_guarded(_transport(clearing), config.transport_token))
    app.register_blueprint(_guarded(_tables(clearing), config.transport_token))
    app.register_blueprint(_guarded(_finance(clearing), config.finance_token))
    app.register_blueprint(_guarded(exceptions.calls(clearing), config.finance_token))
    app.register_blueprint(_guarded(_watched(clearing), config.finance_token))
    app.register_blueprint(_open_to_all(clearing))
    if log is not None:
        log_calls(app, log, caller)
    return app


def caller() -> str:
    """The role that asks."""
    return str(g.get("actor", "anybody"))


def _body(description: str, media_type: str) -> dict[int | str, Any]:
    """Responses in the specification of a call that answers with bytes."""
    return {200: {"description": description, "content": {media_type: {}}}, 404: {"description": "Not here"}}


def _guarded(blueprint: APIBlueprint, token: SecretStr | None) -> APIBlueprint:
    """Every call of the blueprint needs the token, when there is one."""
    if token is not None:
        expected = f"Bearer {token.get_secret_value()}".encode()

        @blueprint.before_request
        def check() -> Response | None:
            given = request.headers.get("Authorization", "").encode()
            if hmac.compare_digest(given, expected):
                g.actor = blueprint.name
                return None
            answer = problem(401, "Unauthorized", "This call needs a token.", reason="token")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer

    return blueprint


def _transport(clearing: Clearing) -> APIBlueprint:
    """For whoever carries batches and bundles: both are sealed, so the carrier learns and changes nothing.

    A bundle is signed as well: a host brings no other.
    """
    blueprint = APIBlueprint("transport", __name__, url_prefix="/v1/terminals", tag="Transport")

    @blueprint.post("/<int(max=4294967295):terminal>/batches")
    @blueprint.output(ReceiptOut)
    @blueprint.doc(
        summary="Hand in a batch",
        description="The batch as the terminal sealed it: as bytes, or as base64 in JSON. Batches may be sent in any "
        "order, overlap, and be sent again. The answer names what is missing before them. 400, 404, 409 and 422 with "
        "`kept`: it is kept aside and need not be sent again.",
        responses=[400, 404, 409, 413, 422],
    )
    @takes_bytes("a batch, as docs/formats.md says", in_json="batch")
    def hand_in(terminal: int) -> Any:
        receipt = clearing.ingest.accept(_batch_in(request), terminal)
        return _refusal_of_records(receipt) if receipt.refused else receipt_out(receipt)

    @blueprint.get("/<int(max=4294967295):terminal>")
    @blueprint.output(JournalOut)
    @blueprint.doc(summary="Where the journal of a terminal goes on", responses=[404])
    def journal(terminal: int) -> Any:
        return clearing.ingest.journal_of(terminal) | {"challenge": clearing.statements.challenge(terminal).hex()}

    @blueprint.post("/<int(max=4294967295):terminal>/bundle")
    @blueprint.input(BundleQuery, location="query", arg_name="query")
    @blueprint.doc(
        summary="The bundle of a terminal",
        description="The bundle proves to the terminal that it was made after that; its last 162 bytes "
        "prove to the host who made it. 403: the terminal did not say this. 409: the challenge is too old, or the "
        "terminal holds records that were not handed in. 503: our certificate is over.",
        responses=_body("Sealed and signed bundle", "application/octet-stream") | {403: {}, 409: {}, 413: {}, 503: {}},
    )
    @takes_bytes("the challenge that the journal's call gave (16 bytes), and what the terminal said to it")
    def bundle(terminal: int, query: dict[str, Any]) -> Response:
        request.max_content_length = MOST_STATEMENT
        day = day_of(query["day"]) if query.get("day") is not None else None
        return Response(clearing.bundle(terminal, request.get_data(), day), mimetype="application/octet-stream")

    @blueprint.get("/<int(max=4294967295):terminal>/leases/<int:number>")
    @blueprint.doc(
        summary="The keys of a terminal, from today on",
        description="As the vault wrapped them to its device. `number` is the one that the device says is next.",
        responses=_body("Wrapped keys", "application/octet-stream"),
    )
    def lease(terminal: int, number: int) -> Response:
        return Response(clearing.lease(terminal, number), mimetype="application/octet-stream")

    return blueprint


def _batch_in(asked: Request) -> bytes:
    """The body itself, or what is in the JSON; 400 for JSON without a batch, of which nothing is kept."""
    if not asked.is_json:
        return asked.get_data()
    try:
        return b64decode(asked.get_json()["batch"], validate=True)
    except (KeyError, TypeError, ValueError):
        abort(400, 'Send JSON as {"batch": "..."}, with the batch in base64.')


def _tables(clearing: Clearing) -> APIBlueprint:
    """For the desk, which hands it on to the vault and cannot read it."""
    blueprint = APIBlueprint("tables", __name__, url_prefix="/v1", tag="Desk")

    @blueprint.get("/nullifier-table")
    @blueprint.doc(
        summary="All proven moves by nullifier, sealed for the vault",
        description="With it the vault works out what a lost pass still holds.",
        responses=_body("Sealed table", "application/octet-stream"),
    )
    def table() -> Response:
        return Response(clearing.findings.table(), mimetype="application/octet-stream")

    return blueprint


def _finance(clearing: Clearing) -> APIBlueprint:
    """For finance staff: sums and refusals, never people."""
    blueprint = APIBlueprint("finance", __name__, url_prefix="/v1", tag="Finance")

    @blueprint.post("/audits")
    @blueprint.input(AuditQuery, location="query", arg_name="query")
    @blueprint.output(AuditOut)
    @blueprint.doc(
        summary="Have the vault audit the records of a period",
        description="What it finds is kept and shown among the exceptions; the same finding again is the same.",
        responses=[400, 503],
    )
    def audit(query: dict[str, Any]) -> Any:
        return audit_out(clearing.findings.audit(query.get("since"), query.get("until")))

    @blueprint.get("/totals")
    @blueprint.output(TotalsOut)
    @blueprint.doc(summary="Totals by venue, fund and purse, and how far records came")
    def totals() -> Any:
        return clearing.totals()

    @blueprint.get("/settlements")
    @blueprint.output(SettlementOut(many=True))
    @blueprint.doc(summary="Every settlement")
    def settlements() -> Any:
        return [settlement_out(each) for each in clearing.settlements.all()]

    @blueprint.get("/settlements/<number>")
    @blueprint.output(SettlementOut)
    @blueprint.doc(summary="One settlement", responses=[404])
    def settlement(number: str) -> Any:
        return settlement_out(clearing.settlements.get(number))

    @blueprint.get("/settlements/<number>/payments")
    @blueprint.doc(
        summary="The payment order, pain.001.001.09",
        responses=_body("XML; 204 when nobody is paid", "application/xml"),
    )
    def payments(number: str) -> Response:
        xml = clearing.settlements.payment_file(number)
        return Response(status=204) if xml is None else Response(xml, mimetype="application/xml")

    @blueprint.get("/settlements/<number>/venues/<int:venue>/statement")
    @blueprint.doc(
        summary="The statement for one venue",
        responses=_body("PDF", "application/pdf"),
    )
    def statement(number: str, venue: int) -> Response:
        return Response(clearing.settlements.statement(number, venue), mimetype="application/pdf")

    @blueprint.get("/settlements/<number>/venues/<int:venue>/invoice")
    @blueprint.doc(
        summary="The invoice that was made out for one venue, UBL 2.1",
        responses=_body("XML", "application/xml"),
    )
    def invoice(number: str, venue: int) -> Response:
        return Response(clearing.settlements.invoice(number, venue), mimetype="application/xml")

    @blueprint.get("/bank/statements")
    @blueprint.output(StatementOut(many=True))
    @blueprint.doc(summary="The bank's statements, with what is missing among them")
    def bank_statements() -> Any:
        return [statement_out(each) for each in clearing.bank.statements()]

    @blueprint.get("/bank/entries")
    @blueprint.input(EntryQuery, location="query", arg_name="query")
    @blueprint.output(EntryOut(many=True))
    @blueprint.doc(summary="Entries of the bank that are no payment of ours by themselves")
    def bank_entries(query: dict[str, Any]) -> Any:
        return [entry_out(each) for each in clearing.bank.unmatched(query["with_decided"])]

    @blueprint.post("/bank/files")
    @blueprint.input(ByIn, location="query", arg_name="query")
    @blueprint.output(BankReceiptOut)
    @blueprint.doc(
        summary="Take in a file of the bank",
        description="All of it or nothing is taken; the same file again does nothing. 403: `by` may not.",
        responses=[400, 403, 413],
    )
    @takes_bytes("camt.053 or camt.054, version 2 or 8, or pain.002, version 3 or 10, as the bank gave it")
    def bank_file(query: dict[str, Any]) -> Any:
        request.max_content_length = MOST_BANK_BYTES
        return receipt_of_bank(clearing.bank.take(request.get_data(), clearing.answering(query["by"], "settle")))

    return blueprint


def _watched(clearing: Clearing) -> APIBlueprint:
    """For who watches over the servers."""
    blueprint = APIBlueprint("watched", __name__)

    @blueprint.get("/metrics")
    @blueprint.doc(hide=True)
    def all_metrics() -> Response:
        return Response(metrics(clearing), content_type=MEDIA_TYPE)

    return blueprint


def _open_to_all(clearing: Clearing) -> APIBlueprint:
    """Open on purpose: it says whether clearing works, and nothing about anyone."""
    blueprint = APIBlueprint("open", __name__, tag="Open")

    @blueprint.get("/health")
    @blueprint.output(HealthOut)
    @blueprint.doc(hide=True)
    def health() -> Any:
        with clearing.store.reading() as tx:
            return {"status": "ok", "pending": tx.journal.waiting(), "quarantine": tx.quarantine.open_count()}

    return blueprint


# Errors to words


def _answer_problems(app: APIFlask, clearing: Clearing) -> None:
    @app.errorhandler(LedgerError)
    def refused(error: LedgerError) -> Response:
        status, title = _status_of(error)
        if isinstance(error, StatementRefused | CertificateOver):
            _LOG.warning("%s (%s)", error, error.reason)
        extra: dict[str, Any] = {"reason": error.reason}
        if request.endpoint == "transport.hand_in" and request.view_args:
            next_position = clearing.ingest.next_position(request.view_args["terminal"])
            extra |= {"kept": True, "nextPosition": next_position, "refused": []}
        return problem(status, title, str(error), **extra)

    @app.errorhandler(LinkError)
    def no_vault(error: LinkError) -> Response:
        detail = "The vault does not answer. Nothing is lost; try again later."
        return problem(503, "Service Unavailable", detail, reason="vault")

    @app.errorhandler(SQLAlchemyError)
    def no_database(error: SQLAlchemyError) -> Response:
        if not is_passing(error):
            raise error
        _LOG.warning("a call was sent away: %s", type(error.__cause__ or error).__name__)
        answer = problem(503, "Service Unavailable", DATABASE_BUSY, reason="database")
        answer.headers["Retry-After"] = str(_RETRY_AFTER_S)
        return answer


def _status_of(error: LedgerError) -> tuple[int, str]:
    if isinstance(error, NotFound) or error.reason == "terminal":
        return 404, "Not Found"
    if isinstance(error, CertificateOver | ConfigError):
        return 503, "Service Unavailable"
    if isinstance(error, AccountRefused) or error.reason == "statement":
        return 403, "Forbidden"
    if isinstance(error, TwoJournals | SettlementRefused | StatementRefused | BankEntryRefused | ExceptionRefused):
        return 409, "Conflict"
    return 400, "Bad Request"


def _refusal_of_records(receipt: Receipt) -> Response:
    detail = "The batch is kept. Some of its records were refused; they are in quarantine."
    out = receipt_out(receipt)
    return problem(422, "Some records were refused", detail, kept=True, reason="refused", **out)
