"""A board with Wi-Fi against the real backend behind TLS: whatever the line does, nothing is lost or doubled."""

import base64
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from backend import config as backend_config
from backend.clearing import Clearing
from backend.http import create_app
from keys import certificates
from keys.days import date_of
from keys.hand_out import hand_out
from keys.http import BACKEND, Caller
from keys.http import create_app as create_vault
from terminal.firmware import online
from terminal.firmware.boards import esp32_s3, pico_w
from terminal.firmware.errors import BackendUnreachable
from terminal.firmware.storage import FileStorage
from tests.city import (
    CENTS,
    DAY,
    ISSUER,
    MICROPYTHON,
    ROOT,
    PaperLog,
    PcTerminal,
    make_pass,
    purses_of,
    signed_hotlist,
    vault_of,
)

VENUES = ROOT / "meedoen/demo/venues.toml"
TOKEN = "transport-token-of-the-venue"
PASSWORD = "wifi-password-of-the-pool"


class Front:
    """The backend and the desk behind TLS on this machine. `fault(number, path)` names what goes wrong with a call."""

    def __init__(self, app, files):
        self._client = httpx.Client(base_url="http://backend", transport=httpx.WSGITransport(app))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files / "vault.pem", files / "vault.key")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.calls, self.list, self.fault = [], b"", lambda number, path: None
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as line:
                    self._answer(line)
            except OSError:
                plain.close()

    def _answer(self, line):
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += self._more(line)
        head, _, body = asked.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = dict(row.split(": ", 1) for row in rest)
        while len(body) < int(headers.get("Content-Length", 0)):
            body += self._more(line)
        fault = self.fault(len(self.calls), path)
        self.calls.append(path)
        if fault == "before":
            return
        status, content = self._real(method, path, headers, body)
        sent = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
        FAULTS.get(fault, lambda line, sent: line.sendall(sent))(line, sent)

    @staticmethod
    def _more(line):
        received = line.recv(4096)
        if not received:
            raise ConnectionError("the terminal hung up")
        return received

    def _real(self, method, path, headers, body):
        if path == "/hotlist":
            if headers["If-None-Match"] == f'"{int.from_bytes(self.list[:4], "little")}"':
                return 304, b""
            return 200, self.list
        answer = self._client.request(method, path, headers=headers, content=body)
        return answer.status_code, answer.content


FAULTS = {
    "cut in the head": lambda line, sent: line.sendall(sent[:10]),
    "cut in the body": lambda line, sent: line.sendall(sent[:-1]),
    "500": lambda line, sent: line.sendall(b"HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}"),
    "garbage": lambda line, sent: line.sendall(os.urandom(3000)),
    "text": lambda line, sent: line.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhello"),
    "no length": lambda line, sent: line.sendall(b"HTTP/1.1 200 X\r\n\r\nhello"),
    "endless": lambda line, sent: line.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 99999999\r\n\r\n" + bytes(70000)),
    "a long line": lambda line, sent: line.sendall(b"HTTP/1.1 200 " + b"x" * 70000),
    "many headers": lambda line, sent: line.sendall(b"HTTP/1.1 200 X\r\n" + b"a: b\r\n" * 1000),
    "a page": lambda line, sent: line.sendall(b"HTTP/1.1 302 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"),
    "slow": lambda line, sent: time.sleep(1.5),
}


@pytest.fixture
def vault():
    return vault_of()


@pytest.fixture
def clearing(tmp_path, vault):
    hand_out(tmp_path / "vault", vault)
    config = backend_config.make(
        tmp_path / "backend",
        ROOT / "schemes/gelrepas.toml",
        tmp_path / "vault/backend.json",
        "NL38BNGH0285000123",
        vault_address="http://vault",
        transport_token=TOKEN,
        finance_token="finance-token-of-the-city",
    )
    transport = httpx.WSGITransport(Caller(create_vault(vault, PaperLog()), BACKEND))
    noon = datetime(*date_of(DAY).timetuple()[:3], 12, tzinfo=UTC)
    made = Clearing(config, transport, lambda: noon)
    made.set_up()
    made.venues.import_file(VENUES, date_of(DAY))
    yield made
    made.close()


@pytest.fixture
def tls(tmp_path):
    certificates.make(tmp_path / "tls", "localhost", (), datetime.now(UTC))
    return tmp_path / "tls"


@pytest.fixture
def front(clearing, tls):
    made = Front(create_app(clearing.config, clearing), tls)
    made.list = signed_hotlist(version=2)
    yield made
    made.close()


@pytest.fixture
def terminal(tmp_path, vault, front, tls):
    """A terminal with two taps in its journal, and the settings of its Wi-Fi."""
    (tmp_path / "flash").mkdir()
    storage = FileStorage(str(tmp_path / "flash/journal0"), 64)
    made = PcTerminal(tmp_path / "flash", vault=vault, storage=storage)
    card, _ = make_pass()
    for _ in range(2):
        assert made.tap(card)[1] == "00"
    assert purses_of(card)[CENTS] == 1200
    settle(made, front, tls)
    return made


def settle(terminal, front, tls, host="localhost", **other):
    content = {
        "issuer": ISSUER,
        "backend": f"https://{host}:{front.port}",
        "hotlist": f"https://{host}:{front.port}/hotlist",
        "token": TOKEN,
        "ca": base64.b64encode(authority(tls)).decode(),
        "ssid": "pool",
        "password": PASSWORD,
        **other,
    }
    (terminal.flash / "online.json").write_text(json.dumps(content))


