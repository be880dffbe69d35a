"""The first flashing of a board that has MicroPython and nothing else: boot, and a slot with a release.

Everything goes over the raw REPL of MicroPython, with mpremote's own transport. `main.py` comes last: a board on which
this stopped half-way still starts into MicroPython, and it can be done again.
"""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from card import release
from terminal.build import BOOT
from terminal.errors import TerminalError
from terminal.host import Package, Progress

WIFI_FILE = "online.json"
_SLOT = "slots/a"
_CHUNK = 256
_TRIES = 3


def put_on_board(port: str, package: Package, wifi: Path | None, progress: Progress) -> None:
    """Put a release on a fresh board and start it; raises TerminalError, also when the board runs one already."""
    files = {f"{_SLOT}/{name}": content for name, content in release.files_of(package.content).items()}
    if wifi is not None:
        files[WIFI_FILE] = _json(wifi)
    files["slots/good"] = b"a %d" % package.version
    files["main.py"] = BOOT.read_bytes()
    with _raw_repl(port) as repl:
        if repl.fs_exists("main.py"):
            raise TerminalError("This board has a program already. `update` brings it another version.")
        _put(repl, files, progress)


def _json(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        raise TerminalError(f"{path} is not JSON.") from None
    return content


def _put(repl: Any, files: dict[str, bytes], progress: Progress) -> None:
    done, total = 0, sum(map(len, files.values()))
    folders = sorted({folder for name in files for folder in _folders_of(name)})
    for folder in folders:
        if not repl.fs_exists(folder):
            repl.fs_mkdir(folder)
    for name, content in files.items():
        repl.fs_writefile(name, content, chunk_size=_CHUNK)
        if repl.fs_hashfile(name, "sha256") != hashlib.sha256(content).digest():
            raise TerminalError(f"The board does not give {name} back as it was written. Its flash may be worn.")
        done += len(content)
        progress(done, total)


def _folders_of(name: str) -> list[str]:
    return [parent.as_posix() for parent in Path(name).parents if parent.as_posix() != "."]


@contextlib.contextmanager
def _raw_repl(port: str) -> Any:
    """MicroPython's raw REPL on a port; afterwards the board starts over, which starts what is on it."""
    try:
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport
    except ImportError:
        raise TerminalError("mpremote is not installed; `uv sync --group firmware` brings it.") from None
    try:
        repl = SerialTransport(port, baudrate=115200, timeout=1)
    except TransportError:
        raise TerminalError(f"There is no board on {port}. Check the cable and the name of the port.") from None
    try:
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                repl.enter_raw_repl(soft_reset=False, timeout_overall=3)
                break
            except TransportError:
                # It may have been starting up.
                if not tries_left:
                    raise
        yield repl
        repl.exit_raw_repl()
        # A soft reset, which runs main.py.
        repl.serial.write(b"\x04")
    except (TransportError, OSError):
        raise TerminalError(
            f"What is on {port} does not answer as fresh MicroPython does. Put MicroPython on it, and do this again."
        ) from None
    finally:
        with contextlib.suppress(OSError):
            repl.close()
