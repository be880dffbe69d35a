"""Blank cards: which were begun for whom, which were rejected, and what is left of a delivery."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.errors import CardRefused, DeskError
from issuer.lifecycle import CURRENT
from issuer.registry import loads, passes
from issuer.registry.tables import BegunCard, CardPass, Delivery, OpenIntent, RejectedCard, StockMove
from issuer.stock import Move, Received, Stock, add_up

_MADE_ALREADY = "This card is a pass already. Take a new card."
_WAS_REJECTED = "This card was rejected before. Lay it with the rejected ones and take a new card."
_HAS_A_CARD = "This person's pass was begun with another card. Put that one back."


# Cards that were begun


def begin(session: Session, card: CardPass, uid: bytes) -> None:
    """Keep that this card becomes this pass, before anything on it changes; again is the same.

    Raises CardRefused for a card that cannot be it.
    """
    passes.admit(session, card.holder_id, uid)
    if session.scalar(select(RejectedCard.id).where(RejectedCard.uid == uid).limit(1)) is not None:
        raise CardRefused(_WAS_REJECTED)
    of_pass = session.scalar(select(BegunCard).where(BegunCard.pass_id == card.id))
    if of_pass is not None and of_pass.uid != uid:
        raise CardRefused(_HAS_A_CARD)
    if of_pass is None:
        if passes.with_uid(session, uid) is not None:
            raise CardRefused(_MADE_ALREADY)
        session.add(BegunCard(uid=uid, pass_id=card.id))
        session.flush()


def begun_with(session: Session, uid: bytes) -> CardPass | None:
    """The pass that this card was begun for and is not finished."""
    wanted = select(CardPass).join(BegunCard, BegunCard.pass_id == CardPass.id).where(BegunCard.uid == uid)
    return session.scalar(wanted)


def begun(session: Session) -> list[CardPass]:
    """The passes whose card was begun and is not finished."""
    wanted = select(CardPass).join(BegunCard, BegunCard.pass_id == CardPass.id).order_by(CardPass.id)
    return [card for card in session.scalars(wanted) if card.state in CURRENT]


def begun_for(session: Session, card: CardPass) -> bytes:
    """The UID of the card that a pass was begun with; raises DeskError when there is none."""
    uid = session.scalar(select(BegunCard.uid).where(BegunCard.pass_id == card.id))
    if uid is None:
        raise DeskError("No card was begun for this pass. There is nothing to reject.")
    return uid


def finished(session: Session, card: CardPass, delivery: Delivery | None, by: str, on: date) -> None:
    """The card of a pass is made and loaded, and out of the stock; once, however often it is said."""
    row = session.scalar(select(BegunCard).where(BegunCard.pass_id == card.id))
    if row is None:
        return
    session.delete(row)
    if delivery is not None:
        card = session.get_one(CardPass, card.id)
        card.delivery_id = delivery.id
        session.add(StockMove(delivery_id=delivery.id, kind="used", count=-1, on=on, by=by))


def reject(
    session: Session, uid: bytes | None, reason: str, delivery: Delivery | None, by: str, at: datetime, on: date
) -> bool:
    """Put a card on the list of rejects, unless a budget may be on it: then nothing changes, and the answer is False.

    A pass that it was begun for can have another card.
    """
    made = passes.with_uid(session, uid) if uid else None
    if made is not None:
        if _may_hold_something(session, made):
            return False
        passes.move(session, made, "destroyed", by, at, "rejected")
    row = session.get(BegunCard, uid) if uid else None
    if row is not None:
        session.delete(row)
    session.add(RejectedCard(uid=uid, reason=reason, on=on, by=by, delivery_id=delivery.id if delivery else None))
    if delivery is not None:
        session.add(StockMove(delivery_id=delivery.id, kind="rejected", count=-1, on=on, by=by))
    session.flush()
    return True


def _may_hold_something(session: Session, card: CardPass) -> bool:
    """Whether a load was written, or may have been. Which pass holds it is not kept, so any of the holder's counts."""
    if session.scalar(select(OpenIntent.sequence).where(OpenIntent.handle == card.handle).limit(1)) is not None:
        return True
    return any(each.state == "written" for each in loads.of(session, card.holder_id))


