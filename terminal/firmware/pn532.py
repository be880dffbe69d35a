"""PN532 reader chip as the reader of a pass (PN532 user manual, UM0701-02), over SPI, I2C or HSU.

`bus` is one of `pn532_spi.Spi`, `pn532_i2c.I2c`, `pn532_hsu.Hsu`, which carry frames and know nothing of their content:

- `wake(speed)`: the chip listens from now on; `speeds` are those it may listen at, none when there is only one
- `send(frame)`: a frame to the chip; the bytes of `frame` are no longer good for anything afterwards
- `open(timeout_ms)`: False when the chip has no frame for us in that time
- `read_into(view, last)`: the next bytes of that frame, in exactly this number; `last` when no more will be asked
- `close()`: the frame has been read, or given up
"""

from terminal.firmware.errors import PassGone, ReaderError
from terminal.firmware.ticks import sleep_ms

_TO_CHIP = 0xD4
_FROM_CHIP = 0xD5
_SET_SERIAL_BAUD_RATE = 0x10
_SAM_CONFIGURATION = 0x14
_RF_CONFIGURATION = 0x32
_IN_DATA_EXCHANGE = 0x40
_IN_LIST_PASSIVE_TARGET = 0x4A
_IN_PSL = 0x4E
_IN_RELEASE = 0x52

_ACK = b"\x00\x00\xff\x00\xff\x00"
_NACK = b"\x00\x00\xff\xff\x00\x00"
# A body begins here, so that the longer header of an extended frame (UM 6.2.1.2) fits before it.
_BODY = 8
_MOST_IN_BODY = 265
_MOST_IN_NORMAL_FRAME = 255
_HEAD = 5
_ENDING = 2

_TIMEOUT_MS = 1000
_ACK_TIMEOUT_MS = 200
_LEFT_OVER_MS = 2
_MOST_LEFT_OVER = 32
# UM 7.2.6: the chip changes its speed after our ACK.
_SPEED_CHANGE_MS = 1
_SPEED_CODES = {115200: 4, 230400: 5, 460800: 6, 921600: 7}

# Longest search for the start of a frame, in steps of four bytes.
_MOST_STEPS = 16

_ISO_DEP = 0x20
_TA_FOLLOWS = 0x10
# ISO/IEC 14443-4, 5.2.4: TA(1) offers four times 106 kbit/s in both directions.
_OFFERS_424 = 0x22
_424 = 2
_FAILED = 0x3F
_MORE = 0x40


