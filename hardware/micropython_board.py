"""A board with MicroPython on a serial port: the unix port behind a pseudo-terminal, with what a real board adds to it.

`port` is what a host opens. Before there is a `main.py` in the folder, the REPL answers there; then the program does,
with the port as its own line. When it ends, it is started again, as after a reset. (After mpremote's notes: a bare
pseudo-terminal hangs it, because Ctrl-D ends the process and Ctrl-C does not reach it.)
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

_CTRL_C = b"\x03"
_REBOOT = b"\r\nMPY: soft reboot\r\n"
_A_MOMENT_S = 0.02
_START_S = 0.3


class MicroPythonBoard:
    """`folder` is its flash; the program is called with `arguments` after the flash, in which PORT is its line."""

    PORT = "PORT"

    def __init__(self, folder: Path, arguments: list[str], heap: str = "256k") -> None:
        self._folder, self._arguments, self._heap = folder.resolve(), arguments, heap
        self._folder.mkdir(parents=True, exist_ok=True)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.starts = 0
        self.said: list[str] = []
        self._stop = threading.Event()
        self._power = threading.Event()
        self._power.set()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        self._thread.start()
        # As somebody who plugs a board in: not there in the same instant.
        time.sleep(_START_S)

    def press(self, keys: str) -> None:
        """Keys of the program's keypad."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(keys.encode() + b"\n")
        self._process.stdin.flush()

    def pull_plug(self) -> None:
        """Off, in the middle of whatever it does."""
        self._power.clear()
        self._kill()

    def plug_in(self) -> None:
        self._power.set()

    def close(self) -> None:
        self._stop.set()
        self._power.set()
        self._kill()
        self._thread.join(5)
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._power.wait()
            if self._stop.is_set():
                return
            self.starts += 1
            program = (self._folder / "main.py").exists()
            inner, line = os.openpty()
            tty.setraw(line)
            self._process = self._program(os.ttyname(line)) if program else self._repl(line)
            watcher = threading.Thread(target=self._listen, args=(self._process,), daemon=True) if program else None
            if watcher:
                watcher.start()
            self._bridge(inner, interruptible=not program)
            self._process.wait()
            os.close(inner)
            os.close(line)
            if not program:
                os.write(self._master, _REBOOT)
            time.sleep(_A_MOMENT_S)

    def _python(self) -> list[str]:
        return [str(Path(sys.executable).parent / "micropython"), "-X", f"heapsize={self._heap}"]

    def _repl(self, line: int) -> "subprocess.Popen[bytes]":
        command = self._python()
        return subprocess.Popen(command, cwd=self._folder, stdin=line, stdout=line, stderr=line)

    def _program(self, line: str) -> "subprocess.Popen[bytes]":
        words = [line if word == self.PORT else word for word in self._arguments]
        return subprocess.Popen(
            [*self._python(), "main.py", str(self._folder), *words],
            cwd=self._folder,
            env={**os.environ, "MICROPYPATH": ".frozen"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for row in process.stdout:
            self.said.append(row.decode(errors="replace").rstrip())

    def _bridge(self, inner: int, interruptible: bool) -> None:
        process, ends = self._process, {self._master: inner, inner: self._master}
        assert process is not None
        while process.poll() is None:
            for end in select.select(list(ends), [], [], _A_MOMENT_S)[0]:
                with contextlib.suppress(OSError):
                    data = os.read(end, 4096)
                    if end == self._master and interruptible and _CTRL_C in data:
                        process.send_signal(signal.SIGINT)
                        data = data.replace(_CTRL_C, b"")
                    while data:
                        data = data[os.write(ends[end], data) :]
