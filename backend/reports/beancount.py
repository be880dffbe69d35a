"""The books as a beancount file, in which other software adds up every account and compares it with what ours says.

Our balance of an account is what came in less what went out; beancount writes a debit as plus. So what a transfer takes
from its source is a debit there and what it brings its destination a credit, which makes what is owed a liability below
zero, as accountants read it. https://beancount.github.io/docs/beancount_language_syntax.html
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from backend.reports.periods import months
from backend.store import Store, Transaction

_COMMODITY = {"cent": "EUR", "point": "POINT", "visit": "VISIT", "item": "ITEM"}
_KIND = {
    "fund": "Expenses:Funds",
    "discounts": "Expenses:Discounts",
    "purse": "Liabilities:Purses",
    "venue": "Liabilities:Venues",
    "suspense": "Liabilities:Suspense",
    "lapsed": "Income:Lapsed",
    "replaced": "Equity:Replaced",
    "bank": "Assets:Bank",
    "transit": "Assets:Transit",
}


class Beancount:
    """Writes the books of one municipality as text."""

    def __init__(self, store: Store, municipality: str) -> None:
        self._store = store
        self._municipality = municipality

    def lines(self, until: date) -> Iterator[str]:
        """Every posting up to and with a day, and the balance of every account at the end of each month and of it."""
        with self._store.reading() as tx:
            accounts = tx.reports.accounts_used(until)
            yield f'option "title" "{_plain(self._municipality)}, books up to {until}"'
            yield 'option "operating_currency" "EUR"'
            if not accounts:
                return
            for account in accounts:
                unit = _COMMODITY[account.unit]
                yield f"{account.since} open {account_name(account.account, account.unit)} {unit}"
            since = min(account.since for account in accounts)
            for month in months(since, until):
                yield from _postings(tx.reports.lines(max(month.first, since), min(month.last, until)))
                yield from _balances(tx, min(month.last, until) + timedelta(days=1))


def account_name(name: str, unit: str) -> str:
    """The name of one of our accounts in one unit, in letters that beancount takes; no two accounts get the same."""
    kind, _, rest = name.partition(":")
    parts = [_KIND[kind]]
    if rest:
        plain = re.sub(r"[^A-Za-z0-9]+", "-", rest).strip("-")
        # A letter goes first, and what was lost is made up for.
        parts.append(f"N{plain}" if plain == rest else f"N{plain}-{hashlib.sha256(rest.encode()).hexdigest()[:8]}")
    if unit != "cent":
        parts.append(_COMMODITY[unit].capitalize())
    return ":".join(parts)


def _postings(rows: Any) -> Iterator[str]:
    last = None
    for row in rows:
        if row.id != last:
            yield f'{row.happened_on} * "{row.kind}" "{_about(row)}"'
            last = row.id
        amount, unit = _amount(row.amount, row.unit), _COMMODITY[row.unit]
        yield f"  {account_name(row.source, row.unit)}  {amount} {unit}"
        yield f"  {account_name(row.destination, row.unit)}  -{amount} {unit}"


def _balances(tx: Transaction, day: date) -> Iterator[str]:
    """What our own sums say at the beginning of a day."""
    for (name, unit), total in tx.reports.balances_before(day).items():
        # Without a tolerance of its own it lets a cent pass.
        yield f"{day} balance {account_name(name, unit)}  {_amount(-total, unit)} ~ 0 {_COMMODITY[unit]}"


def _amount(number: int, unit: str) -> str:
    return str(Decimal(number).scaleb(-2)) if unit == "cent" else str(number)


def _about(row: Row[Any]) -> str:
    where = f"settlement {row.settlement}" if row.settlement else f"terminal {row.terminal}, {row.records} record(s)"
    return f"posting {row.id}" + (f", {where}" if row.settlement or row.terminal else "")


def _plain(text: str) -> str:
    return text.replace("\\", " ").replace('"', "'")
