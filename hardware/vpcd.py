"""An emulated pass in a PC/SC reader: a card for vpcd, the virtual reader of vsmartcard, and a pcscd of one's own.

vpcd listens on TCP; a card is a client that connects. Frames: length (2 bytes, big-endian) and body. A body of one
byte is a control command, anything longer an APDU.
"""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from hardware.emulated_pass import EmulatedPass, PassTorn
from hardware.errors import ReaderError

# What PC/SC readers make of a card whose ATS has one historical byte, 80 (PC/SC part 3, 3.1.3.2.3.1).
ATR = bytes.fromhex("3B8180018080")

_POWER_OFF, _POWER_ON, _RESET, _ATR = 0, 1, 2, 4
# Answered by the reader, not by the card (PC/SC part 3, 3.2.2.1.3).
_GET_UID = bytes.fromhex("FFCA000000")
_NOT_SUPPORTED = bytes.fromhex("6A81")
_PATIENCE_SECONDS = 10.0
# pcscd looks every 0.4 seconds whether a card is there. One that comes back before it was missed is never seen again.
_MISSED_SECONDS = 0.6

_DRIVERS = (
    "/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
    "/usr/lib/pcsc/drivers/serial/libifdvpcd.so.0.8",
    "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so",
)
_NOBODY = 65534
# Below the ports that the system gives to clients. Even: each reader also takes the next one.
_PORTS = range(20000, 30000, 2)
# pcscd has no option for its socket, but takes one that is handed to it as systemd does: as descriptor 3.
# It wants to see /run/pcscd, which is there where the package was installed on a running system; a user who may not
# make it sees one of his own.
_RUN = "/run/pcscd"
_OWN_RUN = 'mount -t tmpfs tmpfs /run && exec "$@"'
_HAND_OVER = 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" --foreground --config "$1" 3<&0 0</dev/null'
_READER_CONF = """FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:0x{port:X}
LIBPATH {driver}
CHANNELID 0x{port:X}
"""

# When a card last left the reader on a port, by the monotonic clock.
_left_at: dict[int, float] = {}