def rejects(session: Session) -> list[RejectedCard]:
    """The cards that were rejected, the latest first."""
    return list(session.scalars(select(RejectedCard).order_by(RejectedCard.id.desc())))


# Deliveries


def receive(session: Session, reference: str, supplier: str, count: int, on: date) -> Delivery:
    """Write down a delivery that came in; raises DeskError for a reference that is there already."""
    if named(session, reference) is not None:
        raise DeskError("There is a delivery {reference} already. Give this one another name.", reference=reference)
    if count < 1:
        raise DeskError("A delivery has one card or more.")
    made = Delivery(reference=reference, supplier=supplier, count=count, received_on=on)
    session.add(made)
    session.flush()
    return made


def judge(session: Session, found: Delivery, accepted: bool, report: list[Any], spent: int, by: str, on: date) -> None:
    """Keep the report of the acceptance test; `spent` cards can no longer become a pass."""
    found.state, found.report = "accepted" if accepted else "refused", report
    if spent:
        session.add(StockMove(delivery_id=found.id, kind="destroyed", count=-spent, on=on, by=by))


def delivery(session: Session, reference: str) -> Delivery:
    """The delivery with this reference; raises DeskError when there is none."""
    found = named(session, reference)
    if found is None:
        raise DeskError("There is no delivery {reference}; write it down first.", reference=reference)
    return found


def named(session: Session, reference: str) -> Delivery | None:
    """The delivery with this reference, if there is one."""
    return session.scalar(select(Delivery).where(Delivery.reference == reference))


def numbered(session: Session, number: int) -> Delivery:
    """The delivery with this number; raises DeskError when there is none."""
    found = session.get(Delivery, number)
    if found is None:
        raise DeskError("There is no delivery {reference}; write it down first.", reference=number)
    return found


def in_use(session: Session) -> Delivery | None:
    """The delivery that a counter takes its cards from: the oldest accepted one with cards left."""
    for found in deliveries(session):
        if found.state == "accepted" and stock(session, found).left > 0:
            return found
    return None


def taken_at_counter(session: Session, card: CardPass, by: str, on: date) -> None:
    """A card became a pass at the counter: book it off the delivery in use; once a pass."""
    found = in_use(session)
    card = session.get_one(CardPass, card.id)
    if card.delivery_id is None and found is not None:
        card.delivery_id = found.id
        session.add(StockMove(delivery_id=found.id, kind="used", count=-1, on=on, by=by))
        session.flush()


def usable(session: Session, reference: str) -> Delivery:
    """A delivery that passed its test; raises DeskError for one that did not."""
    found = delivery(session, reference)
    if found.state != "accepted":
        raise DeskError(
            "Delivery {reference} did not pass its test ({state}). Test it with `meedoen issuer accept-delivery`.",
            reference=reference,
            state=found.state,
        )
    return found


def deliveries(session: Session) -> Sequence[Delivery]:
    """Every delivery, the oldest first."""
    return list(session.scalars(select(Delivery).order_by(Delivery.received_on, Delivery.id)))


def stock(session: Session, found: Delivery) -> Stock:
    """What became of the cards of a delivery, and how many must be left."""
    rows = session.scalars(select(StockMove).where(StockMove.delivery_id == found.id))
    moves = [Move(found.reference, row.kind, row.count, row.on, row.by) for row in rows]
    return add_up(Received(found.reference, found.count), moves)


def book(session: Session, found: Delivery, move: Move) -> None:
    """Write a move down."""
    session.add(StockMove(delivery_id=found.id, kind=move.kind, count=move.count, on=move.on, by=move.by))
    session.flush()
