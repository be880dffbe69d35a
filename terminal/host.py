"""The host's side of a terminal: provision it, bring its keys and lists, and carry its journal to the backend.

The host carries only what is sealed: it can lose a batch, and then fetches it again; it cannot read or change one. It
brings no lists that the city did not sign. The one thing that it could read is the wrapping key, which somebody brings
by hand, once.
"""

import hashlib
import json
import termios
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import httpx
import serial
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from card import release
from card.batch import CHALLENGE_BYTES, MAC_BYTES
from card.errors import CardError
from card.record import DAY_ZERO
from card.signing import BUNDLE
from card.wire import read_uint
from terminal.errors import BackendUnreachable, NoHotlist, NoOffers, TerminalError, VaultUnreachable
from terminal.firmware import link
from terminal.firmware.device import Device
from terminal.firmware.sync import Report
from terminal.firmware.sync import sync as in_order
from terminal.hotlist import HotlistFile, opened
from terminal.signed import NotSigned, checked

_TRIES = 3
# What counts once is not put twice: when the answer is lost, a second one would be refused.
_ONCE = (link.DEVICE, link.LEASE, link.BUNDLE)
_NO_PROGRESS = 3
_LOOK_AGAIN_S = 0.2
Progress = Callable[[int, int], None]
# Days have 16 bits.
_DAYS, _LAST_DAY = ("day", "lease_until"), 0xFFFF
_Form = Mapping[str, type | tuple[type, ...]]
_TEXT, _WHOLE = (str, type(None)), (int, type(None))
# What a host reads of what a terminal says of itself, and of each municipality.
_DEVICE: _Form = {
    "device": str, "version": int, "slot": _TEXT, "trial": bool, "failed": _WHOLE, "error": _TEXT, "online": _TEXT,
    "room": int, "books": list,
}  # fmt: skip
_BOOK: _Form = {
    "issuer": int, "terminal": _WHOLE, "lease": int, "lease_until": _WHOLE, "release": _WHOLE, "day": _WHOLE,
    "journal": int, "bundle": int, "hotlist": int, "changes": int, "doubts": int,
}  # fmt: skip
_SYNC_AGAIN = "The records are handed in; passes that were blocked since the last list still work here, so sync again."
_OLD_OFFERS = "The records are handed in; the offers that are here count until they end, so sync again."


class Link(Protocol):
    """A way to put one question to a terminal."""

    def ask(self, kind: bytes, content: bytes = b"", issuer: int = link.WHOLE_DEVICE) -> bytes:
        """The answer's content; raises TerminalError. `issuer`: the municipality that the question is about."""

    def close(self) -> None:
        """Let go of the terminal."""


class SerialLink:
    """A terminal on a serial port."""

    def __init__(self, port: str, timeout_s: float = 9.0) -> None:
        self._timeout_s = timeout_s
        try:
            self._port = serial.Serial(port, 115200, timeout=0.05)
        except serial.SerialException:
            raise TerminalError(f"There is no terminal on {port}. Check the cable and the name of the port.") from None

    def close(self) -> None:
        self._port.close()

    def ask(self, kind: bytes, content: bytes = b"", issuer: int = link.WHOLE_DEVICE) -> bytes:
        """Asks again when nothing comes: every question but the handing over of what counts once may be put twice."""
        tries = 1 if kind in _ONCE else _TRIES
        try:
            for _ in range(tries):
                got = self._ask_once(link.frame(kind, issuer, content), self._timeout_s / tries)
                if got is not None:
                    return _content(kind, *got)
        except (OSError, termios.error):
            raise TerminalError(
                "The cable was unplugged. Plug it in and do this again; it goes on where it was."
            ) from None
        raise TerminalError("The terminal does not answer. Is it switched on, and is this the right port?")

    def _ask_once(self, question: bytes, timeout_s: float) -> tuple[bytes, bytes] | None:
        self._port.reset_input_buffer()
        self._port.write(question)
        frames = link.Frames()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            got: tuple[bytes, int, bytes] | None = frames.feed(self._port.read(max(1, self._port.in_waiting)))
            if got is not None:
                return got[0], got[2]
        return None


