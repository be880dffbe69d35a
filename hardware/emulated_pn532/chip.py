"""What the chip does on a command, without the serial line: body in, body out, or a search that takes time."""

import termios
from collections.abc import Callable
from dataclasses import dataclass

from hardware.emulated_pass import Activation
from hardware.emulated_pn532.field import Field
from hardware.emulated_pn532.iso_dep import IsoDep

# IC PN532, firmware 1.6, all standards.
_FIRMWARE = bytes.fromhex("32010607")
_AUTOMATIC_RATS = 0x10
_ENDLESS = 0xFF
_SECONDS_PER_TRY = 0.002
_FIFO_DATA, _REQA = 0x6339, 0x26

OK, TIME_OUT, OVERFLOW, NOT_NOW = b"\x00", b"\x01", b"\x0e", b"\x27"
_MORE = 0x40
_LONGEST_CHAIN = 4096

# What follows the number of an item in RFConfiguration (UM 7.3.1).
_RF_ITEMS = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3, 0x0A: 11, 0x0B: 8, 0x0C: 3, 0x0D: 9}
_CASCADE_TAG = 0x88
# The codes of SetSerialBaudRate (UM 7.2.6), as a terminal knows them; not every one has a name there.
_LINE_SPEEDS = {
    0x00: termios.B9600,
    0x01: termios.B19200,
    0x02: termios.B38400,
    0x03: termios.B57600,
    0x04: termios.B115200,
    0x05: termios.B230400,
    0x06: termios.B460800,
    0x07: termios.B921600,
}
# Of InPSL (UM 7.3.6): kbit/s on the air, with their bits in TA(1) of the ATS (ISO/IEC 14443-4, 5.2.4).
_AIR_SPEEDS = {0x00: (106, 0), 0x01: (212, 1), 0x02: (424, 2)}
_ATS_HAS_TA = 0x10


class BadCommand(Exception):
    """The chip answers this with a syntax error frame."""


@dataclass(frozen=True)
class Search:
    """Look for a pass (for one with this `uid`) so many seconds, None: until it comes. `type_a` False: in vain."""

    type_a: bool
    uid: bytes | None
    seconds: float | None


