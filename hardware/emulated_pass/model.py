"""What is in the memory of a pass: the chip itself, its applications, their keys and their files.

Plain values without behaviour beyond reading themselves. Commands change them inside `Memory.writing()` only.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from hardware.emulated_pass.crypto import AES, KEY_LENGTH, TDEA2, TDEA3, Cipher

FREE = 0xE
NEVER = 0xF

# The two key-type bits of key settings 2, and of the key number in a ChangeKey of the PICC master key.
KIND_BITS = {TDEA2: 0x00, TDEA3: 0x40, AES: 0x80}
KIND_OF_BITS = {bits: kind for kind, bits in KIND_BITS.items()}

GENERATIONS = ("EV1", "EV2", "EV3")
CAPACITIES = (2048, 4096, 8192)


class Mode(IntEnum):
    """How a file's data travel. The values are those of the file option byte (2 is plain too)."""

    PLAIN = 0
    MAC = 1
    FULL = 3


@dataclass
class Key:
    kind: str
    value: bytes
    version: int = 0

    @classmethod
    def zero(cls, kind: str) -> "Key":
        return cls(kind, bytes(KEY_LENGTH[kind]))

    def cipher(self) -> Cipher:
        return Cipher(self.kind, self.value)


@dataclass(frozen=True)
class Rights:
    """The four access rights of a file: a key number, FREE or NEVER each."""

    read: int
    write: int
    read_write: int
    change: int

    @classmethod
    def from_bytes(cls, two: bytes) -> "Rights":
        """From the wire: first byte ReadWrite | Change, second Read | Write."""
        return cls(two[1] >> 4, two[1] & 0xF, two[0] >> 4, two[0] & 0xF)

    def to_bytes(self) -> bytes:
        return bytes([self.read_write << 4 | self.change, self.read << 4 | self.write])

    def nibbles(self) -> tuple[int, int, int, int]:
        return self.read, self.write, self.read_write, self.change


@dataclass
class File:
    """What every file has. `fid` is the ISO file identifier, two bytes as on the wire, or None."""

    mode: Mode
    rights: Rights
    fid: bytes | None


@dataclass
class DataFile(File):
    """A standard data file (written through), or with `backup` one that changes only on commit."""

    backup: bool
    data: bytes


@dataclass
class ValueFile(File):
    """A purse. Amounts are signed 32-bit. `limited_credit` is what LimitedCredit may still give back."""

    lower: int
    upper: int
    value: int
    limited_enabled: bool
    free_get_value: bool
    limited_credit: int = 0


@dataclass
class RecordFile(File):
    """Records, oldest first. A cyclic file of `maximum` keeps maximum - 1: one is always being written."""

    cyclic: bool
    record_size: int
    maximum: int
    records: list[bytes] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        return self.maximum - 1 if self.cyclic else self.maximum


@dataclass
class TransactionMacFile(File):
    """Counter and MAC of the last committed transaction. `previous_reader` is TMRIPrev."""

    key: Key
    counter: int = 0
    mac: bytes = bytes(8)
    previous_reader: bytes = bytes(16)
    limit: int | None = None

    @property
    def exhausted(self) -> bool:
        return self.counter >= (0xFFFFFFFF if self.limit is None else self.limit)


@dataclass
class Application:
    """`aid` is three bytes as on the wire (least significant first)."""

    aid: bytes
    settings: int
    kind: str
    keys: list[Key]
    iso_files: bool = False
    fid: bytes | None = None
    df_name: bytes = b""
    files: dict[int, File] = field(default_factory=dict)

    def transaction_mac(self) -> TransactionMacFile | None:
        return next((file for file in self.files.values() if isinstance(file, TransactionMacFile)), None)


@dataclass
class Picc:
    """The whole chip. Applications are found by their AID as on the wire."""

    uid: bytes
    generation: str
    key: Key
    settings: int = 0x0F
    format_disabled: bool = False
    random_id: bool = False
    default_key: Key = field(default_factory=lambda: Key(TDEA3, bytes(24)))
    ats: bytes = bytes.fromhex("067577810280")
    capabilities: bytes = bytes(6)
    capacity: int = 8192
    memory_used: int = 0
    applications: dict[bytes, Application] = field(default_factory=dict)
