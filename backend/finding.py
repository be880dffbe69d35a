"""What clearing asks the vault about all records together, and the table with which the vault finds a lost balance.

Both leave this machine without a name: records are sealed already, and the table is sealed for the vault alone.
"""

from datetime import date
from tempfile import TemporaryFile

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from backend.calendar import Calendar, day_number
from backend.config import Config
from backend.store import Store, Transaction
from backend.vault import Audit, Finding, VaultClient
from card.batch import COMMITTED, IN_DOUBT
from card.record import ClearRecord
from card.wire import uint

# Outcome, clear and sealed part of a record, as the vault reads them.
_LINE_BYTES = 103
_LINES_AT_ONCE = 1000
_TABLE_MAGIC = b"MT\x01\x00"


class Findings:
    """Questions about all records."""

    def __init__(self, store: Store, vault: VaultClient, config: Config, calendar: Calendar) -> None:
        self._store = store
        self._vault = vault
        self._config = config
        self._calendar = calendar

    def audit(self, since: date | None = None, until: date | None = None) -> Audit:
        """What the vault finds over the records of a period (of all that was ever handed in), kept and acted upon.

        The same finding again is the same. A doubt that did not happen is void. One that did waits for two people: the
        next transaction of its pass proves the record's hash, which is what the terminal said, and not the debit.
        Raises LinkError when the vault does not answer; then nothing has changed.
        """
        with TemporaryFile() as lines:
            # Written down first: nobody waits for the vault with the database in hand.
            with self._store.reading() as tx:
                for row in tx.journal.for_audit(since, until):
                    lines.write(uint(IN_DOUBT if row.state == "in_doubt" else COMMITTED, 1) + row.clear + row.sealed)
            count = lines.tell() // _LINE_BYTES
            lines.seek(0)
            parts = iter(lambda: lines.read(_LINES_AT_ONCE * _LINE_BYTES), b"")
            found = self._vault.audit(parts, count, from_the_start=since is None) if count else Audit(0, [], 0)
        with self._store.transaction() as tx:
            kept = [finding for finding in found.findings if self._keep(tx, finding)]
            about = {"since": since, "until": until, "records": found.records, "unnamed": found.unnamed}
            tx.cases.add_audit(**about, recorded_at=self._calendar.now())
        return Audit(found.records, kept, found.unnamed)

    def _keep(self, tx: Transaction, found: Finding) -> bool:
        """Keep a finding and act on it; False for a record that came in while the vault was looking, or is of another
        period than those around it."""
        name, now = (found.terminal, found.sequence), self._calendar.now()
        held = tx.journal.record(*name)
        state = None if held is None else held.state
        if found.kind == "missing" and state not in (None, "void"):
            return False
        tx.cases.add_finding(found.kind, *name, found.nullifier, now)
        if found.kind == "did_not_happen" and held is not None and state == "in_doubt":
            key = {"terminal": held.terminal, "position": held.position, "happened_on": held.happened_on}
            tx.journal.decide([key | {"state": "void", "decided_on": now.date()}])
        return True

    def table(self) -> bytes:
        """Every proven move with its nullifier, for the vault only, as of today.

        `"MT" 1 0 | municipality (2) | day (2)`, bound to AES-SIV over rows of
        `nullifier (16) | year (2) | kind (1) | purse (1) | amount (4)`, in order of nullifier.
        """
        number, today = self._config.municipality.number, self._calendar.today()
        header = _TABLE_MAGIC + uint(number, 2) + uint(day_number(today), 2)
        with self._store.reading() as tx:
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
