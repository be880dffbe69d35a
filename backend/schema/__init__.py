"""Every table of clearing, and the constraints that hold whoever writes.

Nothing here names a pass, a handle or a holder, and nothing links two taps of one pass: `entry.sealed` only opens in
the vault, and `entry.nullifier` is another value for every transaction.

The books are `posting` and `transfer`. A transfer moves an amount above zero from one account to another of the same
unit, so a posting always sums to zero and cents never mix with points. Books and journal are append-only.
"""

from backend.schema.bank import (
    bank_decision,
    bank_entry,
    bank_file,
    bank_statement,
    payment_event,
    settlement_event,
    settlement_invoice,
    settlement_reopened,
    venue_invoice,
)
from backend.schema.base import Moment, append_only, final, metadata, number, refers, table, told, unique
from backend.schema.books import account, flow, posting, tally, transfer
from backend.schema.exceptions import audit, closed_gap, exception_event, finding, quarantine
from backend.schema.journal import WAITS, entry, terminal_progress
from backend.schema.proposals import proposal
from backend.schema.recovery import recovery
from backend.schema.runs import run
from backend.schema.settlement import settlement, settlement_item, settlement_line
from backend.schema.statistics import published_statistics
from backend.schema.venues import offer, terminal, venue, venue_purse, venues_import
from backend.schema.year_end import lapse, year_closing

__all__ = [
    "WAITS",
    "Moment",
    "account",
    "append_only",
    "audit",
    "bank_decision",
    "bank_entry",
    "bank_file",
    "bank_statement",
    "closed_gap",
    "entry",
    "exception_event",
    "final",
    "finding",
    "flow",
    "lapse",
    "metadata",
    "number",
    "offer",
    "payment_event",
    "posting",
    "proposal",
    "published_statistics",
    "quarantine",
    "recovery",
    "refers",
    "run",
    "settlement",
    "settlement_event",
    "settlement_invoice",
    "settlement_item",
    "settlement_line",
    "settlement_reopened",
    "table",
    "tally",
    "terminal",
    "terminal_progress",
    "told",
    "transfer",
    "unique",
    "venue",
    "venue_invoice",
    "venue_purse",
    "venues_import",
    "year_closing",
]
