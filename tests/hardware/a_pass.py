"""The pass that the tests of the emulated pass lay on the reader: one application with a file of every kind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hardware.emulated_pass import EmulatedPass, Memory
from tests.hardware.independent_reader import IndependentReader, le

UID = bytes.fromhex("04DE5F1EACC040")
AID = bytes.fromhex("4D4545")
DF_NAME = bytes.fromhex("D2760000850101")
PICC_KEY = bytes(range(16))
TM_KEY = bytes.fromhex("F7D23E0C44AFADE542BFDF2DC5C6AE02")
MAC_FILE = 15

# Key numbers of the application, and the rights of all its keyed files: Read 1, Write 2, ReadWrite 3, Change 4.
MASTER, READ, WRITE, BOTH, CHANGE, STRANGER = range(6)
RIGHTS = bytes([BOTH << 4 | CHANGE, READ << 4 | WRITE])
FREE = b"\xee\xee"

STANDARD, VALUE, BACKUP, LINEAR, CYCLIC, OPEN, OPEN_VALUE = 1, 2, 3, 4, 5, 6, 7


def key(number: int) -> bytes:
    """The keys 0 to 5 of the application."""
    return bytes([0x10 + number]) * 16


def value_file(number: int, mode: int, rights: bytes, lower: int, upper: int, value: int, flags: int) -> bytes:
    return bytes([number, mode]) + rights + le(lower, 4) + le(upper, 4) + le(value, 4) + bytes([flags])


FILES = (
    (0xCD, bytes([STANDARD, 1]) + RIGHTS + le(64, 3)),
    (0xCC, value_file(VALUE, 3, RIGHTS, 0, 10000, 5000, 0)),
    (0xCB, bytes([BACKUP, 0]) + RIGHTS + le(32, 3)),
    (0xC1, bytes([LINEAR, 1]) + RIGHTS + le(16, 3) + le(3, 3)),
    (0xC0, bytes([CYCLIC, 3]) + RIGHTS + le(16, 3) + le(4, 3)),
    (0xCD, bytes([OPEN, 3]) + FREE + le(32, 3)),
    (0xCC, value_file(OPEN_VALUE, 0, RIGHTS, -100, 10000, 100, 3)),
)


class World:
    """A pass, its memory, and a reader that has just found it with the application selected."""

    def __init__(self, memory: Memory, native: bool = False, **reader: Any) -> None:
        self.memory = memory
        self.card = EmulatedPass(memory)
        self.card.activate()
        self.reader = IndependentReader(self.card.exchange, native=native, **reader)

    @property
    def ev1(self) -> bool:
        return self.memory.picc.generation == "EV1"

    def enter(self, number: int | None = None) -> IndependentReader:
        """Select the application, authenticate with one of its keys, and hand out the reader."""
        self.reader.select(AID)
        if number is not None:
            self.authenticate(number, key(number))
        return self.reader

    def authenticate(self, number: int, value: bytes) -> None:
        (self.reader.ev1 if self.ev1 else self.reader.ev2_first)(number, value)

    def leave_and_return(self) -> None:
        self.card.deactivate()
        self.card.activate()
        self.reader.session = ""


def personalised(memory: Memory) -> None:
    """Turn a factory pass into the pass of the tests."""
    world = World(memory)
    reader = world.reader
    reader.d40(0, bytes(16))
    reader.change_key(0x80, PICC_KEY, 0x10)
    world.authenticate(0, PICC_KEY)
    reader.call(0xCA, AID + b"\x0b\x86" + b"\x01\xdf" + DF_NAME)
    reader.select(AID)
    world.authenticate(0, bytes(16))
    for number in range(1, 6):
        reader.change_key(number, key(number), number, old=bytes(16))
    reader.change_key(0, key(0), 0x20)
    world.authenticate(0, key(0))
    for ins, parameters in FILES:
        reader.call(ins, parameters)
    world.card.deactivate()


_made: dict[str, bytes] = {}


def a_memory(generation: str = "EV2", path: Path | None = None) -> Memory:
    """A personalised pass. Personalised once per generation, then copied."""
    from hardware.emulated_pass.stored import from_json, to_json

    if generation not in _made:
        template = Memory.factory(uid=UID, generation=generation)
        personalised(template)
        _made[generation] = to_json(template.picc)
    memory = Memory.factory(path, uid=UID, generation=generation)
    with memory.writing():
        memory.picc = from_json(_made[generation])
    return memory


def a_world(generation: str = "EV2", path: Path | None = None, native: bool = False, **reader: Any) -> World:
    return World(a_memory(generation, path), native, **reader)


def with_transaction_mac(world: World, rights: bytes = b"\xf4\x1f") -> World:
    """Add the transaction MAC file. Default rights: Read 1, CommitReaderID off (ReadWrite F), Change 4."""
    reader = world.enter(MASTER)
    reader.call(0xCE, bytes([MAC_FILE, 0]) + rights + b"\x02", TM_KEY + b"\x05", "full")
    return world


def scripted(*parts: bytes) -> Callable[[int], bytes]:
    """Randomness of a pass, decided beforehand: every part must be asked for, in this order."""
    waiting = list(parts)

    def random(length: int) -> bytes:
        part = waiting.pop(0)
        assert len(part) == length
        return part

    return random


def published(name: str) -> dict[str, Any]:
    """One vector of the published ones, its hexadecimal fields as bytes."""
    text = (Path(__file__).parents[1] / "vectors" / "desfire_public.json").read_text()
    vector = next(each for each in json.loads(text)["vectors"] if each["name"] == name)
    fields = {**vector["inputs"], **vector["expected"]}
    return {field: _bytes(field, value) for field, value in fields.items()}


def _bytes(field: str, value: object) -> object:
    if isinstance(value, str) and field not in ("mode", "type"):
        return bytes.fromhex(value)
    return value
