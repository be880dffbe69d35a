"""What the bank said: its files, statements and entries, and what people decided about entries."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from backend.schema import bank_decision, bank_entry, bank_file, bank_statement, settlement, settlement_line


class BankRecords:
    """The bank's words within one transaction; all of it is added and never changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def file(self, kind: str, message_id: str) -> Row[Any] | None:
        chosen = bank_file.c.kind == kind, bank_file.c.message_id == message_id
        return self._connection.execute(select(bank_file).where(*chosen)).one_or_none()

    def files(self) -> Sequence[Row[Any]]:
        return self._connection.execute(select(bank_file).order_by(bank_file.c.id)).all()

    def add_file(self, **values: Any) -> int:
        added = insert(bank_file).values(**values).returning(bank_file.c.id)
        number: int = self._connection.execute(added).scalar_one()
        return number

    def accounts(self) -> set[str]:
        """The accounts that settlements were paid from."""
        return set(self._connection.scalars(select(settlement.c.debtor_iban).distinct()))

    # Statements

    def add_statement(self, **values: Any) -> None:
        self._connection.execute(insert(bank_statement).values(**values))

    def statements(self) -> Sequence[Row[Any]]:
        """By account, in the order of their days."""
        order = bank_statement.c.iban, bank_statement.c.day, bank_statement.c.number, bank_statement.c.id
        return self._connection.execute(select(bank_statement).order_by(*order)).all()

    # Entries

    def holds(self, kind: str, fingerprint: str) -> bool:
        """Whether a file of this kind told this entry before."""
        chosen = bank_entry.c.kind == kind, bank_entry.c.fingerprint == fingerprint
        return self._connection.scalar(select(bank_entry.c.id).where(*chosen)) is not None

    def told_by(self, payment: str, direction: str) -> set[str]:
        """The kinds of files that told this of a payment."""
        chosen = bank_entry.c.payment == payment, bank_entry.c.direction == direction
        return set(self._connection.scalars(select(bank_entry.c.kind).where(*chosen)))

    def held_elsewhere(self, fingerprint: str) -> bool:
        """Whether a file of another kind told the same entry, which waits already."""
        chosen = bank_entry.c.fingerprint == fingerprint
        return self._connection.scalar(select(bank_entry.c.id).where(chosen).limit(1)) is not None

    def add_entry(self, **values: Any) -> int:
        added = insert(bank_entry).values(**values).returning(bank_entry.c.id)
        number: int = self._connection.execute(added).scalar_one()
        return number

    def entry(self, number: int) -> Row[Any] | None:
        return self._connection.execute(select(bank_entry).where(bank_entry.c.id == number)).one_or_none()

    def unmatched(self) -> Sequence[Row[Any]]:
        """Entries that were none of ours by themselves, and each but once, whatever was decided since."""
        first = select(func.min(bank_entry.c.id)).group_by(bank_entry.c.fingerprint)
        chosen = bank_entry.c.unmatched.is_not(None), bank_entry.c.id.in_(first)
        return self._connection.execute(select(bank_entry).where(*chosen).order_by(bank_entry.c.id)).all()

    # What people decided

    def add_decision(self, **values: Any) -> None:
        self._connection.execute(insert(bank_decision).values(**values))

    def decisions(self) -> dict[int, Row[Any]]:
        """By entry, what was decided last."""
        rows = self._connection.execute(select(bank_decision).order_by(bank_decision.c.id))
        return {row.entry: row for row in rows}

    def batch(self, number: str) -> Sequence[Row[Any]]:
        """The lines of a settlement that pay something."""
        chosen = settlement_line.c.settlement == number, settlement_line.c.paid > 0
        return self._connection.execute(select(settlement_line).where(*chosen).order_by(settlement_line.c.venue)).all()
