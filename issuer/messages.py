"""What a holder is to be told by letter: facts that were true on a day. `issuer.letters` makes sentences of them.

No income, no citizen number, no key; of a reason only the sentence of the decision.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.registry.tables import CardPass, Holder, Message, RenewalRow, RenewalRun
from issuer.scheme import Scheme

KINDS = ("notice", "granted", "ended", "post", "blocked")
LANGUAGES = ("nl", "en")
NOTICE_DAYS = 90

# A pass that its holder has, or is about to have, and that works.
_WORKS = ("encoded", "handed_over", "active")


def granted(
    session: Session,
    holder: Holder,
    scheme: Scheme,
    year: date,
    on: date,
    budgets: Sequence[Mapping[str, Any]],
    needs_card: bool,
    language: str = "nl",
) -> Message:
    """What somebody gets in the pass year of the day `year`, and until when the pass works then."""
    names = {grant.number: grant.name for grant in scheme.grants}
    facts = {
        "pass_year": scheme.pass_year(year),
        "from": scheme.year_start(year).isoformat(),
        "until": scheme.validity(year)[1].isoformat(),
        "needs_card": needs_card,
        "budgets": [
            {
                "name": names[each["grant"]],
                "amount": each["adds"] if each["once"] else each["amount"],
                "unit": scheme.purses[each["purse"]].unit,
            }
            for each in budgets
            # What is given once and was given before is not news.
            if each["adds"] or not each["once"]
        ],
    }
    return _make(session, holder, "granted", language, facts, on)


def ended(
    session: Session,
    holder: Holder,
    scheme: Scheme,
    year: date,
    on: date,
    reasons: Sequence[Sequence[str]],
    language: str = "nl",
) -> Message:
    """That somebody gets no pass for the pass year of the day `year`, why, and until when the one they have works."""
    works = [card.valid_until for card in holder.passes if card.state in _WORKS]
    facts = {
        "pass_year": scheme.pass_year(year),
        "from": scheme.year_start(year).isoformat(),
        "until": max(works).isoformat() if works else None,
        "reasons": [list(each) for each in reasons],
    }
    return _make(session, holder, "ended", language, facts, on)


def posted(session: Session, card: CardPass, on: date, language: str = "nl") -> Message:
    """That the pass comes with this letter, and what to do with it."""
    facts = {"code": card.printed_code, "until": card.valid_until.isoformat()}
    return _make(session, card.holder, "post", language, facts, on)


def blocked(session: Session, card: CardPass, on: date, language: str = "nl") -> Message:
    """That nobody can pay with the pass any more."""
    return _make(session, card.holder, "blocked", language, {"code": card.printed_code}, on)


def notices(
    session: Session,
    scheme: Scheme,
    on: date,
    proof_before: date | None = None,
    language: str = "nl",
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Tell everybody whose pass ends within 90 days, once a pass year; how many were told now.

    Says whether they keep the pass once a preview of the next year was accepted. Of whom the income band was put down
    before `proof_before`, it asks to bring a new proof of it.
    """
    ends = select(CardPass).where(
        CardPass.state.in_(_WORKS), CardPass.valid_until.between(on, on + timedelta(days=NOTICE_DAYS))
    )
    cards = list(session.scalars(ends.order_by(CardPass.holder_id)))
    told = {
        (each.holder_id, each.facts["pass_year"])
        for each in session.scalars(select(Message).where(Message.kind == "notice"))
    }
    accepted = _accepted(session)
    count = 0
    for done, card in enumerate(cards, start=1):
        tell(done, len(cards))
        next_year = scheme.year_start(card.valid_until - timedelta(days=scheme.overlap_days) + timedelta(days=1))
        year = scheme.pass_year(next_year)
        if (card.holder_id, year) in told:
            continue
        answer, reasons = _answer(accepted.get((year, card.holder_id)), card.holder, proof_before)
        facts = {
            "pass_year": year,
            "from": next_year.isoformat(),
            "until": card.valid_until.isoformat(),
            "answer": answer,
            "reasons": reasons,
        }
        _make(session, card.holder, "notice", language, facts, on)
        count += 1
    session.flush()
    return count


def _accepted(session: Session) -> dict[tuple[str, int], dict[str, Any]]:
    """{(pass year, holder): what was decided}, of the latest accepted run."""
    wanted = select(RenewalRun.pass_year, RenewalRow).join(RenewalRow, RenewalRow.run_id == RenewalRun.id)
    wanted = wanted.where(RenewalRun.state == "accepted", RenewalRow.done).order_by(RenewalRun.id)
    return {
        (year, row.holder_id): row.became or {"outcome": row.outcome, "reasons": row.reasons}
        for year, row in session.execute(wanted)
    }


def _answer(
    decided: Mapping[str, Any] | None, holder: Holder, proof_before: date | None
) -> tuple[str, list[list[str]]]:
    """`open` until a preview is accepted, then `keeps`, `bring` (keeps, with a proof to bring) or `loses` with why."""
    if decided is None:
        return "open", []
    if decided["outcome"] == "loses":
        return "loses", decided["reasons"]
    if proof_before is not None and holder.household.band_on < proof_before:
        return "bring", []
    return "keeps", []


def unsent(session: Session, kinds: Iterable[str] = KINDS) -> list[Message]:
    """What is still to be printed, the oldest first."""
    wanted = select(Message).where(Message.sent_on.is_(None), Message.kind.in_(list(kinds)))
    return list(session.scalars(wanted.order_by(Message.id)))


def sent(session: Session, numbers: Sequence[int], on: date) -> int:
    """They were printed and are on their way; how many of them were not before."""
    count = 0
    for number in numbers:
        message = session.get(Message, number)
        if message is not None and message.sent_on is None:
            message.sent_on = on
            count += 1
    return count


def _make(session: Session, holder: Holder, kind: str, language: str, facts: dict[str, Any], on: date) -> Message:
    message = Message(holder_id=holder.id, kind=kind, language=language, facts=facts, made_on=on)
    session.add(message)
    return message
