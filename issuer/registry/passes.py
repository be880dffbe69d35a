"""Passes and what became of them. Every change of state goes through `move`, and leaves an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.errors import CardRefused, DeskError
from issuer.lifecycle import CHANGE_HOTLIST, CURRENT, IN_USE, LAST_YEARS, ON_HOTLIST, STATES, WORDS, check
from issuer.personalise import Pass
from issuer.printed_code import as_printed
from issuer.registry.tables import CardPass, Holder, PassEvent

# What the chip of a pass may say.
last_day = func.coalesce(CardPass.renewing_until, CardPass.valid_until)
_HAS_ONE = "This person has a pass already. Block it first, then make a new one."

# What every visit to the desk and every list asks is put into words once: to make a query again costs more than to
# carry it out.
_CODED = select(CardPass).where(CardPass.printed_code == bindparam("code"))
_NUMBERED = select(CardPass).where(CardPass.id == bindparam("number"))
_WITH_UID = select(CardPass).where(CardPass.uid == bindparam("uid"))
_OF = (
    select(CardPass)
    .where(CardPass.holder_id == bindparam("holder"), CardPass.state.in_((*CURRENT, LAST_YEARS)))
    .order_by(case((CardPass.state == LAST_YEARS, 1), else_=0), CardPass.id.desc())
    .limit(1)
)
_ISSUED = (
    select(CardPass.handle, CardPass.issued_day, CardPass.state, last_day)
    .where(CardPass.handle.is_not(None))
    .order_by(CardPass.id)
)
_HOTLIST_CHANGES = select(func.count()).where(PassEvent.at >= bindparam("since"), PassEvent.state.in_(CHANGE_HOTLIST))


def move(session: Session, card: CardPass, state: str, by: str, at: datetime, reason: str = "") -> None:
    """Give a pass its next state, and write down who did it, when and why; raises DeskError when it cannot be."""
    if card.state == state:
        return
    check(card.state, state)
    card.state = state
    _note(session, card, by, at, reason)


def hand_over(session: Session, card: CardPass, by_post: bool, by: str, at: datetime, to: str = "") -> bool:
    """The pass is with its holder, with somebody for them (`to`), or on its way by post; safe to repeat.

    False when that was said before. A blocked pass is not opened this way: for that it has to be on the reader.
    """
    if card.state == ("handed_over" if by_post else "active"):
        return False
    if card.state not in ("encoded", "handed_over"):
        raise DeskError("This pass is {state}, so it cannot be handed over.", state=WORDS[card.state][1])
    move(session, card, "handed_over" if by_post else "active", by, at, to)
    return True


def destroy(session: Session, card: CardPass, by: str, at: datetime) -> bool:
    """A pass that came back, or was spoiled, went through the shredder; False when that was said before."""
    if card.state in IN_USE:
        raise DeskError("This pass is in use. Block it first.")
    if card.state == "destroyed":
        return False
    move(session, card, "destroyed", by, at)
    return True


def set_aside(
    session: Session, holder: Holder, printed_code: str, valid: tuple[date, date], by: str, at: datetime
) -> CardPass:
    """Keep a new pass for a holder: a card in stock, and a code for its face. It takes the place of a blocked one."""
    card = CardPass(holder=holder, printed_code=printed_code, valid_from=valid[0], valid_until=valid[1], state="stock")
    session.add(card)
    try:
        session.flush()
    except IntegrityError:
        # Another desk was first.
        raise DeskError(_HAS_ONE) from None
    lost = next((each for each in all_of(session, holder.id) if each.state == "blocked"), None)
    if lost is not None:
        card.replaces_id = lost.id
        move(session, lost, "replaced", by, at)
    session.flush()
    _note(session, card, by, at, "")
    return card


def encoded(session: Session, card: CardPass, made: Pass, valid: tuple[date, date], by: str, at: datetime) -> None:
    """The chip of a pass is made, or made anew for another year.

    Nothing was loaded yet. When another desk made a card for this pass in the meantime, this one is refused: a card
    that the registry does not know could never be blocked.
    """
    there = session.scalar(select(CardPass.uid).where(CardPass.id == card.id).with_for_update())
    if there not in (None, made.uid):
        raise DeskError(_HAS_ONE)
    card.uid = made.uid
    _made(card, made)
    card.valid_from, card.valid_until = valid
    card.renewing_until = None
    if card.state in ("stock", "printed"):
        move(session, card, "encoded", by, at)
    elif card.state == LAST_YEARS:
        move(session, card, "active", by, at)


def renewing(session: Session, number: int, until: date, by: str, at: datetime) -> None:
    """The chip of a pass is about to get a later last day; from now on it may have it, and is blocked until then.

    A pass that had ended works again.
    """
    card = session.scalars(_NUMBERED, {"number": number}).one()
    if card.valid_until < until:
        card.renewing_until = until
        if card.state == LAST_YEARS:
            move(session, card, "active", by, at)


def renewed(session: Session, number: int, by: str, at: datetime) -> CardPass:
    """The chip of a pass says the last day that was being written; nothing when none was."""
    card = session.scalars(_NUMBERED, {"number": number}).one()
    if card.renewing_until is not None:
        card.valid_until, card.renewing_until = card.renewing_until, None
        _note(session, card, by, at, "renewed")
    return card


def rekeyed(session: Session, made: Pass) -> CardPass:
    """What a pass is after its keys were renewed."""
    card = session.scalars(_WITH_UID, {"uid": made.uid}).one()
    _made(card, made)
    return card


def as_made(card: CardPass) -> Pass:
    """The chip of a pass that is encoded; raises DeskError for one that is not."""
    if card.uid is None or card.handle is None:
        raise DeskError("This pass has no chip yet. Put a card on the reader and make it first.")
    return Pass(card.uid, card.handle, card.generation, card.key_versions, card.issued_day)


def of(session: Session, holder_id: int) -> CardPass | None:
    """The pass that a holder has or is about to have; that of last year when it is to be renewed."""
    return session.scalar(_OF, {"holder": holder_id})


def of_each(session: Session, holder_ids: Sequence[int]) -> dict[int, CardPass]:
    """As `of`, for several holders at once."""
    wanted = select(CardPass).where(CardPass.holder_id.in_(holder_ids), CardPass.state.in_((*CURRENT, LAST_YEARS)))
    last = case((CardPass.state == LAST_YEARS, 0), else_=1)
    # The one that counts comes last, and stays.
    return {card.holder_id: card for card in session.scalars(wanted.order_by(last, CardPass.id))}


def all_of(session: Session, holder_id: int) -> list[CardPass]:
    """Every pass that a holder ever had, the latest first."""
    wanted = select(CardPass).where(CardPass.holder_id == holder_id)
    return list(session.scalars(wanted.order_by(CardPass.id.desc())))


def with_uid(session: Session, uid: bytes) -> CardPass | None:
    """The pass that a card is, whatever its state."""
    return session.scalar(_WITH_UID, {"uid": uid})


def coded(session: Session, printed_code: str) -> CardPass:
    """The pass with this code on its face; raises DeskError when there is none."""
    found = session.scalar(_CODED, {"code": as_printed(printed_code)})
    if found is None:
        raise DeskError("There is no pass with this code; `meedoen issuer people` lists them.")
    return found


def listing(session: Session, states: Sequence[str] = ()) -> list[CardPass]:
    """All passes, or those in some states."""
    wanted = select(CardPass).order_by(CardPass.id)
    return list(session.scalars(wanted.where(CardPass.state.in_(states)) if states else wanted))


def counts(session: Session) -> list[tuple[str, int]]:
    """How many passes there are in each state that a pass is in."""
    rows = session.execute(select(CardPass.state, func.count()).group_by(CardPass.state))
    found = {state: count for state, count in rows}
    return [(state, found[state]) for state in STATES if state in found]


def in_use(session: Session, on: date) -> int:
    """How many passes are with their holder or on their way, and valid on a day."""
    valid = CardPass.valid_from <= on, CardPass.valid_until >= on
    return session.scalars(select(func.count()).where(CardPass.state.in_(IN_USE), *valid)).one()


def events(session: Session, card: CardPass) -> list[PassEvent]:
    """What became of a pass, the latest first."""
    return list(session.scalars(select(PassEvent).where(PassEvent.pass_id == card.id).order_by(PassEvent.id.desc())))


def admit(session: Session, holder_id: int, uid: bytes) -> None:
    """Refuse a card that cannot be this holder's pass: one pass a person, one person a pass."""
    there, existing = with_uid(session, uid), of(session, holder_id)
    if there is not None and there.holder_id != holder_id:
        raise CardRefused("This card is the pass of somebody else already. Take a new card.")
    if there is not None and there.state in ON_HOTLIST:
        # It stands on hotlists that terminals have; money on it could not be spent.
        raise CardRefused("This pass was blocked. Take a new card.")
    if existing is not None and existing.uid not in (None, uid):
        raise DeskError(_HAS_ONE)


