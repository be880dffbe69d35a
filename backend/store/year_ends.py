"""The ends of pass years: what was decided, what lapsed, and what late taps gave back."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    ScalarSelect,
    Select,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)

from backend.schema import lapse, posting, told, transfer, year_closing


class YearEnds:
    """Closings within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, values: dict[str, Any]) -> int:
        made: int = self._connection.execute(
            insert(year_closing).values(**values).returning(year_closing.c.id)
        ).scalar_one()
        return made

    def decide(self, number: int, **values: Any) -> None:
        self._connection.execute(update(year_closing).where(year_closing.c.id == number).values(**values))

    def all(self) -> Sequence[Row[Any]]:
        """Every closing in order, with `lapsed`: what stands on it now."""
        return list(self._connection.execute(_with_lapsed().order_by(year_closing.c.id)))

    def of(self, until: date, state: str) -> Sequence[Row[Any]]:
        """The closings of a pass year in a state, by purse."""
        chosen = year_closing.c.until == until, year_closing.c.state == state
        return list(self._connection.execute(_with_lapsed().where(*chosen).order_by(year_closing.c.id)))

    def last_lapsed(self) -> date | None:
        """The end of the last pass year of which anything lapsed."""
        last: date | None = self._connection.scalar(_LAST_LAPSED)
        return last

    def lapses(self, purse: int, first_until: date) -> Sequence[Row[Any]]:
        """What lapsed in a purse for pass years that end on a day or later, the earliest year first; each with
        `taken`: what late records took of it."""
        chosen = (
            year_closing.c.purse == purse,
            year_closing.c.kind == "lapse",
            year_closing.c.state == "decided",
            year_closing.c.until >= first_until,
        )
        taken = _lapsed_by(lapse.c.cause.is_not(None))
        query = _with_lapsed().add_columns((-taken).label("taken")).where(*chosen)
        return list(self._connection.execute(query.order_by(year_closing.c.until)))

    def link(self, posting_id: int, closing: int, cause: int | None = None) -> None:
        """`cause`: the posting of late taps or reversals that it corrects; None: a decision."""
        self._connection.execute(insert(lapse).values(posting=posting_id, closing=closing, cause=cause))

    def loaded(self, account: str, until: date) -> int:
        """What funds put in a purse on the days up to one."""
        query = (
            select(func.sum(transfer.c.amount))
            .join(posting, posting.c.id == transfer.c.posting)
            .where(
                transfer.c.destination == account,
                transfer.c.source.startswith("fund:"),
                posting.c.kind == "load",
                posting.c.happened_on <= until,
            )
        )
        return int(self._connection.scalar(query) or 0)

    def spent(self, account: str) -> int:
        """What taps took from a purse, less what reversals gave back; of all days."""
        signed = case((transfer.c.source == account, transfer.c.amount), else_=-transfer.c.amount)
        query = (
            select(func.sum(signed))
            .join(posting, posting.c.id == transfer.c.posting)
            .where(
                posting.c.kind.in_(("tap", "reversal")),
                (transfer.c.source == account) | (transfer.c.destination == account),
            )
        )
        return int(self._connection.scalar(query) or 0)

    def late(self, first: int, overlap: timedelta) -> Iterable[Row[Any]]:
        """From a posting on, in order: decisions, and taps and reversals of days on which passes of a closed year still
        worked, `id, kind, happened_on, purse, amount`."""
        last = self._connection.scalar(select(func.max(year_closing.c.until)).where(year_closing.c.state == "decided"))
        if last is None:
            return []
        purse = case((posting.c.kind == "reversal", transfer.c.destination), else_=transfer.c.source)
        query = (
            select(
                *(posting.c[name] for name in ("id", "kind", "happened_on")),
                case((purse.startswith("purse:"), cast(func.substr(purse, len("purse:") + 1), Integer))).label("purse"),
                transfer.c.amount,
            )
            .join(transfer, transfer.c.posting == posting.c.id)
            .where(
                posting.c.id >= first,
                (posting.c.kind == "lapse") | (purse.startswith("purse:") & (posting.c.happened_on <= last + overlap)),
                posting.c.kind.in_(("lapse", "tap", "reversal")),
            )
            .order_by(posting.c.id, transfer.c.number)
        )
        return self._connection.execution_options(yield_per=1000).execute(query)

    def postings(self) -> Sequence[Row[Any]]:
        """Every posting that lapsed or gave back, in order: `id, closing, cause, lapsed`."""
        query = (
            select(lapse, posting.c.id, _LAPSED.label("lapsed"))
            .select_from(
                posting.outerjoin(lapse, lapse.c.posting == posting.c.id).outerjoin(
                    transfer, transfer.c.posting == posting.c.id
                )
            )
            .where(posting.c.kind == "lapse")
            .order_by(posting.c.id)
        )
        return list(self._connection.execute(query))


_LAPSED = case((transfer.c.destination.startswith("lapsed:"), transfer.c.amount), else_=-transfer.c.amount)


def _with_lapsed() -> Select[Any]:
    """Closings with what is lapsed on their pass year and purse, after corrections."""
    return select(*told(year_closing), _lapsed_by().label("lapsed"))


def _lapsed_by(*which: ColumnElement[bool]) -> ScalarSelect[int]:
    """What these postings let lapse of the pass year and purse of a closing, less what they gave back."""
    other = year_closing.alias()
    return (
        select(cast(func.coalesce(func.sum(_LAPSED), literal(0)), BigInteger))
        .select_from(
            lapse.join(other, other.c.id == lapse.c.closing).join(transfer, transfer.c.posting == lapse.c.posting)
        )
        .where(other.c.until == year_closing.c.until, other.c.purse == year_closing.c.purse, *which)
        .scalar_subquery()
    )


# Asked by every batch, and so put into words once.
_LAST_LAPSED = select(func.max(year_closing.c.until)).where(
    year_closing.c.kind == "lapse", year_closing.c.state == "decided"
)
