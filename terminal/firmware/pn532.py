"""PN532 reader chip over a serial line (HSU), as the reader of a pass (PN532 user manual, UM0701-02).

`port.write(data)`, `port.read(count, timeout_ms)`: exactly `count` bytes, or fewer when time is up.
"""

from terminal.firmware.errors import PassGone, ReaderError

_ACK = b"\x00\x00\xff\x00\xff\x00"
_WAKE_UP = b"\x55\x55" + bytes(14)
_TO_CHIP = 0xD4
_FROM_CHIP = 0xD5
_SAM_CONFIGURATION = 0x14
_RF_CONFIGURATION = 0x32
_IN_LIST_PASSIVE_TARGET = 0x4A
_IN_DATA_EXCHANGE = 0x40
_IN_RELEASE = 0x52
_TIMEOUT_MS = 1000
_MOST_LEFT_OVER = 1024


class Pn532:
    """`find_pass`, `transmit`, `release`: what the till needs of a reader."""

    def __init__(self, port):
        self._port = port
        self._ready = False

    def find_pass(self):
        """The identification a pass shows at activation (random, so good for nothing), or None without a pass."""
        if not self._ready:
            self._start()
        answer = self._command(_IN_LIST_PASSIVE_TARGET, b"\x01\x00")
        if not answer or answer[0] == 0:
            return None
        if len(answer) < 6 or len(answer) < 6 + answer[5]:
            raise ReaderError("the reader describes a pass that is cut off")
        return answer[6 : 6 + answer[5]]

    def transmit(self, apdu):
        """One command to the pass and its answer; raises PassGone when the pass did not answer."""
        answer = self._command(_IN_DATA_EXCHANGE, b"\x01" + apdu)
        if not answer or answer[0] & 0x3F:
            raise PassGone("the pass left")
        return answer[1:]

    def release(self):
        """Let go of the pass, so that the same one can be found again."""
        self._command(_IN_RELEASE, b"\x00")

    def _start(self):
        try:
            # What the chip still had to say to somebody before us.
            for _ in range(_MOST_LEFT_OVER):
                if not self._port.read(1, 1):
                    break
            self._port.write(_WAKE_UP)
        except OSError:
            raise ReaderError("the line to the reader does not work")
        self._command(_SAM_CONFIGURATION, b"\x01\x14\x01")
        # Look for a pass once a call: the loop has a keypad and a link to attend to.
        self._command(_RF_CONFIGURATION, b"\x05\xff\x01\x01")
        self._ready = True

    def _command(self, code, data):
        try:
            self._send(bytes([_TO_CHIP, code]) + data)
            answer = self._receive()
        except ReaderError:
            self._ready = False
            raise
        except OSError:
            self._ready = False
            raise ReaderError("the line to the reader does not work")
        if len(answer) < 2 or answer[0] != _FROM_CHIP or answer[1] != code + 1:
            self._ready = False
            raise ReaderError("the reader answers another command")
        return answer[2:]

    def _send(self, body):
        if len(body) > 255:
            raise ReaderError("a frame of %d bytes is too long for the reader" % len(body))
        length = bytes([len(body), -len(body) & 0xFF])
        self._port.write(b"\x00\x00\xff" + length + body + bytes([-sum(body) & 0xFF, 0]))
        self._seek_start()
        if self._exactly(3) != _ACK[3:]:
            raise ReaderError("the reader does not acknowledge")

    def _receive(self):
        self._seek_start()
        length, check = self._exactly(2)
        if (length + check) & 0xFF or length == 0:
            raise ReaderError("the reader sends a frame with a wrong length")
        body = self._exactly(length)
        if (sum(body) + self._exactly(2)[0]) & 0xFF:
            raise ReaderError("the reader sends a frame with a wrong checksum")
        return body

    def _seek_start(self):
        """Read up to and including 00 FF; what stands before it is preamble."""
        previous = -1
        for _ in range(64):
            byte = self._exactly(1)[0]
            if previous == 0x00 and byte == 0xFF:
                return
            previous = byte
        raise ReaderError("the reader sends no frame")

    def _exactly(self, count):
        data = self._port.read(count, _TIMEOUT_MS)
        if len(data) != count:
            raise ReaderError("the reader does not answer")
        return data