class Chip:
    """At most one target, number 1."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._registers: dict[int, int] = {}
        self._automatic_rats = True
        self._tries = _ENDLESS
        self._target: Activation | None = None
        self._blocks: IsoDep | None = None
        self._deselected = False
        self._chain = b""
        self._fresh = False
        self.line_speed = termios.B115200
        self._next_line_speed: int | None = None
        self.air_kbit = 106
        self._commands: dict[int, Callable[[bytes], bytes | Search]] = {
            0x00: self._diagnose,
            0x02: lambda body: _FIRMWARE,
            0x06: self._read_register,
            0x08: self._write_register,
            0x10: self._set_line_speed,
            0x12: self._set_parameters,
            0x14: lambda body: self._nothing(body, 1),
            0x16: self._power_down,
            0x32: self._rf_configuration,
            0x40: self._data_exchange,
            0x42: self._communicate_thru,
            0x44: self._deselect,
            0x4A: self._list_passive_target,
            0x4E: self._set_air_speed,
            0x52: self._release,
            0x54: self._select,
        }

    def run(self, code: int, body: bytes) -> bytes | Search:
        """The data of the answer, or a search to be made. BadCommand when it makes no sense."""
        command = self._commands.get(code)
        if command is None:
            raise BadCommand(f"no command {code:02X}")
        return command(body)

    def look(self, search: Search) -> bytes | None:
        """The answer to InListPassiveTarget, or None while there is nothing to be found."""
        seen = self._field.activate(search.uid) if search.type_a else None
        if seen is None:
            return None
        self._target, self._chain, self._fresh = seen, b"", True
        self._blocks = IsoDep(self._field, seen.ats, self._automatic_rats)
        answer = b"\x01\x01" + seen.atqa + bytes([seen.sak, len(seen.uid)]) + seen.uid
        return answer + seen.ats if self._automatic_rats else answer

    def acknowledged(self) -> None:
        """The host has our answer: only then does the line change its speed (UM 7.2.6)."""
        if self._next_line_speed is not None:
            self.line_speed, self._next_line_speed = self._next_line_speed, None

    def nothing_found(self) -> bytes:
        """The answer to InListPassiveTarget when time is up."""
        # What was sent last and not answered is still in the buffer; nfcpy looks.
        self._registers[_FIFO_DATA] = _REQA
        return b"\x00"

    @staticmethod
    def _nothing(body: bytes, at_least: int) -> bytes:
        if len(body) < at_least:
            raise BadCommand("too short")
        return b""

    def _diagnose(self, body: bytes) -> bytes:
        if not body:
            raise BadCommand("no test")
        match body[0]:
            case 0x00:  # communication line: everything comes back
                return body
            case 0x01 | 0x02 | 0x07:  # ROM, RAM, antenna
                return OK
            case 0x06:  # is the card still there
                if self._target is None:
                    return NOT_NOW
                return OK if self._field.active else TIME_OUT
        raise BadCommand("unknown test")

    def _read_register(self, body: bytes) -> bytes:
        if not body or len(body) % 2:
            raise BadCommand("half an address")
        addresses = (int.from_bytes(body[i : i + 2], "big") for i in range(0, len(body), 2))
        return bytes(self._registers.get(address, 0) for address in addresses)

    def _write_register(self, body: bytes) -> bytes:
        if not body or len(body) % 3:
            raise BadCommand("half a register")
        for i in range(0, len(body), 3):
            self._registers[int.from_bytes(body[i : i + 2], "big")] = body[i + 2]
        return b""

    def _set_line_speed(self, body: bytes) -> bytes:
        if len(body) != 1 or body[0] not in _LINE_SPEEDS:
            raise BadCommand("unknown speed")
        self._next_line_speed = _LINE_SPEEDS[body[0]]
        return b""

    def _set_parameters(self, body: bytes) -> bytes:
        if len(body) != 1:
            raise BadCommand("one byte of flags")
        self._automatic_rats = bool(body[0] & _AUTOMATIC_RATS)
        return b""

    def _power_down(self, body: bytes) -> bytes:
        if not 1 <= len(body) <= 2:
            raise BadCommand("wake-up sources")
        self._forget()
        self._field.switch_off()
        return OK

    def _rf_configuration(self, body: bytes) -> bytes:
        if not body or _RF_ITEMS.get(body[0]) != len(body) - 1:
            raise BadCommand("unknown item")
        if body[0] == 0x01 and not body[1] & 1:
            self._forget()
            self._field.switch_off()
        if body[0] == 0x05:
            self._tries = body[3]
        return b""

    def _list_passive_target(self, body: bytes) -> Search:
        if len(body) < 2 or not 1 <= body[0] <= 2 or body[1] > 4:
            raise BadCommand("1 or 2 targets of one kind")
        self._forget()
        seconds = None if self._tries == _ENDLESS else (self._tries + 1) * _SECONDS_PER_TRY
        return Search(body[1] == 0, _without_cascade_tags(body[2:]) or None, seconds)

    def _data_exchange(self, body: bytes) -> bytes:
        if not body:
            raise BadCommand("no target")
        if not self._is_target(body[0] & 0x3F):
            return NOT_NOW
        if len(self._chain) + len(body) > _LONGEST_CHAIN:
            self._chain = b""
            return OVERFLOW
        self._chain += body[1:]
        if body[0] & _MORE:
            return OK
        command, self._chain = self._chain, b""
        self._fresh = False
        self._wake()
        answer = self._field.exchange(command)
        return TIME_OUT if answer is None else OK + answer

    def _set_air_speed(self, body: bytes) -> bytes:
        """A pass understands PPS right after its ATS, and only the speeds that it offered there."""
        if len(body) != 3 or not {body[1], body[2]} <= _AIR_SPEEDS.keys():
            raise BadCommand("target and two speeds")
        if not self._is_target(body[0]):
            return NOT_NOW
        (kbit, to_pass), (_, from_pass) = _AIR_SPEEDS[body[1]], _AIR_SPEEDS[body[2]]
        if not self._fresh or not self._field.active or not self._offered(to_pass, from_pass):
            return TIME_OUT
        self._fresh = False
        self.air_kbit = kbit
        return OK

    def _offered(self, to_pass: int, from_pass: int) -> bool:
        ats = self._target.ats if self._target is not None else b""
        offer = ats[2] if len(ats) > 2 and ats[1] & _ATS_HAS_TA else 0
        return offer & to_pass == to_pass and offer >> 4 & from_pass == from_pass

    def _communicate_thru(self, body: bytes) -> bytes:
        answer = self._blocks.exchange(body) if self._blocks is not None else None
        return TIME_OUT if answer is None else OK + answer

    def _deselect(self, body: bytes) -> bytes:
        if len(body) != 1:
            raise BadCommand("one target")
        if body[0] and not self._is_target(body[0]):
            return NOT_NOW
        self._deselected = True
        self._field.let_go()
        return OK

    def _select(self, body: bytes) -> bytes:
        if len(body) != 1:
            raise BadCommand("one target")
        if not self._is_target(body[0]):
            return NOT_NOW
        self._wake()
        return OK if self._field.active else TIME_OUT

    def _release(self, body: bytes) -> bytes:
        if len(body) != 1:
            raise BadCommand("one target")
        if body[0] and not self._is_target(body[0]):
            return NOT_NOW
        self._forget()
        self._field.let_go()
        return OK

    def _is_target(self, number: int) -> bool:
        return number == 1 and self._target is not None

    def _wake(self) -> None:
        """A target that was deselected is activated again when it is needed (UM 7.3.8)."""
        if self._deselected and self._target is not None:
            self._deselected = False
            self._field.activate(self._target.uid)
            self._blocks = IsoDep(self._field, self._target.ats, self._automatic_rats)

    def _forget(self) -> None:
        self._target, self._blocks, self._chain = None, None, b""
        self._deselected = self._fresh = False
        self.air_kbit = 106


def _without_cascade_tags(uid: bytes) -> bytes:
    """A host gives a UID of 7 bytes as 88 and the UID, one of 10 with another 88 after the third byte."""
    if len(uid) == 12 and uid[0] == uid[4] == _CASCADE_TAG:
        return uid[1:4] + uid[5:]
    if len(uid) == 8 and uid[0] == _CASCADE_TAG:
        return uid[1:]
    return uid