def authority(tls):
    return x509.load_pem_x509_certificate((tls / "ca.pem").read_bytes()).public_bytes(Encoding.DER)


def sync(terminal):
    """On MicroPython; what it says, and that it says no secret."""
    return lines_of_sync(terminal)[-1]


def lines_of_sync(terminal):
    """How often the watchdog was fed, and how the sync ended."""
    script = ROOT / "tests/terminal/online_once.py"
    answer = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=384k", str(script), str(terminal.flash)],
        env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert PASSWORD not in answer.stdout + answer.stderr
    assert TOKEN not in answer.stdout + answer.stderr
    terminal.boot()
    return answer.stdout.splitlines()


def held(clearing):
    return clearing.ingest.next_position(101) - 1


def test_a_board_syncs_by_itself(terminal, clearing, front):
    assert sync(terminal) == "done 2 None"
    about = terminal.about()
    assert (held(clearing), about["lease"], about["hotlist"]) == (2, 2, 2)
    assert front.calls == [
        "/v1/terminals/101",
        "/v1/terminals/101/batches",
        "/v1/terminals/101/leases/1",
        "/v1/terminals/101/bundle",
        "/hotlist",
    ]
    assert sync(terminal) == "done 0 None"
    assert held(clearing) == 2


@pytest.mark.parametrize("fault", ["before", *FAULTS])
def test_a_line_that_fails_at_any_call_loses_nothing_and_doubles_nothing(terminal, clearing, front, fault):
    for at in range(5):
        begins = len(front.calls)
        front.fault = lambda number, path, wrong=begins + at: fault if number == wrong else None
        said = sync(terminal)
        assert said.startswith(("later:", "refused:", "done")), said
        assert not said.startswith("done") or at in (2, 4)
    front.fault = lambda number, path: None
    assert sync(terminal).startswith("done")
    assert held(clearing) == 2
    assert terminal.about()["hotlist"] == 2
    assert [entry.position for entry in terminal.entries()] == [1, 2]


def test_a_list_that_is_not_the_citys_changes_nothing(terminal, front):
    front.list = b"\x09" * 5000
    assert sync(terminal) == "refused: this is not a hotlist of the city"
    assert terminal.about()["hotlist"] == 1
    assert not (terminal.flash / "incoming").exists()


class Waiting:
    """A terminal at which nobody is, or somebody."""

    idle = True
    books = ()
    online = None


class Clock:
    """A board on a cable: no radio."""

    second = fed = 0

    def seconds_on(self):
        return self.second

    def feed(self):
        self.fed += 1

    def radio(self, settings):
        return None


def test_it_syncs_every_hour_sooner_after_a_failure_and_never_while_somebody_is_served(monkeypatch):
    board, done, device = Clock(), [], Waiting()
    made = online.Online({}, board)

    def sync(device, settings, feed):
        done.append(board.second)
        if len(done) == 2:
            raise BackendUnreachable("the backend cannot be reached")

    monkeypatch.setattr(online, "sync", sync)
    for board.second in range(0, 8000, 50):
        device.idle = board.second != 3600
        made.turn(device)
        assert (device.online is None) == (not 3650 <= board.second < 3950)
    assert done == [0, 3650, 3950, 7550]


def test_no_step_of_a_sync_waits_longer_than_the_watchdog(terminal):
    """It is fed before each call that may wait, and each of these ends before it bites."""
    for board in (pico_w, esp32_s3):
        assert board.BOARD["watchdog_ms"] > online._TIMEOUT_S * 1000
    fed, ended = lines_of_sync(terminal)
    assert ended == "done 2 None"
    assert int(fed.split()[1]) > 100


def test_a_server_with_another_authority_gets_no_record(terminal, clearing, front, tls, tmp_path):
    certificates.make(tmp_path / "other", "localhost", (), datetime.now(UTC))
    settle(terminal, front, tmp_path / "other")
    assert sync(terminal) == "later: the backend cannot be reached"
    assert (front.calls, held(clearing)) == ([], 0)


def test_a_server_with_another_name_gets_no_record(terminal, clearing, front, tls):
    settle(terminal, front, tls, host="127.0.0.1")
    assert sync(terminal) == "later: the backend cannot be reached"
    assert (front.calls, held(clearing)) == ([], 0)


def test_a_certificate_that_ended_gets_no_record(terminal, clearing, tls, tmp_path):
    certificates.make(tmp_path / "old", "localhost", (), datetime.now(UTC) - timedelta(days=3 * 365))
    front = Front(create_app(clearing.config, clearing), tmp_path / "old")
    settle(terminal, front, tmp_path / "old")
    assert sync(terminal) == "later: the backend cannot be reached"
    assert front.calls == []
    front.close()


@pytest.mark.parametrize(
    "backend", ["http://localhost:1", "https://localhost:1", "https://nowhere.invalid", "https://"]
)
def test_an_address_where_nobody_is_or_that_is_not_https(terminal, front, tls, backend):
    settle(terminal, front, tls, backend=backend)
    assert sync(terminal) == "later: the backend cannot be reached"


def test_a_wrong_token_is_refused_and_nothing_is_lost(terminal, clearing, front, tls):
    settle(terminal, front, tls, token="another")
    assert sync(terminal) == "later: the backend refused (401)"
    assert held(clearing) == 0
