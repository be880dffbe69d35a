"""The side of the card of ISO/IEC 14443-4, for a host that sends the blocks itself (nfcpy does).

Blocks come without CRC, which the chip adds and checks. None instead of an answer: a card keeps silent here.
"""

from hardware.emulated_pn532.field import Field

# FSDI and FSCI to bytes of a frame, prologue and CRC included.
_FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_CRC = 2
_RATS = 0xE0
_DESELECT = 0xC2
_I, _R_ACK, _CHAINING, _WITH_CID, _NAK = 0x02, 0xA2, 0x10, 0x08, 0x10
# More than any short APDU.
_MAX_COMMAND = 300


class IsoDep:
    """One activation of the card. `ats` as in InListPassiveTarget: its length byte first."""

    def __init__(self, field: Field, ats: bytes, activated: bool) -> None:
        self._field = field
        self._ats = ats
        self._active = activated
        self._halted = False
        self._frame_size = 64
        self._largest_frame = _FRAME_SIZES[min(ats[1] & 0x0F, 8)] if len(ats) > 1 else 32
        self._cid = 0
        self._prologue = 1
        self._number = 1
        self._command = b""
        self._answer = b""
        self._last = b""

    def exchange(self, block: bytes) -> bytes | None:
        if self._halted or not block or len(block) + _CRC > self._largest_frame or not self._field.active:
            return None
        if not self._active:
            return self._answer_to_select(block)
        control, has_cid = block[0], bool(block[0] & _WITH_CID)
        rest = block[1:]
        if has_cid:
            if rest[:1] != bytes([self._cid]):
                return None
            rest = rest[1:]
        elif self._cid:
            return None
        self._prologue = 2 if has_cid else 1
        reply = self._block(control & ~_WITH_CID, rest)
        if reply and has_cid:
            return bytes([reply[0] | _WITH_CID, self._cid]) + reply[1:]
        return reply

    def _answer_to_select(self, block: bytes) -> bytes | None:
        if len(block) != 2 or block[0] != _RATS:
            return None
        self._frame_size = _FRAME_SIZES[min(block[1] >> 4, 8)]
        self._cid = block[1] & 0x0F
        self._active = True
        return self._ats

    def _block(self, control: int, rest: bytes) -> bytes | None:
        if control == _DESELECT:
            self._halted = True
            self._field.let_go()
            return bytes([_DESELECT])
        if control & 0xEE == _I:
            return self._information(rest, bool(control & _CHAINING))
        if control & 0xEE == _R_ACK and not rest:
            return self._acknowledge(control)
        return None

    def _information(self, data: bytes, more: bool) -> bytes | None:
        self._number ^= 1
        self._command += data
        if len(self._command) > _MAX_COMMAND:
            self._command = b""
            return None
        if more:
            self._last = bytes([_R_ACK | self._number])
            return self._last
        command, self._command = self._command, b""
        answer = self._field.exchange(command)
        if answer is None:
            return None
        self._answer = answer
        return self._next_part()

    def _acknowledge(self, control: int) -> bytes | None:
        if control & 1 == self._number:
            return self._last or None
        if control & _NAK:
            return bytes([_R_ACK | self._number])
        if not self._answer:
            return None
        self._number ^= 1
        return self._next_part()

    def _next_part(self) -> bytes:
        room = self._frame_size - self._prologue - _CRC
        part, self._answer = self._answer[:room], self._answer[room:]
        self._last = bytes([_I | self._number | (_CHAINING if self._answer else 0)]) + part
        return self._last
