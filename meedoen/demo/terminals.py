"""The terminals of the demo, all with the same three moves: press keys, hold a pass, pull the plug."""

import queue
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

from hardware.emulated_pass import EmulatedPass
from hardware.emulated_pn532 import EmulatedPN532
from hardware.in_process import InProcessReader
from hardware.null_modem import NullModem
from terminal.firmware.app import WORKING
from terminal.firmware.device import Device
from terminal.host import DirectLink, Link, SerialLink
from terminal.micropython import start_firmware
from terminal.pc import PcBoard, pc_terminal

COMMIT = b"\xc7"
PIN = "2580"
_PATIENCE_S = 10.0


class Screen(NamedTuple):
    """What the display shows: state of the application, code of a result, two lines."""

    state: str
    code: str
    first: str
    second: str


def _opening_keys(screen: Screen) -> str:
    """What staff type when they come: the PIN, or twice the first one."""
    return f"{PIN}#{PIN}#" if screen.state == "choosing_pin" else f"{PIN}#"


class TerminalStuck(Exception):
    """A terminal did not show what it should have in time."""


class MicroPythonTerminal:
    """The firmware on the unix port of MicroPython, in the heap of a small board, with a PN532 on a serial line."""

    def __init__(self, flash: Path, firmware: Path) -> None:
        flash.mkdir(parents=True, exist_ok=True)
        self._flash, self._firmware = flash.resolve(), firmware.resolve()
        self.reader = EmulatedPN532()
        self.reader.start()
        self._cable = NullModem()
        self._link = SerialLink(self._cable.right)
        self.screen = Screen("", "", "", "")
        self.switch_on()

    def switch_on(self) -> None:
        """Start the firmware with the flash as it is."""
        self._process = start_firmware(
            self._firmware,
            [str(self._flash), self.reader.path, self._cable.left],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self._screens: queue.Queue[Screen | None] = queue.Queue()
        threading.Thread(target=self._watch, args=(self._process, self._screens), daemon=True).start()
        self.press(_opening_keys(self._next()), until="choosing")

    @staticmethod
    def _watch(process: "subprocess.Popen[str]", screens: "queue.Queue[Screen | None]") -> None:
        assert process.stdout is not None
        last = ""
        for line in process.stdout:
            parts = line.rstrip("\n").split("|")
            if len(parts) == 4:
                screens.put(Screen(*parts))
            last = line
        screens.put(None if not last else Screen("stopped", "", last.strip(), ""))

    def link(self) -> Link:
        """The serial port of the host, at the other end of the cable."""
        return self._link

    def press(self, keys: str, until: str) -> Screen:
        """Press keys, and wait until the application is in a state."""
        assert self._process.stdin is not None
        self._process.stdin.write(keys + "\n")
        self._process.stdin.flush()
        return self._until(until)

    def hold(self, card: EmulatedPass) -> Screen:
        """Hold a pass against the reader until the screen says something about it, then take it away."""
        self.reader.present(card)
        try:
            while not (screen := self._next()).code:
                pass
        finally:
            self.reader.remove()
        return screen

    def hold_until_power_cut(self, card: EmulatedPass) -> None:
        """The plug is pulled after the pass committed and before the terminal hears of it."""

        def pull(command: bytes, answer: bytes) -> None:
            if command[1:2] == COMMIT:
                self._process.kill()
                self._process.wait()

        self.reader.after_card = pull
        self.reader.present(card)
        try:
            self._process.wait(_PATIENCE_S)
        finally:
            self.reader.after_card = None
            self.reader.remove()

    def switch_off(self) -> None:
        """Pull the plug."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.switch_off()
        self.reader.stop()
        self._link.close()
        self._cable.close()

    def _next(self) -> Screen:
        try:
            screen = self._screens.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise TerminalStuck(f"nothing more after {self.screen}") from None
        if screen is None or screen.state == "stopped":
            raise TerminalStuck(f"the firmware stopped: {screen.first if screen else ''}")
        self.screen = screen
        return screen

    def _until(self, state: str) -> Screen:
        while self._next().state != state:
            pass
        return self.screen


class _PowerCut(BaseException):
    """Not an Exception: nothing in the application may catch it, as nothing can catch a power cut."""


class PcTerminal:
    """The same application on this very Python, with a reader in the same process."""

    def __init__(self, flash: Path) -> None:
        self._flash = flash
        self.reader = InProcessReader(None)
        self._keys: list[str] = []
        self.screen = Screen("", "", "", "")
        self.switch_on()

    def switch_on(self) -> None:
        board = PcBoard(self._flash, self.reader, self._next_key, self._show, today=lambda: None)
        self._device: Device = pc_terminal(board)
        self.press(_opening_keys(self.screen), until="choosing")

    def link(self) -> Link:
        return DirectLink(self._device)

    def press(self, keys: str, until: str) -> Screen:
        self._keys += keys
        while self._keys or self.screen.state in WORKING:
            self._device.turn()
        if self.screen.state != until:
            raise TerminalStuck(f"{self.screen} in place of {until}")
        return self.screen

    def hold(self, card: EmulatedPass) -> Screen:
        self.reader.present(card)
        try:
            self._device.turn()
        finally:
            self.reader.remove()
        return self.screen

    def hold_until_power_cut(self, card: EmulatedPass) -> None:
        """The power goes after the pass committed and before this program hears of it."""
        transmit = self.reader.transmit

        def cut(apdu: bytes) -> bytes:
            answer = transmit(apdu)
            if apdu[1:2] == COMMIT:
                raise _PowerCut
            return answer

        self.reader.transmit = cut  # type: ignore[method-assign]
        try:
            self.hold(card)
        except _PowerCut:
            pass
        finally:
            self.reader.transmit = transmit  # type: ignore[method-assign]

    def close(self) -> None:
        """A PC terminal leaves nothing behind."""

    def _next_key(self) -> str | None:
        return self._keys.pop(0) if self._keys else None

    def _show(self, state: str, code: str, lines: tuple[str, str]) -> None:
        self.screen = Screen(state, code, *lines)


Terminal = MicroPythonTerminal | PcTerminal
