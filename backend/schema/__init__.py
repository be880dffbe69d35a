"""Every table of clearing, and the constraints that hold whoever writes.

Nothing here names a pass, a handle or a holder, and nothing links two taps of one pass: `entry.sealed` only opens in
the vault, and `record.nullifier` is another value for every transaction.

The books are `posting` and `transfer`. A transfer moves an amount above zero from one account to another of the same
unit, so a posting always sums to zero and cents never mix with points. Books and journal are append-only.
"""

from backend.schema.base import Moment, append_only, final, metadata, number, refers, table, told, unique
from backend.schema.books import account, posting, transfer
from backend.schema.exceptions import quarantine
from backend.schema.journal import entry, record
from backend.schema.settlement import settlement, settlement_item, settlement_line
from backend.schema.venues import offer, terminal, venue, venue_purse, venues_import

__all__ = [
    "Moment",
    "account",
    "append_only",
    "entry",
    "final",
    "metadata",
    "number",
    "offer",
    "posting",
    "quarantine",
    "record",
    "refers",
    "settlement",
    "settlement_item",
    "settlement_line",
    "table",
    "terminal",
    "told",
    "transfer",
    "unique",
    "venue",
    "venue_purse",
    "venues_import",
]
