"""A board with Wi-Fi syncs by itself: the steps of any sync, over HTTPS straight to the backend.

`online.json` on the flash says where: `issuer`, `backend` (https address), `hotlist` (address of the desk, or none),
`token`, `ca` (certificate of the authority, DER, in base64), and `ssid` and `password` for the board. What is in it is
never shown.
"""

import json
import socket
import ssl
from binascii import a2b_base64, unhexlify

from card.signing import SEAL_BYTES
from terminal.firmware import link
from terminal.firmware.errors import BackendUnreachable, FlashError, ListRefused, VaultUnreachable

_FILE = "online.json"
_EVERY_S = 3600
_AGAIN_S = 300
# Shorter than a watchdog waits, which is fed before each step.
_TIMEOUT_S = 6
_PIECE = 512
_MOST_LINE = 512
_MOST_LINES = 40
_MOST_ANSWER = 16384
_MOST_FILE = 0x100000
_PORT = 443
_UNREACHABLE = "the backend cannot be reached"


class Online:
    """`turn()` is called in the loop; it syncs when it is time and nobody is being served.

    `board`: `seconds_on()`; `feed()`, for its watchdog; `radio(settings)`, a Wifi or None where there is a network
    always; and `set_calendar(day)` where there is a radio.
    """

    def __init__(self, settings, board):
        self._settings = settings
        self._board = board
        self._radio = board.radio(settings)
        self._next = 0

    def turn(self, device):
        if self._board.seconds_on() < self._next or not device.idle:
            return
        said = None
        try:
            if not self._joined(device):
                return
            sync(device, self._settings, self._board.feed)
        except (BackendUnreachable, ListRefused, FlashError) as error:
            said = str(error)
        except MemoryError:
            said = "there is not memory enough for this now"
        if self._radio is not None:
            self._radio.leave()
        # A sentence without addresses or secrets, for who looks.
        device.online = said
        self._next = self._board.seconds_on() + (_AGAIN_S if said else _EVERY_S)

    def _joined(self, device):
        if self._radio is None:
            return True
        if not self._radio.joined():
            return False
        # The clock of the chip, which says whether a certificate is valid, begins anew with each start.
        self._board.set_calendar(max([book.days.today for book in device.books] + [0]))
        return True


def online_of(device, board):
    """From the settings on the flash; None for a device without."""
    kept = device.flash.read(_FILE)
    if kept is None:
        return None
    try:
        return Online(json.loads(kept), board)
    except ValueError:
        device.online = "the file with the Wi-Fi cannot be read; bring it again"
        return None


def sync(device, settings, feed):
    """Sync every municipality that `settings` has a backend for; raises BackendUnreachable, and nothing is lost.

    `feed()` is called before each step that may take a while.
    """
    from terminal.firmware.sync import sync as in_order

    ask = _asker(device, feed)
    backend = HttpsBackend(settings, feed)
    found = json.loads(ask(link.HELLO))
    for book in found["books"]:
        if book["issuer"] == settings["issuer"]:
            report = in_order(ask, backend, book, _no_progress)
            if settings.get("hotlist"):
                backend.bring_hotlist(device, book)
            return report
    raise ListRefused("this terminal has no keys yet; provision it first")


def _no_progress(done, total):
    pass


def _asker(device, feed):
    def ask(kind, content=b"", issuer=link.WHOLE_DEVICE):
        feed()
        answered, said = device.answer(kind, issuer, content)
        if answered == link.REFUSED:
            raise ListRefused(said.decode())
        return said

    return ask


