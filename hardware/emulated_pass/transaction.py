"""An open transaction: changes that nobody reads yet, and the running transaction MAC over what was done.

Lives in RAM: a pass that leaves the field has forgotten it. MIFARE DESFire Light data sheet, transaction management.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from hardware.emulated_pass.crypto import Cipher, aes_cmac, odd_bytes
from hardware.emulated_pass.model import NEVER, Application, DataFile, RecordFile, TransactionMacFile, ValueFile
from hardware.emulated_pass.status import NO_CHANGES, PERMISSION_DENIED, require

MAC_LABEL = bytes.fromhex("5A00010080")
ENCRYPTION_LABEL = bytes.fromhex("A500010080")


@dataclass
class DataChange:
    image: bytes

    def apply(self, file: DataFile) -> None:
        file.data = self.image


@dataclass
class ValueChange:
    """`debited` and `given_back` are sums over this transaction."""

    value: int
    debited: int = 0
    given_back: int = 0

    def apply(self, file: ValueFile) -> None:
        file.value = self.value
        # Any LimitedCredit uses the allowance up; a debit opens a new one of its own sum. Credits do not touch it.
        if self.given_back:
            file.limited_credit = 0
        if self.debited:
            file.limited_credit = self.debited


@dataclass
class RecordChange:
    """`record` is the one record that this transaction writes, None if it writes none."""

    record: bytes | None = None
    cleared: bool = False

    def apply(self, file: RecordFile) -> None:
        if self.cleared:
            file.records = []
        if self.record is not None:
            file.records = [*file.records, self.record][-file.capacity :]


Change = DataChange | ValueChange | RecordChange


def session_key(label: bytes, file: TransactionMacFile, uid: bytes) -> bytes:
    """A key of the transaction to come: its counter is the stored one plus one; `uid` is the real one."""
    return aes_cmac(file.key.value, label + (file.counter + 1).to_bytes(4, "little") + uid)


@dataclass
class Transaction:
    """`uid` is the real one. `changes` by file number. `reader` is TMRICur, once CommitReaderID gave it."""

    uid: bytes
    changes: dict[int, Change] = field(default_factory=dict)
    reader: bytes | None = None
    _mac: CMAC | None = None

    @property
    def empty(self) -> bool:
        return not self.changes and self._mac is None

    def note(self, application: Application, piece: bytes) -> None:
        """Add one piece to the transaction MAC input (TMI), zero-padded to whole blocks; nothing without a TMAC file.

        The MAC runs along instead of the input being kept, as a chip must do it: the input has no bound.
        """
        file = application.transaction_mac()
        if file is None:
            return
        if self._mac is None:
            self._mac = CMAC(AES(session_key(MAC_LABEL, file, self.uid)))
        self._mac.update(piece + bytes(-len(piece) % 16))

    def encrypted_previous_reader(self, file: TransactionMacFile) -> bytes:
        """EncTMRI: who committed the transaction before this one, for the eyes of the key's owner."""
        return Cipher("AES", session_key(ENCRYPTION_LABEL, file, self.uid)).encrypt(bytes(16), file.previous_reader)

    def check(self, application: Application) -> None:
        """Refuse a commit that has nothing to commit (0C) or lacks the reader's name (9D)."""
        require(not self.empty, NO_CHANGES)
        file = application.transaction_mac()
        if file is not None and self._mac is not None and file.rights.read_write != NEVER:
            require(self.reader is not None, PERMISSION_DENIED)

    def apply(self, application: Application) -> None:
        """Make every change, and count and seal the transaction. Call it within one write of the memory."""
        for number, change in self.changes.items():
            file = application.files[number]
            match change, file:
                case DataChange(), DataFile():
                    change.apply(file)
                case ValueChange(), ValueFile():
                    change.apply(file)
                case RecordChange(), RecordFile():
                    change.apply(file)
        counted = application.transaction_mac()
        if counted is not None and self._mac is not None:
            counted.counter += 1
            counted.mac = odd_bytes(self._mac.finalize())
            counted.previous_reader = self.reader or counted.previous_reader
