"""`meedoen terminal`: provision a terminal, sync it with the backend, or run one on this PC."""

import hashlib
import json
import os
import select
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.errors import ReaderError
from hardware.in_process import InProcessReader
from hardware.pcsc import PcscReader
from terminal.build import build_package
from terminal.errors import BackendUnreachable, NoHotlist, NoOffers, TerminalError
from terminal.firmware import VERSION, link
from terminal.flashing import put_on_board
from terminal.host import (
    Backend,
    DirectLink,
    HotlistAddress,
    Link,
    SerialLink,
    about,
    book_of,
    date_of,
    in_words,
    signed_package,
)
from terminal.host import enrol as number_of
from terminal.host import provision as give_keys
from terminal.host import sync as bring_and_carry
from terminal.host import update as bring_update
from terminal.pc import PcBoard, Reader, open_shift, pc_terminal

app = typer.Typer(no_args_is_help=True, help="Enrol, provision, sync and run terminals.")

Port = Annotated[str | None, typer.Option("--port", help="Serial port of the terminal.")]
Flash = Annotated[Path | None, typer.Option("--flash", help="Folder of a PC terminal, in place of a port.")]
Pin = Annotated[
    str | None, typer.Option("--pin", envvar="MEEDOEN_PIN", help="PIN of a PC terminal; new card keys need it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]
_SOON_S = 2
_BACKEND = "http://127.0.0.1:8442"


class _NoReader:
    """Provisioning and syncing a PC terminal need no reader."""

    def find_pass(self) -> bytes | None:
        return None

    def transmit(self, apdu: bytes) -> bytes:
        raise TerminalError("No reader is open.")

    def release(self) -> None:
        return None


def _link(port: str | None, flash: Path | None, new: bool = False, pin: str | None = None) -> Link:
    if (port is None) == (flash is None):
        raise typer.BadParameter("Name a serial port with --port, or the folder of a PC terminal with --flash.")
    if port is not None:
        return SerialLink(port)
    assert flash is not None
    if not new and not flash.is_dir():
        raise TerminalError(f"There is no PC terminal in {flash}; enrol it first.")
    board = PcBoard(flash, _NoReader(), lambda: None, lambda *screen: None)
    device = pc_terminal(board)
    if pin is not None:
        open_shift(device, board, pin)
    return DirectLink(device)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for what takes longer than people wait without asking."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=True) as progress:
        task, begun = progress.add_task(what, total=None), time.monotonic()

        def step(done: int, total: int) -> None:
            if progress.disable and console.is_terminal and time.monotonic() - begun > _SOON_S:
                progress.disable = False
                progress.start()
            progress.update(task, completed=done, total=total)

        yield step


def _refused(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)


@app.command()
def enrol(port: Port = None, flash: Flash = None, as_json: AsJson = False) -> None:
    """Say the number of a device, which the vault has to know before it gives it keys."""
    try:
        device = number_of(_link(port, flash, new=True))
    except TerminalError as error:
        raise _refused(error) from None
    typer.echo(json.dumps({"device": device}) if as_json else device)


@app.command()
def provision(
    device: Annotated[
        Path, typer.Argument(metavar="DEVICEFILE", help="Wrapping key of this device.", exists=True, dir_okay=False)
    ],
    lease: Annotated[
        Path, typer.Argument(metavar="LEASEFILE", help="Its first keys, wrapped to it.", exists=True, dir_okay=False)
    ],
    port: Port = None,
    flash: Flash = None,
    pin: Pin = None,
    as_json: AsJson = False,
) -> None:
    """Give a device its first keys, once; after that `sync` renews them. Its shift has to be open."""
    try:
        link_to = _link(port, flash, pin=pin)
        paper = _device_file(device)
        number = give_keys(link_to, paper, lease.read_bytes())
        until = date_of(book_of(about(link_to), paper["issuer"])["lease_until"])
    except TerminalError as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(json.dumps({"terminal": number, "lease_until": str(until)}))
    else:
        typer.echo(f"Terminal {number} has its keys, good until {until}. Destroy {device}.")


def _device_file(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TerminalError(f"{path} is not the file of a device.")
    return found


@app.command()
def sync(
    port: Port = None,
    flash: Flash = None,
    backend: Annotated[str, typer.Option(help="Address of the backend.")] = _BACKEND,
    hotlist: Annotated[
        str | None, typer.Option(help="Hotlist: its address at the desk, or a file from `meedoen issuer hotlist`.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="MEEDOEN_TRANSPORT_TOKEN", help="What the backend wants to see, if anything.")
    ] = None,
    issuer: Annotated[
        int | None, typer.Option(help="Number of the municipality, for a terminal that serves several.")
    ] = None,
    pin: Pin = None,
    as_json: AsJson = False,
) -> None:
    """Hand in the journal, renew the keys, and bring today's bundle and hotlist."""
    blocked = _hotlist(hotlist)
    try:
        with _bar("Syncing") as progress:
            backend_of_city = Backend(backend, token=token)
            report = bring_and_carry(_link(port, flash, pin=pin), backend_of_city, blocked, progress, issuer)
    except (TerminalError, BackendUnreachable, NoOffers, NoHotlist) as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(json.dumps(vars(report), default=str))
        return
    lists = "offers" if blocked is None else "offers and hotlist"
    typer.echo(f"Terminal {report.terminal}: {report.handed_in} records handed in, {lists} up to date.")
    typer.echo(f"Its keys are good until {report.lease_until}." if report.lease_until else "Its keys have ended.")
    if report.warning:
        typer.echo(report.warning)
    if report.refused:
        typer.echo(_set_aside(report.refused))


def _set_aside(refused: list[dict[str, Any]]) -> str:
    """One line: they were taken, so a sync with them is done; it is the municipality that has to look at them."""
    reasons = Counter(str(one.get("reason")) for one in refused)
    said = ", ".join(f"{count} for {reason}" for reason, count in sorted(reasons.items()))
    return f"The backend took them and set {len(refused)} aside ({said}); the municipality sees why."


def _hotlist(place: str | None) -> bytes | HotlistAddress | None:
    if place is None or place.startswith(("http://", "https://")):
        return HotlistAddress(place) if place else None
    try:
        return Path(place).read_bytes()
    except OSError:
        raise typer.BadParameter(f"{place} is no file, and no address that begins with http.") from None


@app.command("forget-pin")
def forget_pin(port: Port = None, flash: Flash = None) -> None:
    """Wipe a PIN that nobody knows any more, and with it the card keys that it opens; records stay.

    Then choose another PIN on the terminal, and sync: the next lease brings the keys again.
    """
    try:
        _link(port, flash).ask(link.FORGET_PIN)
    except TerminalError as error:
        raise _refused(error) from None
    typer.echo("The PIN is forgotten. Choose another one on the terminal, and sync it.")


@app.command()
def diagnose(port: Port = None, flash: Flash = None, as_json: AsJson = False) -> None:
    """Say what a terminal holds."""
    try:
        found = about(_link(port, flash))
    except TerminalError as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo("\n".join(in_words(found, datetime.now(UTC).astimezone().date())))


Signer = Annotated[
    str, typer.Option(envvar="MEEDOEN_FIRMWARE_SIGNER", help="Public key of the release, from `meedoen keys sign`.")
]
Released = Annotated[
    Path, typer.Argument(metavar="PACKAGE", help="Release, with its signature in PACKAGE.sig.", dir_okay=False)
]


@app.command("build-firmware")
def build(
    file: Annotated[Path, typer.Argument(help="Where the package goes.", dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Make a release of the firmware: one file, to be signed and approved with `meedoen keys`."""
    try:
        package = build_package()
        file.write_bytes(package)
    except TerminalError as error:
        raise _refused(error) from None
    digest = hashlib.sha256(package).hexdigest()
    if as_json:
        typer.echo(json.dumps({"version": VERSION, "sha256": digest, "bytes": len(package)}))
    else:
        typer.echo(f"Version {VERSION}, {len(package)} bytes: {file}. SHA-256 {digest}.")


@app.command()
def update(
    package: Released,
    signer: Signer,
    port: Port = None,
    flash: Flash = None,
    as_json: AsJson = False,
) -> None:
    """Bring new firmware. It is tried once, and when it does not come up the last good one runs again."""
    try:
        found = signed_package(package, signer)
        with _bar("Updating") as progress:
            bring_update(lambda: _link(port, flash), found, progress)
    except TerminalError as error:
        raise _refused(error) from None
    typer.echo(json.dumps({"version": found.version}) if as_json else f"Version {found.version} runs, and is kept.")


@app.command("flash")
def flash_board(
    package: Released,
    signer: Signer,
    port: Annotated[str, typer.Option(help="Serial port of the board.")],
    wifi: Annotated[
        Path | None, typer.Option(help="File with its Wi-Fi and the backend (JSON).", exists=True, dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put the firmware on a board that has fresh MicroPython and nothing else. After that, `enrol` and `provision`."""
    try:
        found = signed_package(package, signer)
        with _bar("Flashing") as progress:
            put_on_board(port, found, wifi, progress)
    except TerminalError as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(json.dumps({"version": found.version}))
    else:
        typer.echo(f"Version {found.version} is on the board, and starts. Next: meedoen terminal enrol --port {port}")


@app.command()
def run(
    flash: Annotated[Path, typer.Option(help="Folder that stands for the flash of this terminal.")],
    reader: Annotated[str | None, typer.Option(help="Part of the reader's name; without it, the first one.")] = None,
    emulated: Annotated[
        Path | None, typer.Option(help="A pass that is a file, in place of a reader.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """A terminal on this PC with a PC/SC reader: type keys and Enter, hold a pass against the reader."""
    if reader is not None and emulated is not None:
        raise typer.BadParameter("Name a reader with --reader, or a pass with --emulated.")
    console = Console()
    shown: list[tuple[str, tuple[str, str]]] = []

    def show(state: str, code: str, lines: tuple[str, str]) -> None:
        # A reader that does not work says so at every turn.
        if shown[-1:] != [(code, lines)]:
            shown[:] = [(code, lines)]
            console.print(f"{lines[0]} ({code})" if code else lines[0], style="bold", highlight=False, markup=False)
            if lines[1]:
                console.print(lines[1], highlight=False, markup=False)

    keys = _typed_keys()
    try:
        _require_lists(flash)
        board = PcBoard(flash, _pass_reader(reader, emulated), lambda: next(keys), show)
        typer.echo("Keys: 0-9, # is yes, * is back, A puts the last tap back, D is the menu; then Enter. Ctrl-D stops.")
        device = pc_terminal(board)
    except (TerminalError, ReaderError) as error:
        raise _refused(error) from None
    try:
        while True:
            device.turn()
            time.sleep(0.02)
    except (StopIteration, KeyboardInterrupt):
        typer.echo("Terminal closed.")


def _require_lists(flash: Path) -> None:
    found = about(_link(None, flash))
    books = [book for book in found["books"] if book["day"] is not None]
    if not books:
        raise TerminalError("This terminal has no keys yet; provision it first.")
    if not any(book["bundle"] for book in books):
        raise TerminalError("This terminal has no offers yet; sync it first.")


def _pass_reader(name: str | None, emulated: Path | None) -> Reader:
    """The reader of this PC, tried once so that what is missing is said before the first guest."""
    if emulated is not None:
        try:
            memory = Memory.load(emulated)
        except ValueError:
            raise TerminalError(f"{emulated} is not an emulated pass; `meedoen issuer issue` makes them.") from None
        return InProcessReader(EmulatedPass(memory, random=os.urandom))
    reader = PcscReader(name)
    reader.find_pass()
    reader.release()
    return reader


def _typed_keys() -> Iterator[str | None]:
    """Keys as they are typed, None while nobody types."""
    while True:
        if not select.select([sys.stdin], [], [], 0)[0]:
            yield None
            continue
        line = sys.stdin.readline()
        if not line:
            return
        yield from line.strip()
