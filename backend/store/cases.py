"""What is not in order: findings, what is in doubt, and who did what about it. Rows are added and never changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, insert, select

from backend.schema import audit, closed_gap, entry, exception_event, finding, told


class Cases:
    """Cases of the exceptions desk, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # What the vault found

    def add_audit(self, **values: Any) -> None:
        self._connection.execute(insert(audit).values(**values))

    def add_finding(self, kind: str, terminal: int, sequence: int, nullifier: str | None, at: datetime) -> bool:
        """Whether this was not found before; the same finding is kept once."""
        same = finding.c.kind == kind, finding.c.terminal == terminal, finding.c.sequence == sequence
        if self._connection.execute(select(finding.c.id).where(*same)).one_or_none() is not None:
            return False
        values = {"kind": kind, "terminal": terminal, "sequence": sequence, "nullifier": nullifier}
        self._connection.execute(insert(finding).values(**values, recorded_at=at))
        return True

    def findings(self, kind: str) -> Sequence[Row[Any]]:
        """Findings of a kind, each with the `state` of its record, None where that is not here."""
        same = entry.c.terminal == finding.c.terminal, entry.c.sequence == finding.c.sequence
        joined = finding.outerjoin(entry, and_(entry.c.state.is_not(None), *same))
        query: Select[Any] = select(*told(finding), entry.c.state).select_from(joined)
        return self._connection.execute(query.where(finding.c.kind == kind).order_by(finding.c.id)).all()

    def doubts(self, ended: bool) -> Sequence[Row[Any]]:
        """Records in doubt (with `ended` also those that were), with the entry that decides, and what the
        vault found of them as `found_as, nullifier, found_at`."""
        found = and_(
            finding.c.kind.in_(("happened", "did_not_happen")),
            finding.c.terminal == entry.c.terminal,
            finding.c.sequence == entry.c.sequence,
        )
        chosen = entry.c.state == "in_doubt"
        if ended:
            chosen |= entry.c.doubt_position.is_not(None) | (entry.c.state.is_not(None) & finding.c.id.is_not(None))
        columns: list[Any] = [
            entry.c.terminal,
            entry.c.sequence,
            entry.c.position,
            entry.c.state,
            entry.c.clear,
            entry.c.recorded_on,
            finding.c.kind.label("found_as"),
            finding.c.nullifier,
            finding.c.recorded_at.label("found_at"),
        ]
        query = select(*columns).select_from(entry.outerjoin(finding, found)).where(chosen)
        return self._connection.execute(query.order_by(entry.c.terminal, entry.c.sequence)).all()

    # Who did what

    def add_event(self, **values: Any) -> int:
        """Its number."""
        added = insert(exception_event).values(**{"note": ""} | values).returning(exception_event.c.id)
        number: int = self._connection.execute(added).scalar_one()
        return number

    def events(self, cases: Iterable[str]) -> Sequence[Row[Any]]:
        """All that was done about these cases, in its order."""
        query = select(*told(exception_event)).where(exception_event.c.about.in_(list(cases)))
        return self._connection.execute(query.order_by(exception_event.c.id)).all()

    # Gaps

    def close_gap(self, event: int, terminal: int, first: int, last: int) -> None:
        self._connection.execute(insert(closed_gap).values(event=event, terminal=terminal, first=first, last=last))

    def closed_gaps(self) -> Sequence[Row[Any]]:
        """All that were ever closed, each with the moment of its confirmation as `recorded_at`."""
        joined = closed_gap.join(exception_event, exception_event.c.id == closed_gap.c.event)
        query: Select[Any] = (
            select(*told(closed_gap), exception_event.c.recorded_at).select_from(joined).order_by(closed_gap.c.event)
        )
        return self._connection.execute(query).all()
