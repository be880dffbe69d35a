"""The host's side of a terminal: provision it, bring its keys and lists, and carry its journal to the backend.

The host carries only what is sealed: it can lose a batch, and then fetches it again; it cannot read or change one. The
one thing that it could read is the wrapping key, which somebody brings by hand, once.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import httpx
import serial

from card.record import DAY_ZERO
from card.wire import uint
from terminal.errors import BackendUnreachable, NoHotlist, TerminalError, VaultUnreachable
from terminal.firmware import link
from terminal.firmware.device import Device
from terminal.hotlist import HotlistFile, NotSigned, opened

_TRIES = 3
_ONCE = (link.DEVICE, link.LEASE)
_SYNC_AGAIN = "The rest is done; passes that were blocked since the last list still work here, so sync again."


class Link(Protocol):
    """A way to put one question to a terminal."""

    def ask(self, kind: bytes, content: bytes = b"", issuer: int = 0) -> bytes:
        """The answer's content; raises TerminalError. `issuer`: of which municipality, 0 for the device as a whole."""


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

    def ask(self, kind: bytes, content: bytes = b"", issuer: int = 0) -> bytes:
        """Asks again when nothing comes: every question but the handing over of keys may be put twice."""
        tries = 1 if kind in _ONCE else _TRIES
        for _ in range(tries):
            got = self._ask_once(link.frame(kind, issuer, content), self._timeout_s / tries)
            if got is not None:
                return _content(kind, got[0], got[2])
        raise TerminalError("The terminal does not answer. Is it switched on, and is this the right port?")

    def _ask_once(self, question: bytes, timeout_s: float) -> tuple[bytes, int, bytes] | None:
        self._port.reset_input_buffer()
        self._port.write(question)
        frames = link.Frames()
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            got: tuple[bytes, int, bytes] | None = frames.feed(self._port.read(max(1, self._port.in_waiting)))
            if got is not None:
                return got
        return None


