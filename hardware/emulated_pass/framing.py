"""The two ways a command is wrapped, taken off the frame and put back on the answer.

Native: INS and parameters, answered by status and data. Wrapped in an ISO/IEC 7816-4 APDU:
`90 INS 00 00 [Lc parameters] 00`, answered by data, 91 and status. Commands of ISO itself come with class 00.
"""

from dataclasses import dataclass
from enum import Enum

# A frame of ISO/IEC 14443-4 has 64 bytes here (FSCI 5), of which prologue and CRC take three and a native status one.
NATIVE_COMMAND = 61
# What a pass puts into one frame of an answer. In APDUs too: libfreefare has no room for more.
ANSWER_DATA = 59

ISO_OK = 0x9000
ISO_LIMIT_REACHED = 0x6283
ISO_WRONG_LENGTH = 0x6700
ISO_CONDITIONS = 0x6985
ISO_NOT_FOUND = 0x6A82
ISO_WRONG_P1P2 = 0x6A86
ISO_UNKNOWN_INS = 0x6D00
ISO_UNKNOWN_CLASS = 0x6E00


class Form(Enum):
    NATIVE = "native"
    WRAPPED = "wrapped"
    ISO = "ISO"


@dataclass(frozen=True)
class Frame:
    """One command frame. `ins` None: the frame is no command at all. `p1` and `p2` matter for ISO commands only."""

    form: Form
    ins: int | None
    body: bytes = b""
    p1: int = 0
    p2: int = 0


class NotAnApdu(Exception):
    """The frame has a class byte but not the shape of a short APDU. Carries the ISO status word."""

    def __init__(self, word: int) -> None:
        super().__init__(f"{word:04X}")
        self.word = word


def parse(raw: bytes, after_wrapped: bool) -> Frame:
    """Take one frame apart. `after_wrapped`: this pass has been spoken to in APDUs since it was activated."""
    if raw[:1] == b"\x90":
        return _apdu(raw, Form.WRAPPED)
    if raw[:1] == b"\x00" and len(raw) >= 4:
        return _apdu(raw, Form.ISO)
    if after_wrapped and len(raw) >= 4:
        raise NotAnApdu(ISO_UNKNOWN_CLASS)
    return Frame(Form.NATIVE, raw[0] if raw else None, raw[1:])


def _apdu(raw: bytes, form: Form) -> Frame:
    if len(raw) < 4:
        raise NotAnApdu(ISO_WRONG_LENGTH)
    ins, p1, p2 = raw[1:4]
    if len(raw) <= 5:  # no parameters: nothing or Le follows
        return Frame(form, ins, b"", p1, p2)
    length = raw[4]
    body, rest = raw[5 : 5 + length], raw[5 + length :]
    # Le may be left off: many readers do, and cards accept it.
    if length == 0 or len(body) != length or len(rest) > 1:
        raise NotAnApdu(ISO_WRONG_LENGTH)
    return Frame(form, ins, body, p1, p2)


def answer(form: Form, status: int, data: bytes) -> bytes:
    if form is Form.NATIVE:
        return bytes([status]) + data
    return data + bytes([0x91, status])


def iso_answer(word: int) -> bytes:
    return word.to_bytes(2, "big")