class VirtualCard:
    """`emulated_pass` as a card in the reader that listens on `port`. As a context manager it is in the reader."""

    def __init__(self, emulated_pass: EmulatedPass, port: int) -> None:
        self._pass = emulated_pass
        self._port = port
        self._uid = b""
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "VirtualCard":
        self.insert()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def insert(self) -> None:
        """Put the card in; a program sees it some 0.4 seconds later. ReaderError when no reader listens.

        Waits half a second when a card has just left this reader.
        """
        self.remove()
        time.sleep(max(0.0, _left_at.get(self._port, 0.0) + _MISSED_SECONDS - time.monotonic()))
        try:
            connection = socket.create_connection(("127.0.0.1", self._port), _PATIENCE_SECONDS)
        except OSError as error:
            raise ReaderError(f"no virtual reader listens on port {self._port}") from error
        connection.settimeout(None)
        self._connection = connection
        self._thread = threading.Thread(target=self._serve, args=[connection], name="virtual card", daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Take the card out, whatever it was doing. Nothing happens when it is not in."""
        if self._connection is None or self._thread is None:
            return
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection = self._thread = None

    def _serve(self, connection: socket.socket) -> None:
        try:
            while True:
                length = int.from_bytes(_receive(connection, 2), "big")
                answer = self._answer(_receive(connection, length))
                if answer is not None:
                    # One send: vpcd waits for the rest of an answer that comes in two.
                    connection.sendall(len(answer).to_bytes(2, "big") + answer)
        except (PassTorn, OSError, EOFError):
            pass  # the card is out of the reader, or the reader is gone
        finally:
            self._pass.deactivate()
            connection.close()
            _left_at[self._port] = time.monotonic()

    def _answer(self, body: bytes) -> bytes | None:
        if body == _GET_UID:
            return self._uid + b"\x90\x00"
        if len(body) > 1:
            return _NOT_SUPPORTED if body[0] == 0xFF else self._pass.exchange(body)
        if body[:1] == bytes([_ATR]):
            return ATR
        if body[:1] == bytes([_POWER_OFF]):
            self._pass.deactivate()
        elif body[:1] in (bytes([_POWER_ON]), bytes([_RESET])):
            self._uid = self._pass.activate().uid
        return None


def _receive(connection: socket.socket, length: int) -> bytes:
    """Exactly `length` bytes; EOFError when the other side closed."""
    data = b""
    while len(data) < length:
        # vpcd sends length and body apart and waits for our acknowledgement in between, which the kernel would hold
        # back for 40 ms. The kernel forgets this option, so it is set each time.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = connection.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


class PrivatePcscd:
    """A pcscd with a virtual reader of two slots that only those see who have `socket` in PCSCLITE_CSOCK_NAME.

    `ports` is where a VirtualCard goes, one for each slot; PC/SC shows the slots as two readers. `port` is the first.
    Needs no rights; as root, pcscd runs as nobody. Several can run at once, but libpcsclite looks at the variable once:
    one process meets one pcscd in its life. vpcd listens on every network.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.port = 0
        self.socket = ""

    @property
    def ports(self) -> tuple[int, int]:
        return self.port, self.port + 1

    @property
    def environment(self) -> dict[str, str]:
        """The environment of this process, for a program that should meet this pcscd."""
        return {**os.environ, "PCSCLITE_CSOCK_NAME": self.socket}

    def __enter__(self) -> "PrivatePcscd":
        program, driver = _installed()
        with contextlib.ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pcscd-")))
            directory.chmod(0o755)
            self.port = stack.enter_context(_free_port())
            self.socket = str(directory / "socket")
            configuration = directory / "reader.conf.d"
            configuration.mkdir()
            (configuration / "vpcd").write_text(_READER_CONF.format(port=self.port, driver=driver))
            log = directory / "log"
            process = self._start(program, configuration, log)
            stack.callback(_end, process)
            _wait_until_ready(process, self.port, log)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, program: str, configuration: Path, log: Path) -> subprocess.Popen[bytes]:
        command = ["/bin/sh", "-c", _HAND_OVER, program, str(configuration)]
        as_root = os.geteuid() == 0
        if as_root:
            os.makedirs(_RUN, exist_ok=True)
        elif not os.path.isdir(_RUN):
            command = ["unshare", "--map-root-user", "--mount", "/bin/sh", "-c", _OWN_RUN, "sh", *command]
        with socket.socket(socket.AF_UNIX) as listener, log.open("wb") as output:
            listener.bind(self.socket)
            os.chmod(self.socket, 0o666)
            listener.listen(16)
            return subprocess.Popen(
                command,
                stdin=listener.fileno(),
                stdout=output,
                stderr=output,
                # As root it would take the process file of the pcscd of the system.
                user=_NOBODY if as_root else None,
                group=_NOBODY if as_root else None,
                extra_groups=[] if as_root else None,
            )


def _installed() -> tuple[str, str]:
    program = shutil.which("pcscd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise ReaderError("a PC/SC reader of one's own needs pcscd: install the package pcscd")
    driver = next((path for path in _DRIVERS if os.path.exists(path)), None)
    if driver is None:
        raise ReaderError("a virtual reader needs the driver of vpcd: install the package vsmartcard-vpcd")
    return program, driver


@contextlib.contextmanager
def _free_port() -> Iterator[int]:
    """A port that is free, as is the next one; no other process that comes this way gets it meanwhile."""
    for port in random.sample(_PORTS, 100):
        with socket.socket(socket.AF_UNIX) as claim:
            try:
                claim.bind(f"\0vpcd on port {port}")
                for number in (port, port + 1):
                    with socket.socket() as trial:
                        trial.bind(("", number))
            except OSError:
                continue
            yield port
            return
    raise ReaderError("no free port for a virtual reader")


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        if _listens(port) and _listens(port + 1):
            return
        time.sleep(0.01)
    raise ReaderError(f"pcscd did not start a virtual reader on port {port}: {log.read_text(errors='replace')[-300:]}")


def _listens(port: int) -> bool:
    """Whether somebody listens. Not found out by connecting: that would be a card."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in table)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