class DirectLink:
    """The PC terminal, which runs in this very process."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def ask(self, kind: bytes, content: bytes = b"", issuer: int = 0) -> bytes:
        return _content(kind, *self._device.answer(kind, issuer, content))


def _content(asked: bytes, kind: bytes, content: bytes) -> bytes:
    if kind == link.REFUSED:
        raise TerminalError(f"The terminal refused: {content.decode(errors='replace')}.")
    if kind != asked:
        raise TerminalError("The terminal answers another question; try again.")
    return content


class Backend:
    """The backend's HTTP interface as far as a host needs it. `transport` as httpx takes it."""

    def __init__(self, base_url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(base_url=base_url, transport=transport, timeout=30)

    def next_position(self, terminal: int) -> int:
        """The first position of this terminal that the backend does not hold."""
        return int(self._request("GET", f"/v1/terminals/{terminal}").json()["nextPosition"])

    def bundle(self, terminal: int) -> bytes:
        """The sealed bundle of the day."""
        return self._request("GET", f"/v1/terminals/{terminal}/bundle").content

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

    def hand_in(self, terminal: int, batch: bytes) -> httpx.Response:
        """Upload a batch. Also an answer that refuses counts as handed in when it says `kept`."""
        try:
            answer = self._client.post(
                f"/v1/terminals/{terminal}/batches",
                content=batch,
                headers={"Content-Type": "application/octet-stream"},
            )
        except httpx.TransportError:
            raise BackendUnreachable("The backend cannot be reached; the terminal keeps its records.") from None
        if answer.is_error and not _problem(answer).get("kept"):
            raise BackendUnreachable(f"The backend did not take the batch: {_reason(answer)}")
        return answer

    def _request(self, method: str, path: str) -> httpx.Response:
        return _accepted(self._ask(method, path))

    def _ask(self, method: str, path: str) -> httpx.Response:
        try:
            return self._client.request(method, path)
        except httpx.TransportError:
            raise BackendUnreachable("The backend cannot be reached; try again later.") from None


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


def _problem(answer: httpx.Response) -> dict[str, Any]:
    """What an answer with an error says of it; nothing when something else than one of ours answers."""
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(answer: httpx.Response, expected: str = "a backend") -> str:
    found = _problem(answer)
    return str(found.get("detail") or f"{found.get('title', f'this is not {expected}')} ({answer.status_code}).")


@dataclass
class SyncReport:
    """What a sync did. `lease_until`: the last day of the keys, None when they have ended."""

    terminal: int
    handed_in: int = 0
    refused: list[dict[str, object]] = field(default_factory=list)
    open_doubts: int = 0
    lease_until: date | None = None
    warning: str | None = None


def date_of(day: int | None) -> date | None:
    """A day as terminals count them."""
    return None if day is None else date(*DAY_ZERO) + timedelta(days=day)


def about(link_to: Link) -> dict[str, Any]:
    """What a terminal says of itself."""
    found: dict[str, Any] = json.loads(link_to.ask(link.HELLO))
    return found


def enrol(link_to: Link) -> str:
    """The number of the device, 16 hex digits, by which the vault is to know it."""
    return str(about(link_to)["device"])


def book_in(found: dict[str, Any], issuer: int | None = None) -> dict[str, Any]:
    """What a terminal says of one municipality: the one with this number, or the only one that it serves."""
    books: list[dict[str, Any]] = [book for book in found["books"] if issuer in (None, book["issuer"])]
    if len(books) > 1:
        numbers = ", ".join(str(book["issuer"]) for book in books)
        raise TerminalError(f"This terminal serves the municipalities {numbers}; say which one.")
    if not books or books[0]["terminal"] is None:
        raise TerminalError("This terminal has no keys yet; provision it first.")
    return books[0]


def provision(link_to: Link, device_keys: dict[str, object], lease: bytes) -> int:
    """Give a device its wrapping key, once, and its first keys; returns the terminal's number.

    When it stopped half-way, it goes on where it stopped.
    """
    issuer = device_keys.get("issuer")
    held = [book for book in about(link_to)["books"] if book["issuer"] == issuer]
    if not held or not held[0]["enrolled"] or held[0]["lease"] > 0:
        link_to.ask(link.DEVICE, json.dumps(device_keys).encode())
    assert isinstance(issuer, int)  # the terminal took it as a number
    link_to.ask(link.LEASE, lease, issuer)
    return int(book_in(about(link_to), issuer)["terminal"])


def sync(
    link_to: Link,
    backend: Backend,
    hotlist: bytes | HotlistAddress | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    issuer: int | None = None,
) -> SyncReport:
    """Hand in what the backend lacks, renew the keys, bring the bundle and the hotlist. Safe to repeat at any point.

    `issuer`: which municipality's backend and hotlist these are; a terminal that serves one need not be told.
    Also a terminal that gets no more keys has handed in what it holds. While the vault cannot be reached, the keys that
    are there still count, and the report has a warning. The list of blocked passes comes last: when its address gives
    none, all else is done, and NoHotlist says so.
    """
    found = book_in(about(link_to), issuer)
    issuer = int(found["issuer"])
    report = SyncReport(found["terminal"], open_doubts=found["doubts"])
    _hand_in(link_to, backend, found, report, progress)
    try:
        link_to.ask(link.LEASE, backend.lease(report.terminal, found["lease"]), issuer)
    except VaultUnreachable as error:
        report.warning = str(error)
    link_to.ask(link.BUNDLE, backend.bundle(report.terminal), issuer)
    if hotlist is not None:
        _bring_hotlist(link_to, hotlist, issuer)
    report.lease_until = date_of(book_in(about(link_to), issuer)["lease_until"])
    return report


def _bring_hotlist(link_to: Link, hotlist: bytes | HotlistAddress, issuer: int) -> None:
    held = book_in(about(link_to), issuer)
    if isinstance(hotlist, HotlistAddress):
        lacking = hotlist.lacking(held)
    else:
        lacking = _signed_list(hotlist, held, "The file").for_terminal(held["hotlist"])
        if lacking is None:
            raise NoHotlist(f"The file has changes to another list than the one on the terminal. {_SYNC_AGAIN}")
    if lacking is not None:
        link_to.ask(link.HOTLIST, lacking, issuer)


def _hand_in(
    link_to: Link, backend: Backend, book: dict[str, Any], report: SyncReport, progress: Callable[[int, int], None]
) -> None:
    count = book["journal"]
    position = backend.next_position(report.terminal)
    while position <= count:
        answer = backend.hand_in(report.terminal, link_to.ask(link.JOURNAL, uint(position, 4), book["issuer"])).json()
        report.refused += answer.get("refused", [])
        if answer["nextPosition"] <= position:
            raise BackendUnreachable("The backend keeps asking for the same records; see its quarantine.")
        report.handed_in += answer["nextPosition"] - position
        position = answer["nextPosition"]
        progress(position - 1, count)