class Pn532:
    """`find_pass`, `transmit`, `release`: what the till needs of a reader.

    `fast`: talk to passes at 424 kbit/s when they offer it; 106 reaches a little further.
    """

    def __init__(self, bus, fast=True):
        self._bus = bus
        self._fast = fast
        self._frame = memoryview(bytearray(_BODY + _MOST_IN_BODY + _ENDING))
        self._data_at = self._data_length = 0
        self._ready = False

    def find_pass(self):
        """The identification a pass shows at activation (random, so good for nothing), or None without a pass."""
        if not self._ready:
            try:
                self._start()
            except OSError:
                raise ReaderError("the bus to the reader does not work")
        shown = self._activate()
        if shown is None or not self._fast or not self._offers_424(shown):
            return shown
        if self._command(_IN_PSL, 1, bytes((_424, _424)))[0] & _FAILED:
            # A pass that did not understand is in no state to talk to: once more, at the speed all passes know.
            return self._activate()
        return shown

    def transmit(self, apdu):
        """One command to the pass and its answer; raises PassGone when the pass did not answer."""
        answer = self._command(_IN_DATA_EXCHANGE, 1, apdu)
        if answer[0] & _FAILED:
            raise PassGone("the pass left")
        if answer[0] & _MORE:
            raise ReaderError("the pass answers more than a frame holds")
        return bytes(answer[1:])

    def release(self):
        """Let go of the pass, so that the same one can be found again."""
        self._command(_IN_RELEASE, 0, b"")

    def _activate(self):
        answer = self._command(_IN_LIST_PASSIVE_TARGET, 1, b"\x00")
        if answer[0] == 0:
            return None
        if len(answer) < 6 or len(answer) < 6 + answer[5]:
            raise ReaderError("the reader describes a pass that is cut off")
        return bytes(answer[6 : 6 + answer[5]])

    def _offers_424(self, shown):
        """Read in the answer that is still in the frame: SAK, the identification, and the ATS with its length first."""
        body = self._frame[self._data_at :]
        ats = 6 + len(shown)
        if not body[4] & _ISO_DEP or ats + 2 >= self._data_length or body[ats] < 3:
            return False
        return bool(body[ats + 1] & _TA_FOLLOWS) and body[ats + 2] & _OFFERS_424 == _OFFERS_424

    # Starting

    def _start(self):
        speeds = self._bus.speeds
        if not speeds:
            self._begin(None)
        else:
            self._begin_at_any(speeds)
        # Look for a pass once a call: the loop has a keypad and a link to attend to.
        self._command(_RF_CONFIGURATION, 5, b"\xff\x01\x01")
        self._ready = True

    def _begin_at_any(self, speeds):
        """The chip keeps its speed when only we are switched off and on, so it may listen at the highest already."""
        speed, highest = speeds
        try:
            self._begin(speed)
        except ReaderError:
            self._begin(highest)
            return
        self._command(_SET_SERIAL_BAUD_RATE, _SPEED_CODES[highest], b"")
        self._signal(_ACK)
        sleep_ms(_SPEED_CHANGE_MS)
        self._bus.wake(highest)

    def _begin(self, speed):
        """Wake the chip, end what it was doing for somebody before us, and drop what it still had to say."""
        self._bus.wake(speed)
        self._signal(_ACK)
        for _ in range(_MOST_LEFT_OVER):
            if not self._bus.open(_LEFT_OVER_MS):
                break
            try:
                self._read_frame()
            except ReaderError:
                pass
            self._bus.close()
        # Normal mode, and the IRQ line is used (UM 7.2.10).
        self._command(_SAM_CONFIGURATION, 1, b"\x14\x01")

    # One command

    def _command(self, code, first, rest):
        """What the chip answers, at least one byte unless the command has no answer; good until the next command."""
        try:
            self._send(code, first, rest)
            self._data_length = self._answer(code)
        except ReaderError:
            self._ready = False
            raise
        except OSError:
            self._ready = False
            raise ReaderError("the bus to the reader does not work")
        answer = self._frame[self._data_at : self._data_at + self._data_length]
        if not len(answer) and code >= _IN_DATA_EXCHANGE:
            self._ready = False
            raise ReaderError("the reader answers nothing")
        return answer

    def _send(self, code, first, rest):
        length = 3 + len(rest)
        if length > _MOST_IN_BODY:
            raise ReaderError("a command of %d bytes is too long for the reader" % len(rest))
        frame = self._frame
        frame[_BODY], frame[_BODY + 1], frame[_BODY + 2] = _TO_CHIP, code, first
        end = _BODY + length
        frame[_BODY + 3 : end] = rest
        frame[end], frame[end + 1] = -sum(frame[_BODY:end]) & 0xFF, 0
        if length <= _MOST_IN_NORMAL_FRAME:
            begin = _BODY - _HEAD
            frame[_BODY - 2], frame[_BODY - 1] = length, -length & 0xFF
        else:
            begin = 0
            frame[3] = frame[4] = 0xFF
            frame[5], frame[6] = length >> 8, length & 0xFF
            frame[7] = -(frame[5] + frame[6]) & 0xFF
        frame[begin] = frame[begin + 1] = 0
        frame[begin + 2] = 0xFF
        self._bus.send(frame[begin : end + _ENDING])
        if self._receive(_ACK_TIMEOUT_MS):
            raise ReaderError("the reader does not acknowledge")

    def _answer(self, code):
        """The number of bytes of data in the answer to a command, which is in the frame from `_data_at` on."""
        try:
            length = self._receive(_TIMEOUT_MS)
        except _Spoilt:
            # The chip has done what it was told, so it is not told twice: it sends its answer again (UM 6.2.1.4).
            self._signal(_NACK)
            length = self._receive(_TIMEOUT_MS)
        at = self._data_at
        if length < 2 or self._frame[at] != _FROM_CHIP or self._frame[at + 1] != code + 1:
            raise ReaderError("the reader answers another command")
        self._data_at = at + 2
        return length - 2

    def _signal(self, frame):
        self._frame[:6] = frame
        self._bus.send(self._frame[:6])

    # One frame

    def _receive(self, timeout_ms):
        """The length of the body of the next frame, which begins at `_data_at`; 0 for an ACK."""
        if not self._bus.open(timeout_ms):
            raise ReaderError("the reader does not answer")
        try:
            return self._read_frame()
        finally:
            self._bus.close()

    def _read_frame(self):
        frame = self._frame
        read = self._bus.read_into
        read(frame[:_HEAD], False)
        have = _HEAD
        if frame[1] or frame[2] != 0xFF:
            # Not the one byte of preamble that the chip sends when all is well.
            have = self._past_start_code()
            if have < _HEAD:
                read(frame[have:_HEAD], False)
                have = _HEAD
        length, check = frame[3], frame[4]
        begin = _HEAD
        if length == 0 and check == 0xFF:
            self._rest(have, _HEAD + 1)
            return 0
        if length == check == 0xFF:
            begin = _BODY
            read(frame[have:begin], False)
            have = begin
            length, check = frame[5] << 8 | frame[6], frame[5] + frame[6] + frame[7]
        else:
            check += length
        if check & 0xFF or not 0 < length <= _MOST_IN_BODY:
            raise _Spoilt("the reader sends a frame with a wrong length")
        end = begin + length
        self._rest(have, end + _ENDING)
        if sum(frame[begin : end + 1]) & 0xFF:
            raise _Spoilt("the reader sends a frame with a wrong checksum")
        self._data_at = begin
        return length

    def _past_start_code(self):
        """Find 00 FF, and put what follows it at 3, where it stands in a frame with one byte of preamble.

        The end of what has been read then.
        """
        frame = self._frame
        for _ in range(_MOST_STEPS):
            for at in range(_HEAD - 1):
                if frame[at] == 0 and frame[at + 1] == 0xFF:
                    rest = _HEAD - at - 2
                    frame[3 : 3 + rest] = bytes(frame[at + 2 : _HEAD])
                    return 3 + rest
            frame[0] = frame[_HEAD - 1]
            self._bus.read_into(frame[1:_HEAD], False)
        raise _Spoilt("the reader sends no frame")

    def _rest(self, have, end):
        """The last of a frame, unless a short preamble let us have it already."""
        if have < end:
            self._bus.read_into(self._frame[have:end], True)


class _Spoilt(ReaderError):
    """A frame that was not as it was sent."""
