"""What clearing asks the vault about all records together, and the table with which the vault finds a lost balance.

Both leave this machine without a name: records are sealed already, and the table is sealed for the vault alone.
"""

from collections.abc import Iterable
from datetime import date
from tempfile import TemporaryFile
from typing import IO, Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import Row

from backend.calendar import Calendar, day_number
from backend.config import Config
from backend.store import Store, Transaction
from backend.vault import Audit, Finding, VaultClient
from card.record import ClearRecord
from card.wire import uint

# Outcome, clear and sealed part of a record, as the vault reads them.
_LINE_BYTES = 103
_LINES_AT_ONCE = 1000
_TABLE_MAGIC = b"MT\x01\x00"


class AuditLines:
    """Records as the vault reads them for an audit, in an empty file: nobody waits for the vault with the database in
    hand."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, rows: Iterable[Row[Any]]) -> None:
        """Entries that decide; a doubt stays one, also when it was booked: it has no proof of its own."""
        for row in rows:
            self._file.write(uint(row.outcome, 1) + row.clear + row.sealed)

    def ask(self, vault: VaultClient, from_the_start: bool) -> Audit:
        """What the vault finds over them; raises LinkError when it does not answer."""
        count = self._file.tell() // _LINE_BYTES
        self._file.seek(0)
        parts = iter(lambda: self._file.read(_LINES_AT_ONCE * _LINE_BYTES), b"")
        return vault.audit(parts, count, from_the_start) if count else Audit(0, [], 0)


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
        with TemporaryFile() as file:
            lines = AuditLines(file)
            with self._store.reading() as tx:
                lines.add(tx.journal.for_audit(since, until))
            found = lines.ask(self._vault, from_the_start=since is None)
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
