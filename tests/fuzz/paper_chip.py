"""A PN532 on a serial line that may send anything at any moment; in the same process, on both Pythons."""

from terminal.firmware.errors import PassGone

_ACK = b"\x00\x00\xff\x00\xff\x00"
_NACK = b"\x00\x00\xff\xff\x00\x00"
_ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"
_COMMANDS = {0x14: b"", 0x32: b"", 0x52: b"\x00", 0x4E: b"\x00", 0x10: b""}
_DATA_EXCHANGE, _LIST = 0x40, 0x4A
_FOUND = b"\x01\x01\x03\x04\x20\x04\x08\x01\x02\x03\x06\x75\x77\x81\x02\x80"


class PaperChip:
    """The port of a driver: `write`, `read`. `present`: the pass on it, or None. `draw` None is a chip that is well."""

    def __init__(self, present, draw):
        self.present = present
        self.draw = draw
        self.let_go = self.well = True
        self._broken = 0
        self._out = bytearray()
        self._heard = bytearray()

    # What the driver sees

    def write(self, data):
        self._may_break()
        self._heard.extend(data)
        body = self._command()
        while body is not None:
            if body:
                self._answer(body)
            body = self._command()

    def read(self, count, timeout_ms):
        self._may_break()
        data = bytes(self._out[:count])
        self._out = self._out[count:]
        return data

    def _may_break(self):
        """A line whose plug is out, for a while."""
        if self._broken:
            self._broken -= 1
            raise OSError(5)

    # Inside

    def _command(self):
        """The body of the next frame of the host, empty for an ACK or NACK; None when there is none yet."""
        heard = self._heard
        start = bytes(heard).find(b"\x00\xff")
        if start < 0 or len(heard) < start + 4:
            return None
        if heard[start + 2] in (0, 0xFF) and heard[start + 3] in (0, 0xFF) and heard[start + 2] != heard[start + 3]:
            self._heard = heard[start + 4 :]
            return b""
        head, length = 4, heard[start + 2]
        if length == 0xFF and heard[start + 3] == 0xFF:
            head, length = 7, heard[start + 4] << 8 | heard[start + 5]
        end = start + head + length
        if len(heard) < end + 1:
            return None
        body = bytes(heard[start + head : end])
        self._heard = heard[end + 1 :]
        return body

    def _answer(self, body):
        how = self.draw.below(24) if self.draw is not None else 0
        self.well = how == 0
        answer = self._frame(bytes([0xD5, body[1] + 1 & 0xFF]) + self._run(body[1], body[2:], how))
        self._send(_ACK + answer if how == 0 else self._spoilt(how, answer, body))

    def _send(self, data):
        self._out.extend(data)

    def _run(self, code, data, how):
        """The data of the answer."""
        if how == 20:
            return self.draw.piece()
        if code == _LIST:
            if self.present is None:
                return b"\x00"
            self.present.leave()
            self.let_go = False
            return _FOUND
        if code == _DATA_EXCHANGE:
            if self.present is None or how == 21:
                return b"\x01"
            try:
                answer = self.present.transmit(data[1:])
            except PassGone:
                return b"\x01"
            return b"\x00" + answer if how != 22 else self.draw.exactly(1) + answer
        if code == 0x52:
            self.let_go = True
        return _COMMANDS.get(code, b"")

    @staticmethod
    def _frame(body, extended=False):
        if extended or len(body) > 255:
            high, low = divmod(len(body), 256)
            head = bytes([0xFF, 0xFF, high, low, -(high + low) & 0xFF])
        else:
            head = bytes([len(body), -len(body) & 0xFF])
        return b"\x00\x00\xff" + head + body + bytes([-sum(body) & 0xFF, 0])

    def _spoilt(self, how, answer, body):
        draw = self.draw
        at = draw.below(len(answer))
        if how == 1:
            return b""
        if how == 2:
            return _ACK
        if how == 3:
            return answer
        if how == 4:
            return answer + _ACK
        if how == 5:
            return _ACK + answer[:at]
        if how == 6:
            return _ACK + answer[:at] + bytes([answer[at] ^ (draw.byte() or 1)]) + answer[at + 1 :]
        if how == 7:
            return _ACK + _ERROR
        if how == 8:
            return _NACK + answer
        if how == 9:
            return draw.piece()
        if how == 10:
            return _ACK + draw.piece()
        if how == 11:
            return draw.piece() + _ACK + answer
        if how == 12:
            return _ACK + draw.piece() + answer
        if how == 13:
            return _ACK + answer + answer
        if how == 14:
            return _ACK + self._frame(draw.piece())
        if how == 15:
            return _ACK + self._frame(bytes([0xD5, body[1] + 1 & 0xFF]) + draw.piece())
        if how == 16:
            return _ACK + self._frame(bytes([0xD5, draw.byte()]) + draw.piece(), True)
        if how == 17:
            return _ACK + b"\x00\x00\xff\xff\xff" + draw.piece()
        if how == 18:
            self._broken = 1 + draw.below(4)
            return _ACK + answer
        if how == 19:
            return _ACK + _ACK + answer
        return _ACK + answer
