"""The firmware on the unix port of MicroPython, with its display on a pipe."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hardware.emulated_pn532 import EmulatedPN532
from hardware.null_modem import NullModem
from terminal.firmware.device import LANGUAGE_FILE
from terminal.firmware.flash import Flash
from terminal.firmware.screen import HEIGHT, WIDTH
from terminal.host import SerialLink
from terminal.micropython import micropython, start_firmware

_PICTURE_BYTES = WIDTH * HEIGHT // 8


class Screen(NamedTuple):
    """What a terminal shows, sounds and lights. `picture`: 1024 bytes, eight pixels below each other a byte."""

    state: str
    code: str
    first: str
    second: str
    tones: tuple[tuple[int, int], ...]
    light: tuple[int, ...]
    picture: bytes


class Machine:
    """One terminal; its flash is a folder.

    `shown` hears each screen from another thread, and None when the power goes. `firmware` is the folder that
    terminal.build.build_firmware made.
    """

    def __init__(self, flash: Path, firmware: Path, shown: Callable[[Screen | None], None]) -> None:
        micropython()
        flash.mkdir(parents=True, exist_ok=True)
        self._flash, self._firmware, self._shown = flash.resolve(), firmware.resolve(), shown
        self.reader = EmulatedPN532().start()
        self._cable = NullModem()
        self.link = SerialLink(self._cable.right)
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None

    def switch_on(self, language: int) -> None:
        """Start the firmware with the flash as it is, but for the language that staff chose."""
        Flash(str(self._flash)).replace_checked(LANGUAGE_FILE, bytes([language]))
        readable, writable = os.pipe()
        ports = [str(self._flash), self.reader.path, self._cable.left, f"/dev/fd/{writable}"]
        self._process = start_firmware(self._firmware, ports, stdout=subprocess.DEVNULL, pass_fds=[writable])
        os.close(writable)
        self._watcher = threading.Thread(target=self._watch, args=(os.fdopen(readable, "rb"),), daemon=True)
        self._watcher.start()

    def press(self, key: str) -> None:
        """Press a key; without power nothing comes of it."""
        if self._process is not None and self._process.stdin is not None and self._process.poll() is None:
            # The plug may be pulled at this very moment.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(key.encode() + b"\n")
                self._process.stdin.flush()

    def switch_off(self) -> None:
        """Pull the plug; the display is dark then."""
        if self._process is None or self._watcher is None:
            return
        self._process.kill()
        self._process.wait()
        self._watcher.join()

    def close(self) -> None:
        """Switch off for good, and put everything away."""
        self.switch_off()
        self.reader.stop()
        self.link.close()
        self._cable.close()

    def _watch(self, display: BinaryIO) -> None:
        with display:
            while length := display.read(2):
                text = display.read(int.from_bytes(length, "little")).decode()
                picture = display.read(_PICTURE_BYTES)
                if len(picture) == _PICTURE_BYTES:
                    self._shown(_screen(text, picture))
        self._shown(None)


def _screen(text: str, picture: bytes) -> Screen:
    state, code, first, second, rhythm, light = text.split("\n")
    tones = tuple((int(pitch), int(ms)) for pitch, ms in (tone.split(":") for tone in rhythm.split(",") if tone))
    return Screen(state, code, first, second, tones, tuple(map(int, light.split(","))), picture)
