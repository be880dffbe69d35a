"""The bank's statements in a row: what is missing between two, and what does not add up in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row


@dataclass(frozen=True)
class BankStatement:
    """One statement, in cents.

    `missing`: first and last number that did not come in before it. `jump`: by how much it opens beside the closing
    balance before it. `unexplained`: by how much its closing balance differs from its opening one and its entries.
    """

    iban: str
    number: int | None
    day: date
    opening: int
    closing: int
    missing: tuple[int, int] | None
    jump: int
    unexplained: int

    @property
    def whole(self) -> bool:
        """Whether nothing is missing before it or in it."""
        return self.missing is None and not self.jump and not self.unexplained


def in_order(rows: Sequence[Row[Any]]) -> list[BankStatement]:
    """Statements by account and day, each held against the one before; one that came twice counts once."""
    found: list[BankStatement] = []
    seen = set()
    for row in rows:
        same = row.iban, row.number, row.day, row.opening, row.closing
        if same in seen:
            continue
        seen.add(same)
        before = found[-1] if found and found[-1].iban == row.iban else None
        found.append(
            BankStatement(
                *same,
                missing=_missing(before, row.number, row.day),
                jump=0 if before is None else row.opening - before.closing,
                unexplained=row.closing - row.opening - row.entries,
            )
        )
    return found


def _missing(before: BankStatement | None, number: int | None, day: date) -> tuple[int, int] | None:
    """Numbers that were skipped. Some banks begin at 1 in every year."""
    if before is None or before.number is None or number is None:
        return None
    first = 1 if number <= before.number and day.year > before.day.year else before.number + 1
    return (first, number - 1) if number > first else None
