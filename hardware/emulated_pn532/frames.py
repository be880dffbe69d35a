"""Frames between a host and the chip (UM 6.2.1): normal, extended, ACK, NACK and error."""

from enum import Enum

# TFI, command code and 263 bytes of data.
MAX_BODY = 265
TO_CHIP = 0xD4
FROM_CHIP = 0xD5

ACK = bytes.fromhex("0000FF00FF00")
SYNTAX_ERROR = bytes.fromhex("0000FF01FF7F8100")

_START = b"\x00\xff"


class Signal(Enum):
    ACK = "ack"
    NACK = "nack"


def encode(body: bytes) -> bytes:
    """A frame around `body`, which starts with the TFI."""
    if len(body) <= 255:
        head = bytes([len(body), -len(body) & 0xFF])
    else:
        high, low = divmod(len(body), 256)
        head = bytes([0xFF, 0xFF, high, low, -(high + low) & 0xFF])
    return b"\x00" + _START + head + body + bytes([-sum(body) & 0xFF, 0])


class Decoder:
    """Finds frames in what the host sends. Noise, wake-up bytes and frames with a wrong checksum are dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def in_frame(self) -> bool:
        """A frame has begun and not ended."""
        return len(self._buffer) > 1

    def feed(self, data: bytes) -> list[bytes | Signal]:
        """The signals and frame bodies that are complete now."""
        self._buffer += data
        found: list[bytes | Signal] = []
        while True:
            start = self._buffer.find(_START)
            if start < 0:
                # A 00 may be the first half of a start code.
                del self._buffer[: len(self._buffer) - self._buffer.endswith(b"\x00")]
                return found
            del self._buffer[:start]
            item, size = _frame(self._buffer)
            if size == 0:
                return found
            del self._buffer[:size]
            if item is not None:
                found.append(item)

    def give_up(self) -> list[bytes | Signal]:
        """What seemed to be a frame does not end: look for others in what came after its start."""
        del self._buffer[:1]
        return self.feed(b"")


def _frame(data: bytearray) -> tuple[bytes | Signal | None, int]:
    """The frame at the start code and its size; size 0: not whole yet; None: no frame, look further on."""
    not_yet, wrong = (None, 0), (None, 1)
    if len(data) < 4:
        return not_yet
    if data[2:4] == b"\x00\xff":
        return Signal.ACK, 4
    if data[2:4] == b"\xff\x00":
        return Signal.NACK, 4
    head = 7 if data[2:4] == b"\xff\xff" else 4
    if len(data) < head:
        return not_yet
    length = int.from_bytes(data[4:6], "big") if head == 7 else data[2]
    if sum(data[4:7] if head == 7 else data[2:4]) & 0xFF or not 0 < length <= MAX_BODY:
        return wrong
    if len(data) <= head + length:
        return not_yet
    if sum(data[head : head + length + 1]) & 0xFF:
        return wrong
    return bytes(data[head : head + length]), head + length + 1