@dataclass(frozen=True)
class IssuedPass:
    """A pass that has a chip, for the list of blocked passes. `day`: the number of the day on which it got its handle.

    Terminals must refuse it when it is `blocked` and must not when it is `free`. One that was blocked and has ended is
    neither: they refuse it by its last day.
    """

    handle: bytes
    day: int
    blocked: bool
    free: bool


def issued(session: Session, on: date) -> list[IssuedPass]:
    """Every pass with a chip, in the order in which they were made."""
    return [
        IssuedPass(handle, day, state in ON_HOTLIST and until >= on, state not in ON_HOTLIST)
        for handle, day, state, until in session.execute(_ISSUED)
        if handle is not None
    ]


def hotlist_changes(session: Session, since: datetime) -> int:
    """How often a pass may have come onto the hotlist or gone off it."""
    return session.scalars(_HOTLIST_CHANGES, {"since": since}).one()


def expire(session: Session, on: date, at: datetime) -> int:
    """Passes whose last day is over; how many there were."""
    over = session.scalars(
        select(CardPass).where(CardPass.state.in_(("encoded", "handed_over", "active")), last_day < on)
    ).all()
    for card in over:
        move(session, card, "expired", "meedoen", at)
    return len(over)


def _made(card: CardPass, made: Pass) -> None:
    """What the registry knows of a chip besides its UID."""
    card.handle, card.issued_day, card.generation = made.handle, made.issued, made.generation
    card.key_versions = made.versions


def _note(session: Session, card: CardPass, by: str, at: datetime, reason: str) -> None:
    session.add(PassEvent(pass_id=card.id, state=card.state, at=at, by=by, reason=reason))
