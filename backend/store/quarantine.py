"""What was refused. Nothing leaves here: an item is resolved, and stays."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    String,
    Update,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from backend.exceptions.names import ITEM
from backend.schema import entry, exception_event, quarantine
from backend.store.bulk import named


class Quarantine:
    """Refused batches and refused entries, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep_batch(self, body: bytes, terminal: int | None, reason: str, detail: str, at: datetime) -> None:
        """Keep a batch; the same batch again is the same item."""
        digest = hashlib.sha256(body).hexdigest()
        self._keep(
            quarantine.c.digest == digest,
            {"terminal": terminal, "body": body, "digest": digest},
            {"reason": reason, "detail": detail, "tried_at": at, "resolved_at": None},
        )

    def keep_entry(self, terminal: int, position: int, sequence: int, reason: str, detail: str, at: datetime) -> None:
        """Keep a refused entry; the entry itself is in the journal."""
        self._keep(
            (quarantine.c.terminal == terminal) & (quarantine.c.position == position),
            {"terminal": terminal, "position": position, "sequence": sequence},
            {"reason": reason, "detail": detail, "tried_at": at, "resolved_at": None},
        )

    def _keep(self, same: Any, identity: dict[str, Any], values: dict[str, Any]) -> None:
        columns = quarantine.c.id, quarantine.c.reason, quarantine.c.tried_at, quarantine.c.resolved_at
        held = self._connection.execute(select(*columns).where(same)).one_or_none()
        if held is None:
            self._connection.execute(insert(quarantine).values(**identity, **values, recorded_at=values["tried_at"]))
            return
        if (held.reason, held.resolved_at) == (values["reason"], None):
            # Nothing new is heard of it: what two people closed stays closed.
            values["tried_at"] = held.tried_at
        self._connection.execute(update(quarantine).where(quarantine.c.id == held.id).values(**values))

    def resolve_batch(self, body: bytes, at: datetime) -> None:
        """The batch was taken after all."""
        self._connection.execute(_RESOLVE_BATCH, {"of": hashlib.sha256(body).hexdigest(), "at": at})

    def resolve_entry(self, terminal: int, position: int, at: datetime) -> None:
        """The entry was taken after all."""
        self._resolve((quarantine.c.terminal == terminal) & (quarantine.c.position == position), at)

    def resolve_proven(self, names: Sequence[tuple[int, int]], at: datetime) -> None:
        """Entries of those of these records (terminal, sequence) that are proven were taken after all."""
        proven = select(entry.c.terminal, entry.c.position).where(named(entry, names), entry.c.state == "proven")
        self._resolve(tuple_(quarantine.c.terminal, quarantine.c.position).in_(proven), at)

    def _resolve(self, chosen: Any, at: datetime) -> None:
        self._connection.execute(_resolving(chosen), {"at": at})

    def item(self, number: int) -> Row[Any] | None:
        return self._connection.execute(select(quarantine).where(quarantine.c.id == number)).one_or_none()

    def items(self, with_resolved: bool = False) -> Sequence[Row[Any]]:
        """Items in order of arrival, without the bodies of batches."""
        columns = [column for column in quarantine.c if column.name != "body"]
        query = select(*columns).order_by(quarantine.c.id)
        if not with_resolved:
            query = query.where(quarantine.c.resolved_at.is_(None))
        return list(self._connection.execute(query))

    def entries(self, terminal: int, first: int, last: int) -> Sequence[Row[Any]]:
        """Open items that are entries of a range of positions, in that order."""
        return list(self._connection.execute(_ENTRIES, {"of": terminal, "first": first, "last": last}))

    def open_count(self) -> int:
        """How many wait for somebody: not resolved, and not closed by two people since they were last refused."""
        closed = exists().where(
            exception_event.c.about == literal(f"{ITEM}:") + cast(quarantine.c.id, String),
            exception_event.c.action == "confirmed",
            exception_event.c.recorded_at >= quarantine.c.tried_at,
        )
        query = select(func.count()).select_from(quarantine).where(quarantine.c.resolved_at.is_(None), ~closed)
        return self._connection.scalar(query) or 0


def _resolving(chosen: Any) -> Update:
    """Of items that are open, those that were taken after all."""
    now: dict[str, Any] = {"tried_at": bindparam("at"), "resolved_at": bindparam("at")}
    return update(quarantine).where(chosen, quarantine.c.resolved_at.is_(None)).values(now)


# What every batch asks is put into words once.
_RESOLVE_BATCH = _resolving(quarantine.c.digest == bindparam("of"))
_ENTRIES = (
    select(quarantine.c.position, quarantine.c.sequence, quarantine.c.reason)
    .where(
        quarantine.c.terminal == bindparam("of"),
        quarantine.c.position.between(bindparam("first"), bindparam("last")),
        quarantine.c.resolved_at.is_(None),
    )
    .order_by(quarantine.c.position)
)
