"""How long the desk keeps what, as a table, and the job that keeps to it.

The table is also in docs/privacy.md; a test compares the two. Years that follow from the archive law are those of the
Selectielijst gemeenten 2020 and have to be confirmed by the municipality's archivist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session

from issuer import forgetting
from issuer.approvals import Approval
from issuer.registry.tables import (
    BegunCard,
    CardPass,
    Decision,
    Delivery,
    Guardian,
    HandedIn,
    Holder,
    HotlistBase,
    Household,
    ImportedHousehold,
    ImportedRow,
    ImportRun,
    JournalEntry,
    Message,
    OpenIntent,
    PassEvent,
    PastLoads,
    PlannedLoad,
    RejectedCard,
    RenewalRow,
    RenewalRun,
    RetentionRun,
    SealingState,
    StockMove,
)
from web import audit_log
from web.accounts import Account, AccountRole, OfficerSession, RecoveryCode
from web.attempts import LoginAttempt
from web.audit_log import AuditHead, AuditLine
from web.csv_export import csv_text

_SEVEN_YEARS = 2557
_TWO_YEARS = 730
_YEAR = 365


@dataclass(frozen=True)
class Kept:
    """A class of data: how many days it is kept, from when, what happens then, and why so long.

    `forget` takes the last day that goes; without it, nothing goes by the calendar. `oldest`: the column that tells how
    old a row is.
    """

    name: str
    tables: tuple[type[DeclarativeBase], ...]
    days: int | None
    since: str
    then: str
    why: str
    forget: Callable[[Session, date], int] | None = None
    oldest: InstrumentedAttribute[Any] | None = None


# In this order: what goes first may be what kept something else.
KEPT = (
    Kept(
        "file that waits to be accepted",
        (ImportRun,),
        1,
        "it was uploaded",
        "the file is deleted",
        "long enough to ask somebody about it",
        forgetting.waiting_files,
        ImportRun.at,
    ),
    Kept(
        "what people were before an import",
        (ImportedRow, ImportedHousehold),
        30,
        "the import",
        "deleted",
        "an import can be undone until then",
        forgetting.what_was_before_imports,
        ImportRun.accepted_at,
    ),
    Kept(
        "list of imports, without names",
        (ImportRun,),
        _TWO_YEARS,
        "it was uploaded",
        "deleted",
        "to find where a wrong band came from",
        forgetting.imports,
        ImportRun.at,
    ),
    Kept(
        "letter or notice",
        (Message,),
        _YEAR,
        "it was sent",
        "deleted",
        "a complaint about it comes within a year",
        forgetting.messages,
        Message.sent_on,
    ),
    Kept(
        "event in the life of a pass",
        (PassEvent,),
        _YEAR,
        "it happened",
        "deleted, but for the last one of a pass",
        "to explain to a holder what became of the pass",
        forgetting.pass_events,
        PassEvent.at,
    ),
    Kept(
        "pass that ended",
        (CardPass,),
        _TWO_YEARS,
        "its last day",
        "deleted",
        "until the accounts of its last year are closed; it may come back for renewal",
        forgetting.ended_passes,
        CardPass.valid_until,
    ),
    Kept(
        "card that could not become a pass",
        (RejectedCard,),
        _YEAR,
        "it was rejected",
        "deleted",
        "to complain to the supplier",
        forgetting.rejected_cards,
        RejectedCard.on,
    ),
    Kept(
        "who took cards from the stock",
        (StockMove, Delivery),
        _YEAR,
        "it was written down",
        "the officer's name is emptied; the counts stay",
        "to find a mistake in counting; the stock has to add up later too",
        forgetting.who_moved_stock,
        StockMove.on,
    ),
    Kept(
        "yearly test of all holders",
        (RenewalRun, RenewalRow),
        _TWO_YEARS,
        "it was made",
        "deleted",
        "until the accounts of its year are closed; the decisions that followed are kept by themselves",
        forgetting.renewals,
        RenewalRun.made_at,
    ),
    Kept(
        "decision, with its reason and band",
        (Decision,),
        _SEVEN_YEARS,
        "the end of the pass year",
        "deleted",
        "archive law: 7 years, to be confirmed by the municipality's archivist (Selectielijst gemeenten 2020)",
        forgetting.decisions,
        Decision.on,
    ),
    Kept(
        "load in the desk's journal",
        (JournalEntry,),
        _TWO_YEARS,
        "its day, when the backend has it",
        "deleted, but for the last one",
        "until the accounts of its year are closed; the next entry follows from the last one",
        forgetting.journal,
    ),
    Kept(
        "who may act for a child",
        (Guardian,),
        0,
        "the child is 18",
        "deleted",
        "nobody acts for an adult",
        forgetting.guardians,
    ),
    Kept(
        "address of a household",
        (Household,),
        90,
        "nobody in it was in a file, has a pass or gets a letter any more",
        "emptied",
        "it is there for letters only",
        forgetting.addresses,
        Household.band_on,
    ),
    Kept(
        "people and their household",
        (Holder, Household, PlannedLoad, PastLoads),
        90,
        "nobody in it was in a file, and no decision, pass or budget on its way is left",
        "deleted; what was written on their passes stays as a count per grant",
        "nothing is decided about them any more",
        forgetting.households,
        Holder.seen_on,
    ),
    Kept(
        "request for a second officer",
        (Approval,),
        _TWO_YEARS,
        "it was decided",
        "deleted",
        "until the accounts of its year are closed; the decision itself names both officers",
        forgetting.approvals,
        Approval.decided_at,
    ),
    Kept(
        "login that is over or did not succeed",
        (OfficerSession, LoginAttempt),
        1,
        "it was last used",
        "deleted",
        "a day of work",
        forgetting.logins,
        OfficerSession.seen_at,
    ),
    Kept(
        "audit log",
        (AuditLine, AuditHead),
        _SEVEN_YEARS,
        "it was written",
        "deleted from the beginning; the chain stays whole",
        "as long as the decisions that it is about; it names officers, never residents",
        audit_log.trim,
        AuditLine.at,
    ),
    Kept(
        "report of what was deleted",
        (RetentionRun,),
        _SEVEN_YEARS,
        "its day",
        "deleted",
        "to show that this table was kept to; nothing in it is personal",
        forgetting.reports,
        RetentionRun.on,
    ),
    Kept(
        "account of an officer",
        (Account, AccountRole, RecoveryCode),
        None,
        "",
        "",
        "as long as the audit log has the name, which is never given to somebody else",
    ),
    Kept(
        "load that is not known to have arrived",
        (OpenIntent,),
        None,
        "",
        "",
        "until the pass is on a reader again; it is money",
    ),
    Kept(
        "card that is half made",
        (BegunCard,),
        None,
        "",
        "",
        "until it is made, or rejected",
    ),
    Kept(
        "state of a desk's journal and key",
        (HandedIn, SealingState),
        None,
        "",
        "",
        "one row a desk, about nobody; the next load follows from it",
    ),
    Kept(
        "base of the list of blocked passes",
        (HotlistBase,),
        None,
        "",
        "",
        "until the next one is made; nobody can read a pass out of it",
    ),
)


@dataclass(frozen=True)
class Line:
    """How many rows of a class went or were emptied, and the day of the oldest that is left."""

    name: str
    gone: int
    oldest: date | None


@dataclass(frozen=True)
class Report:
    """For the data-protection officer. Nothing in it is personal."""

    on: date
    lines: tuple[Line, ...]

    def as_facts(self) -> dict[str, Any]:
        return {"on": self.on.isoformat(), "classes": [_facts(line) for line in self.lines]}

    def as_text(self) -> str:
        width = max(len(line.name) for line in self.lines)
        rows = (f"{line.name:<{width}}  {line.gone:>8}  {line.oldest or '-'}" for line in self.lines)
        return "\n".join([f"{f'Retention on {self.on}':<{width}}  {'gone':>8}  oldest left", *rows])

    def as_csv(self) -> bytes:
        header = ("day", "class", "gone", "oldest left")
        return csv_text(header, ((self.on, line.name, line.gone, line.oldest) for line in self.lines)).encode()


def _facts(line: Line) -> dict[str, Any]:
    return {"class": line.name, "gone": line.gone, "oldest": line.oldest.isoformat() if line.oldest else None}


def run_retention(session: Session, on: date) -> Report:
    """Delete or empty what is kept long enough on a day, and keep the report; safe to repeat."""
    gone = {
        kept.name: kept.forget(session, on - timedelta(days=kept.days))
        for kept in KEPT
        if kept.forget is not None and kept.days is not None
    }
    lines = tuple(Line(kept.name, gone[kept.name], _oldest(session, kept)) for kept in KEPT if kept.name in gone)
    report = Report(on, lines)
    session.add(RetentionRun(on=on, report=[_facts(line) for line in lines]))
    session.flush()
    return report


def reports(session: Session) -> list[Report]:
    """All that are kept, the latest first."""
    return [
        Report(run.on, tuple(_line(facts) for facts in run.report))
        for run in session.scalars(select(RetentionRun).order_by(RetentionRun.id.desc()))
    ]


def _line(facts: dict[str, Any]) -> Line:
    oldest = facts["oldest"]
    return Line(facts["class"], facts["gone"], date.fromisoformat(oldest) if oldest else None)


def _oldest(session: Session, kept: Kept) -> date | None:
    if kept.oldest is None:
        return None
    found: date | datetime | None = session.scalar(select(func.min(kept.oldest)))
    return found.date() if isinstance(found, datetime) else found


def as_markdown() -> str:
    """The table as it stands in docs/privacy.md."""
    rows = [
        f"| {kept.name} | {_how_long(kept)} | {kept.since or '–'} | {kept.then or '–'} | {kept.why} |" for kept in KEPT
    ]
    return "\n".join(["| what | how long | from when | then | why |", "|---|---|---|---|---|", *rows])


def _how_long(kept: Kept) -> str:
    if kept.days is None:
        return "no fixed time"
    return "at once" if kept.days == 0 else f"{kept.days} day{'' if kept.days == 1 else 's'}"
