"""What clearing asks the vault about all records together, and the table with which the vault finds a lost balance.

Both leave this machine without a name: records are sealed already, and the table is sealed for the vault alone.
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from backend.calendar import Calendar, day_number
from backend.config import Config
from backend.store import Store
from backend.vault import Audit, VaultClient
from card.batch import COMMITTED, IN_DOUBT
from card.record import ClearRecord
from card.wire import uint

_TABLE_MAGIC = b"MT\x01\x00"


class Findings:
    """Questions about all records."""

    def __init__(self, store: Store, vault: VaultClient, config: Config, calendar: Calendar) -> None:
        self._store = store
        self._vault = vault
        self._config = config
        self._calendar = calendar

    def audit(self) -> Audit:
        """What the vault finds over all that was ever handed in; raises LinkError when it does not answer."""
        with self._store.transaction() as tx:
            count = tx.journal.count_for_audit()
            if not count:
                return Audit(0, [], 0)

            def lines() -> Iterator[bytes]:
                for row in tx.journal.for_audit():
                    yield uint(IN_DOUBT if row.state == "in_doubt" else COMMITTED, 1) + row.clear + row.sealed

            return self._vault.audit(lines(), count, from_the_start=True)

    def table(self) -> bytes:
        """Every proven move with its nullifier, for the vault only, as of today.

        `"MT" 1 0 | municipality (2) | day (2)`, bound to AES-SIV over rows of
        `nullifier (16) | year (2) | kind (1) | purse (1) | amount (4)`, in order of nullifier.
        """
        number, today = self._config.municipality.number, self._calendar.today()
        header = _TABLE_MAGIC + uint(number, 2) + uint(day_number(today), 2)
        with self._store.transaction() as tx:
            rows = [
                bytes.fromhex(row.nullifier)
                + uint(row.happened_on.year, 2)
                + uint(record.kind, 1)
                + uint(purse, 1)
                + uint(amount, 4)
                for row in tx.journal.proven()
                for record in [ClearRecord.from_bytes(row.clear)]
                for purse, amount in record.debits()
            ]
        table: bytes = header + AESSIV(self._config.table_key_bytes()).encrypt(b"".join(rows), [header])
        return table