class DirectLink:
    """The PC terminal, which runs in this very process."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def ask(self, kind: bytes, content: bytes = b"", issuer: int = link.WHOLE_DEVICE) -> bytes:
        return _content(kind, *self._device.answer(kind, issuer, content))

    def close(self) -> None:
        """Nothing is held."""


def _content(asked: bytes, kind: bytes, content: bytes) -> bytes:
    if kind == link.REFUSED:
        raise TerminalError(f"The terminal refused: {content.decode(errors='replace')}.")
    if kind != asked:
        raise TerminalError("The terminal answers another question; try again.")
    return content


class Backend:
    """The backend's HTTP interface as far as a host needs it. `transport` as httpx takes it; `token` opens it."""

    def __init__(self, base_url: str, transport: httpx.BaseTransport | None = None, token: str | None = None) -> None:
        self._url = base_url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=base_url, transport=transport, headers=headers, timeout=30)

    def where(self, terminal: int) -> tuple[int, bytes]:
        """The first position of this terminal that the backend does not hold, and a challenge for its statement."""
        answer = _accepted(self._ask("GET", f"/v1/terminals/{terminal}"))
        found = _said(answer)
        try:
            return int(found["nextPosition"]), bytes.fromhex(found["challenge"])
        except (KeyError, TypeError, ValueError, OverflowError):
            raise BackendUnreachable(f"What answers there is no backend: {_reason(answer)}") from None

    def bundle(self, terminal: int, statement: bytes) -> bytes:
        """The sealed bundle of the day, as the answer to `statement`: a challenge, and what the terminal said to it.

        Raises NoOffers when the backend has none to give, or none that the city's clearing signed.
        """
        answer = self._ask("POST", f"/v1/terminals/{terminal}/bundle", statement)
        if answer.is_server_error:
            raise NoOffers(f"The backend gives no offers: {_reason(answer)} {_OLD_OFFERS}")
        said = json.loads(statement[CHALLENGE_BYTES + MAC_BYTES :])
        try:
            return checked(BUNDLE, _accepted(answer).content, said["signers"], said["day"])
        except NotSigned:
            raise NoOffers(f"{self._url} gives no offers that the city's clearing signed. {_OLD_OFFERS}") from None

    def lease(self, terminal: int, number: int) -> bytes:
        """The next keys, as the vault wrapped them to the terminal's device; `number` is the one that it says is next.

        Raises VaultUnreachable while the backend cannot ask, and TerminalError when the vault has none for it.
        """
        answer = self._ask("GET", f"/v1/terminals/{terminal}/leases/{number}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            said = "The keys of this terminal were revoked, or never issued; its records are handed in."
            raise TerminalError(f"{said} The vault says: {_reason(answer)}")
        if answer.is_server_error:
            raise VaultUnreachable(f"The keys could not be renewed; sync again later. {_reason(answer)}")
        return _accepted(answer).content

    def hand_in(self, terminal: int, batch: bytes) -> tuple[int, list[dict[str, object]]]:
        """Upload a batch; the position after it, and what was refused of it.

        Also an answer that refuses counts as handed in when it says `kept`.
        """
        answer = self._ask("POST", f"/v1/terminals/{terminal}/batches", batch)
        found = _said(answer)
        if answer.is_error and not found.get("kept"):
            raise BackendUnreachable(f"The backend did not take the batch: {_reason(answer)}")
        try:
            return int(found["nextPosition"]), list(found.get("refused", []))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise BackendUnreachable(f"The backend did not take the batch: {_reason(answer)}") from None

    def _ask(self, method: str, path: str, content: bytes | None = None) -> httpx.Response:
        headers = {} if content is None else {"Content-Type": "application/octet-stream"}
        try:
            return self._client.request(method, path, content=content, headers=headers)
        except httpx.TransportError:
            raise BackendUnreachable(
                "The backend cannot be reached; the terminal keeps its records. Try again later."
            ) from None


class HotlistAddress:
    """Where the desk's list of blocked passes is on the network. `transport` as httpx takes it."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        self._client = httpx.Client(transport=transport, timeout=30)

    def lacking(self, held: dict[str, Any]) -> bytes | None:
        """What a terminal lacks that says this of itself, None when it has the latest; raises NoHotlist."""
        if held["changes"]:
            changes = self._fetched("/changes", held)
            if changes is None or (part := changes.for_terminal(held["hotlist"])) is not None:
                return None if changes is None else part
        whole = self._fetched("", {**held, "changes": 0})
        return None if whole is None else whole.content

    def _fetched(self, part: str, held: dict[str, Any]) -> HotlistFile | None:
        try:
            answer = self._client.get(self._url + part, headers={"If-None-Match": f'"{held["changes"]}"'})
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise NoHotlist(f"{self._url} cannot be reached. {_SYNC_AGAIN}") from None
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            return None
        if answer.status_code != HTTPStatus.OK:
            raise NoHotlist(f"{self._url} gives no list of blocked passes: {_reason(answer, 'a desk')} {_SYNC_AGAIN}")
        return _signed_list(answer.content, held, self._url)


def _signed_list(signed: bytes, held: dict[str, Any], place: str) -> HotlistFile:
    try:
        return opened(signed, held["signers"])
    except NotSigned:
        raise NoHotlist(f"{place} gives no list that the city's desk signed. {_SYNC_AGAIN}") from None


def _accepted(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise BackendUnreachable(f"The backend refused: {_reason(answer)}")
    return answer


def _said(answer: httpx.Response) -> dict[str, Any]:
    """What an answer says, or the problem that it names; nothing when something else than one of ours answers."""
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _reason(answer: httpx.Response, expected: str = "a backend") -> str:
    found = _said(answer)
    return str(found.get("detail") or f"{found.get('title', f'this is not {expected}')} ({answer.status_code}).")


def date_of(day: int | None) -> date | None:
    """A day as terminals count them."""
    return None if day is None else date(*DAY_ZERO) + timedelta(days=day)


def about(link_to: Link) -> dict[str, Any]:
    """What a terminal says of itself: the device, and a book for each municipality that it serves.

    Raises TerminalError for what no terminal says.
    """
    try:
        found = json.loads(link_to.ask(link.HELLO))
    except (ValueError, RecursionError):
        found = None
    if not _fits(found, _DEVICE) or not all(_fits(book, _BOOK) for book in found["books"]):
        raise TerminalError("What answers there does not say what a terminal says. Is this the right port?")
    said: dict[str, Any] = found
    return said


def _fits(found: Any, form: _Form) -> bool:
    """Whether it has all that a form has, each of its kind."""
    if not isinstance(found, dict) or not all(isinstance(found.get(name, form), kind) for name, kind in form.items()):
        return False
    return all(0 <= (found[name] or 0) <= _LAST_DAY for name in _DAYS if name in form)


def in_words(found: dict[str, Any], today: date) -> list[str]:
    """What a terminal says of itself, for people; `today` is that of the one who reads it."""
    slot = f" in slot {found['slot']}" if found["slot"] else ""
    lines = [f"device: {found['device']}", f"firmware: version {found['version']}{slot}"]
    if found["trial"]:
        lines.append("This version is being tried; it is kept when the reader answers and the lists open.")
    if found["failed"] is not None:
        lines.append(f"Version {found['failed']} was tried and did not come up.")
    if found["error"]:
        lines.append(f"last error: {found['error']}")
    # Firmware from before key chips says nothing of it.
    if found.get("key_chip"):
        lines.append(f"key chip: {found['key_chip']}")
    if found["online"]:
        lines.append(f"last sync over Wi-Fi: {found['online']}")
    lines.append(f"room on the flash: {found['room'] // 1024} KB")
    for book in found["books"]:
        lines.append(f"municipality {book['issuer']}, terminal {book['terminal']}:")
        lines += [f"  {line}" for line in _book_in_words(book, today)]
    return lines if found["books"] else [*lines, "It has no keys yet; provision it first."]


def _book_in_words(book: dict[str, Any], today: date) -> list[str]:
    day, until = date_of(book["day"]), date_of(book["lease_until"])
    if day is None:
        return ["no keys yet; sync it"]
    lines = [f"clock: {day}" + ("" if day == today else f", and today is {today}; sync it")]
    lines.append(f"keys: good until {until}" if until else "keys: ended; sync it")
    lines.append(f"next keys: number {book['lease']}")
    lines.append(f"journal: {book['journal']} records, {book['doubts']} in doubt")
    lines.append(f"offers: version {book['bundle']}" if book["bundle"] else "offers: none; sync it")
    lines.append(
        f"blocked passes: version {book['hotlist']}" if book["hotlist"] else "blocked passes: no list; sync it"
    )
    if book["release"]:
        lines.append(f"approved firmware: version {book['release']}")
    return lines


def book_of(found: dict[str, Any], issuer: int | None = None) -> dict[str, Any]:
    """The book of a municipality, or the only one there is; raises TerminalError."""
    books: list[dict[str, Any]] = [book for book in found["books"] if issuer in (None, book["issuer"])]
    if not books or books[0]["terminal"] is None:
        raise TerminalError("This terminal has no keys yet; provision it first.")
    if len(books) > 1:
        numbers = ", ".join(str(book["issuer"]) for book in books)
        raise TerminalError(f"This terminal serves municipalities {numbers}; say which one with --issuer.")
    return books[0]


def enrol(link_to: Link) -> str:
    """The number of the device, 16 hex digits, by which the vault is to know it."""
    return str(about(link_to)["device"])


def provision(link_to: Link, device_keys: dict[str, Any], lease: bytes) -> int:
    """Give a device its wrapping key, once, and its first keys; returns the terminal's number.

    When it stopped half-way, it goes on where it stopped.
    """
    issuer = device_keys.get("issuer")
    if not isinstance(issuer, int):
        raise TerminalError("The device file does not say of which municipality it is; have the vault write it again.")
    waiting = [book for book in about(link_to)["books"] if book["issuer"] == issuer and book["lease"] == 0]
    if not waiting:
        link_to.ask(link.DEVICE, json.dumps(device_keys).encode())
    link_to.ask(link.LEASE, lease, issuer)
    return int(book_of(about(link_to), issuer)["terminal"])


def sync(
    link_to: Link,
    backend: Backend,
    hotlist: bytes | HotlistAddress | None,
    progress: Progress = lambda done, total: None,
    issuer: int | None = None,
) -> Report:
    """Hand in what the backend lacks, renew the keys, bring the bundle and the hotlist. Safe to repeat at any point.

    The order is in `terminal.firmware.sync`. When a list does not come, or the city did not sign it, all else is done,
    and NoOffers or NoHotlist says so. `issuer` names the municipality on a terminal that serves several.
    """
    book = book_of(about(link_to), issuer)
    try:
        report: Report = in_order(link_to.ask, backend, book, progress)
    except NoOffers:
        _bring_hotlist(link_to, hotlist, book["issuer"], progress)
        raise
    _bring_hotlist(link_to, hotlist, book["issuer"], progress)
    report.lease_until = date_of(report.lease_until)
    return report


def _bring_hotlist(link_to: Link, hotlist: bytes | HotlistAddress | None, issuer: int, progress: Progress) -> None:
    if hotlist is None:
        return
    held = book_of(about(link_to), issuer)
    if isinstance(hotlist, HotlistAddress):
        lacking = hotlist.lacking(held)
    else:
        lacking = _signed_list(hotlist, held, "The file").for_terminal(held["hotlist"])
        if lacking is None:
            raise NoHotlist(f"The file has changes to another list than the one on the terminal. {_SYNC_AGAIN}")
    if lacking is not None:
        bring(link_to, issuer, link.HOTLIST, lacking, progress)


@dataclass(frozen=True)
class Package:
    """A release of the firmware whose signature was checked."""

    version: int
    content: bytes


def signed_package(path: Path, signer: str) -> Package:
    """The package in a file, which the holder of `signer` (public key, 64 hex digits) signed in FILE.sig."""
    try:
        content, signature = path.read_bytes(), path.with_name(path.name + ".sig").read_bytes()
    except OSError as error:
        raise TerminalError(f"{error.filename} is not there; a release is a package and its signature.") from None
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer)).verify(signature, content)
    except ValueError:
        raise TerminalError("The signer is a public key of 64 digits 0-9 or a-f, as `keys sign` says it.") from None
    except InvalidSignature:
        raise TerminalError(f"{path} was not signed with this key, or was altered. Get the release anew.") from None
    try:
        return Package(release.version_of(content), content)
    except CardError:
        raise TerminalError(f"{path} is signed, but it is no package of firmware.") from None


def update(
    open_link: Callable[[], Link],
    package: Package,
    progress: Progress = lambda done, total: None,
    patience_s: float = 60,
) -> None:
    """Bring new firmware, and see it come up; raises TerminalError when it did not, and the one before runs again.

    The terminal takes what its lease approves and nothing else. One that was interrupted goes on where it stopped.
    """
    link_to = open_link()
    try:
        found = about(link_to)
        if found["version"] == package.version:
            raise TerminalError(f"Version {package.version} runs here already.")
        bring(link_to, link.WHOLE_DEVICE, link.FIRMWARE, package.content, progress)
    finally:
        link_to.close()
    _see_it_come_up(open_link, package.version, patience_s)


def _see_it_come_up(open_link: Callable[[], Link], version: int, patience_s: float) -> None:
    deadline, said = time.monotonic() + patience_s, "The terminal has the new version, and does not come back."
    while time.monotonic() < deadline:
        try:
            link_to = open_link()
        except TerminalError:
            time.sleep(_LOOK_AGAIN_S)
            continue
        try:
            found = about(link_to)
        except TerminalError:
            continue
        finally:
            link_to.close()
        if found["failed"] == version:
            raise TerminalError(
                f"Version {version} did not come up, so {found['version']} runs again. It said: {found['error']}."
            )
        if found["version"] == version:
            if not found["trial"]:
                return
            said = f"Version {version} runs, and is kept when the reader answers. Check its cable."
        # Else the one before answers still: it ends in a moment.
        time.sleep(_LOOK_AGAIN_S)
    raise TerminalError(f"{said} Switch it off and on, and look with `diagnose`.")


def bring(
    link_to: Link, issuer: int, name: bytes, content: bytes, progress: Progress = lambda done, total: None
) -> None:
    """Bring a file in parts; it goes on where an earlier try stopped. The terminal takes it, or refuses."""
    total, digest = len(content), hashlib.sha256(content).digest()[: link.DIGEST_BYTES]
    here, in_vain = _part(link_to, issuer, link.part(name, total, digest, 0, b"")), 0
    while here < total:
        chunk = content[here : here + link.MOST_CHUNK]
        after = _part(link_to, issuer, link.part(name, total, digest, here, chunk))
        in_vain = 0 if after > here else in_vain + 1
        if in_vain == _NO_PROGRESS:
            raise TerminalError("The terminal keeps asking for the same part; switch it off and on, and do this again.")
        here = after
        progress(here, total)


def _part(link_to: Link, issuer: int, part: bytes) -> int:
    answer = link_to.ask(link.PART, part, issuer)
    if len(answer) != 4:
        raise TerminalError("The terminal answers another question; try again.")
    return int(read_uint(answer, 0, 4))