class HttpsBackend:
    """The backend's calls that `sync` needs. Whatever goes wrong on the way is BackendUnreachable."""

    def __init__(self, settings, feed):
        self._settings = settings
        self._feed = feed
        self._base = settings["backend"].rstrip("/")

    def where(self, terminal):
        found = self._json(self._good("GET", "/v1/terminals/%d" % terminal, None))
        try:
            return found["nextPosition"], unhexlify(found["challenge"])
        except (KeyError, ValueError, TypeError):
            raise BackendUnreachable("the backend answers something else")

    def hand_in(self, terminal, batch):
        """Also an answer that refuses counts as handed in when it says `kept`."""
        status, body = self._call("POST", self._base + "/v1/terminals/%d/batches" % terminal, batch)
        found = self._json(body)
        if (status != 200 and not found.get("kept")) or not isinstance(found.get("nextPosition"), int):
            raise BackendUnreachable("the backend did not take the records (%d)" % status)
        return found["nextPosition"], found.get("refused", [])

    def lease(self, terminal, number):
        status, body = self._call("GET", self._base + "/v1/terminals/%d/leases/%d" % (terminal, number), None)
        if status >= 500:
            raise VaultUnreachable("the keys could not be renewed")
        if status == 404:
            raise ListRefused("the keys of this terminal were revoked, or never issued")
        return self._accepted(status, body)

    def bundle(self, terminal, statement):
        # What stands behind a list is for hosts; the MAC in it is for us.
        return self._good("POST", "/v1/terminals/%d/bundle" % terminal, statement)[:-SEAL_BYTES]

    def bring_hotlist(self, device, book):
        """The list of blocked passes, when there is another one than `book` has; piece by piece onto the flash."""
        tag = {"If-None-Match": '"%d"' % book["changes"]}
        device.flash.remove("incoming")
        held = [b""]

        def keep(piece):
            piece = held[0] + piece
            held[0] = piece[-SEAL_BYTES:]
            device.flash.append("incoming", piece[:-SEAL_BYTES])

        status, body = self._call("GET", self._settings["hotlist"], None, tag, keep, _MOST_FILE)
        if status != 304:
            self._accepted(status, body)
            device.take_incoming(book["issuer"], link.HOTLIST)

    def _good(self, method, path, content):
        return self._accepted(*self._call(method, self._base + path, content))

    def _accepted(self, status, body):
        if status != 200:
            raise BackendUnreachable("the backend refused (%d)" % status)
        return body

    def _json(self, body):
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise BackendUnreachable("the backend answers something else")
        return found

    def _call(self, method, address, content, headers=None, keep=None, most=_MOST_ANSWER):
        """`(status, body)`; raises BackendUnreachable when the answer is not complete, or not HTTP.

        With `keep`, the body of an answer that is good goes there in pieces, at most `most` bytes.
        """
        try:
            return _request(self._settings, self._feed, method, address, content, headers or {}, keep, most)
        except (OSError, ValueError, IndexError, UnicodeError):
            raise BackendUnreachable(_UNREACHABLE)


def _request(settings, feed, method, address, content, headers, keep, most):
    host, port, path = _parts(address)
    line = open_line(settings, feed, host, port)
    try:
        head = "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n" % (method, path, host)
        if settings.get("token"):
            head += "Authorization: Bearer %s\r\n" % settings["token"]
        for name in headers:
            head += "%s: %s\r\n" % (name, headers[name])
        if content is not None:
            head += "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n" % len(content)
        line.write(head.encode() + b"\r\n")
        if content is not None:
            line.write(content)
        return _answer(line, keep, most)
    finally:
        line.close()


def _parts(address):
    """`(host, port, path)` of an https address."""
    if not address.startswith("https://"):
        raise ValueError("not an https address")
    place, _, path = address[8:].partition("/")
    host, colon, port = place.partition(":")
    return host, int(port) if colon else _PORT, "/" + path


def open_line(settings, feed, host, port):
    """A TLS line to a host whose certificate the authority in the settings signed, and that bears its name."""
    feed()
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
    plain = socket.socket(found[0], found[1], found[2])
    try:
        plain.settimeout(_TIMEOUT_S)
        feed()
        plain.connect(found[-1])
        feed()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED  # type: ignore[attr-defined, unused-ignore]
        context.load_verify_locations(cadata=a2b_base64(settings["ca"]))
        return _Line(context.wrap_socket(plain, server_hostname=host), feed)
    except (OSError, ValueError):
        plain.close()
        raise


class _Line:
    """A TLS socket with the same two calls on both Pythons."""

    def __init__(self, wrapped, feed):
        self._wrapped = wrapped
        self._feed = feed
        self._read = wrapped.read
        self._write = wrapped.write
        self.close = wrapped.close

    def write(self, data):
        view = memoryview(data)
        sent = 0
        while sent < len(data):
            self._feed()
            count = self._write(view[sent : sent + _PIECE])
            if not count:
                raise OSError("the line takes nothing")
            sent += count

    def read(self, count):
        """1 to `count` bytes; raises OSError at the end or when nothing comes in time."""
        self._feed()
        data = self._read(count)
        if not data:
            raise OSError("the line is cut")
        return data


def _answer(line, keep, most):
    """`(status, body)` of an answer whose length is said; raises OSError or ValueError for any other."""
    status, length = int(_text(line).split(" ")[1]), None
    for _ in range(_MOST_LINES):
        name, _, value = _text(line).partition(":")
        if not name:
            break
        if name.lower() == "content-length":
            length = int(value)
    else:
        raise ValueError("too many headers")
    if status in (204, 304):
        return status, b""
    if length is None or not 0 <= length <= most:
        raise ValueError("an answer of unknown length, or too long")
    body = bytearray()
    if keep is None or status != 200:
        keep = body.extend
        if length > _MOST_ANSWER:
            raise ValueError("an answer that is too long")
    while length:
        piece = line.read(min(_PIECE, length))
        keep(piece)
        length -= len(piece)
    return status, bytes(body)


def _text(line):
    """One line of the head."""
    text = bytearray()
    for _ in range(_MOST_LINE):
        text.extend(line.read(1))
        if text[-2:] == b"\r\n":
            return text[:-2].decode()
    raise ValueError("too long a line")
