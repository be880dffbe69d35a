"""The PC terminal: the same application as in the device, on CPython with a reader of this machine."""

import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from card.record import DAY_ZERO
from hardware.errors import PassGone as HardwarePassGone
from hardware.errors import ReaderError as HardwareReaderError
from terminal.errors import TerminalError
from terminal.firmware.device import Device
from terminal.firmware.errors import FlashError, PassGone, ReaderError
from terminal.firmware.storage import FileStorage
from terminal.host import DirectLink, about

# 2 MB, if it ever comes to that: 5 000 taps without a sync.
_JOURNAL_BLOCKS = 512
T = TypeVar("T")


class Reader(Protocol):
    """A reader of `hardware/`."""

    def find_pass(self) -> bytes | None: ...
    def transmit(self, apdu: bytes) -> bytes: ...
    def release(self) -> None: ...


class PcReader:
    """A reader of this machine, with the errors that the firmware knows."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def find_pass(self) -> bytes | None:
        return self._translated(self._reader.find_pass)

    def transmit(self, apdu: bytes) -> bytes:
        return self._translated(lambda: self._reader.transmit(apdu))

    def release(self) -> None:
        self._translated(self._reader.release)

    @staticmethod
    def _translated(call: Callable[[], T]) -> T:
        try:
            return call()
        except HardwarePassGone as error:
            raise PassGone(str(error)) from error
        except HardwareReaderError as error:
            raise ReaderError(str(error)) from error


def day_of_this_pc() -> int:
    """Today by the clock of this machine, as terminals count days."""
    return (datetime.now(UTC).astimezone().date() - date(*DAY_ZERO)).days


class PcBoard:
    """Keys come from `next_key()` (None when there is none), screens go to `show_screen(state, code, lines)`.

    `flash` is a folder of this machine, `today()` what the clock says, or None without one.
    """

    def __init__(
        self,
        flash: Path,
        reader: Reader,
        next_key: Callable[[], str | None],
        show_screen: Callable[[str, str, tuple[str, str]], None],
        today: Callable[[], int | None] = lambda: day_of_this_pc(),
    ) -> None:
        self.flash = flash
        self.reader = PcReader(reader)
        self.key = next_key
        self.show = show_screen
        self.today = today
        self.random = os.urandom
        self._started = time.monotonic()

    def rest(self) -> None:
        """A PC has memory enough."""

    def storage(self, index: int) -> FileStorage:
        """Where the journal of a municipality is kept."""
        return FileStorage(f"{self.flash}/journal{index}", _JOURNAL_BLOCKS)

    def seconds_on(self) -> int:
        return int(time.monotonic() - self._started)

    def set_today(self, day: int) -> None:
        """A terminal does not set the clock of a PC."""


def open_shift(device: Device, board: PcBoard, pin: str) -> None:
    """Type the PIN of a PC terminal, or twice its first one; raises TerminalError when it does not open the shift."""
    keys = list(f"{pin}#" if about(DirectLink(device))["pin"] else f"{pin}#{pin}#")
    board.key = lambda: keys.pop(0) if keys else None
    for _ in range(2 * len(keys) + 2):
        device.turn()
    if about(DirectLink(device))["shift"] != "open":
        raise TerminalError("This is not the PIN of this terminal, or not one that it takes: 4 to 8 digits, not easy.")


def pc_terminal(board: PcBoard) -> Device:
    """A terminal whose flash is a folder of this machine; call `turn()` in a loop."""
    try:
        board.flash.mkdir(parents=True, exist_ok=True)
        return Device(str(board.flash), board)
    except (OSError, FlashError):
        raise TerminalError(
            f"{board.flash} cannot be written. It has to be a folder of yours, on a disk with room."
        ) from None
