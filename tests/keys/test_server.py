"""The vault as a process: who it lets in, how it takes other keys, and that it keeps nothing."""

import hashlib
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import time

import httpx
import pytest

from keys import opening, register
from keys.audit_log import FILE_NAME as LOG
from keys.audit_log import AuditLog
from keys.certificates import make
from keys.days import utc_now
from keys.errors import KeyStoreError
from keys.http import BACKEND, ISSUER, MOST_RECORDS, PARTIES
from keys.register import Terminal
from keys.server import Sockets, socket_path
from tests.keys.a_vault import PASSPHRASE, client, make_vault, running
from tests.records import PaperPass, many
from web.log import FIELDS

CARD = {"uid": "04112233445566", "generation": 1}


@pytest.fixture
def folder(tmp_path):
    make_vault(tmp_path / "vault")
    return tmp_path / "vault"


def opened(folder):
    return opening.open_store(folder, lambda wanted: [PASSPHRASE])


def contents(folder):
    """The hash of every file but the log and what says that a process runs."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOG
    }


# Who is let in


def test_each_party_has_its_own_socket_and_the_other_one_does_not_help(folder):
    with running(folder):
        assert client(folder, ISSUER).post("/v1/card-keys", json=CARD).status_code == 200
        assert client(folder, BACKEND).post("/v1/card-keys", json=CARD).status_code == 403
        assert client(folder, ISSUER).post("/v1/prove", content=bytes(102)).status_code == 403
        assert client(folder, BACKEND).post("/v1/prove", content=bytes(102)).status_code == 200


def test_another_user_of_the_machine_is_a_stranger(folder):
    with running(folder, "--issuer-user", "nobody"):
        answer = client(folder, ISSUER).post("/v1/card-keys", json=CARD)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert client(folder, BACKEND).post("/v1/prove", content=bytes(102)).status_code == 200
    assert '"actor":"stranger"' in (folder / LOG).read_text()


def test_what_the_server_around_the_vault_says_has_the_six_fields(folder):
    with running(folder) as process:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(socket_path(folder / "run", BACKEND)))
            line.sendall(b"nonsense\r\n\r\n")
            assert line.recv(100)
        process.terminate()
        (said,) = [line for line in process.stdout.read().splitlines() if b"Invalid request" in line]
    assert json.loads(said).keys() == FIELDS | {"at"}


def test_a_user_that_the_machine_does_not_have_is_refused(folder):
    command = [sys.executable, "-m", "meedoen", "keys", "serve", "--data", str(folder), "--issuer-user", "no one"]
    environment = {**os.environ, "MEEDOEN_PASSPHRASES": str(folder.with_name("passphrases"))}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (answer.returncode, answer.stderr) == (1, "There is no user no one on this machine.\n")


def test_a_wrong_passphrase_is_said_before_anything_runs(folder):
    folder.with_name("passphrases").write_text("wrong\n")
    command = [sys.executable, "-m", "meedoen", "keys", "serve", "--data", str(folder)]
    environment = {**os.environ, "MEEDOEN_PASSPHRASES": str(folder.with_name("passphrases"))}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (answer.returncode, "check each passphrase" in answer.stderr) == (1, True)
    assert not (folder / "run").exists()


def test_a_path_that_no_socket_can_have_is_refused(tmp_path):
    with pytest.raises(KeyStoreError, match="shorter folder"):
        Sockets(tmp_path / ("x" * 100), {}).options()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def over_tls(folder, party, port, ca=None):
    context = ssl.create_default_context(cafile=ca or folder / "tls/ca.pem")
    if party:
        context.load_cert_chain(folder / f"tls/{party}.pem", folder / f"tls/{party}.key")
    return httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context, timeout=60)


def test_over_tls_the_certificate_says_who_calls(folder, tmp_path):
    port = free_port()
    store, about = opened(folder)
    about.address = f"127.0.0.1:{port}"
    register.save(folder, about, store)
    make(folder / "tls", "127.0.0.1", PARTIES, utc_now())
    make(tmp_path / "other/tls", "127.0.0.1", PARTIES, utc_now())
    with running(folder):
        _until_it_listens(port)
        assert over_tls(folder, ISSUER, port).post("/v1/card-keys", json=CARD).status_code == 200
        assert over_tls(folder, BACKEND, port).post("/v1/card-keys", json=CARD).status_code == 403
        strangers = (
            over_tls(folder, None, port),
            over_tls(folder, "vault", port),  # the vault's own certificate is good for nothing else
            over_tls(tmp_path / "other", ISSUER, port, folder / "tls/ca.pem"),
        )
        for stranger in strangers:
            with pytest.raises(httpx.TransportError):
                stranger.post("/v1/card-keys", json=CARD)
        with pytest.raises(httpx.TransportError):
            over_tls(folder, ISSUER, port, tmp_path / "other/tls/ca.pem").post("/v1/card-keys", json=CARD)
        old = ssl.create_default_context(cafile=folder / "tls/ca.pem")
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.load_cert_chain(folder / "tls/issuer.pem", folder / "tls/issuer.key")
        with pytest.raises(httpx.TransportError):
            httpx.post(f"https://127.0.0.1:{port}/v1/card-keys", json=CARD, verify=old)


def _until_it_listens(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nothing listens")


def test_certificates_are_readable_for_their_owner_only_and_the_authority_leaves_no_key(tmp_path):
    make(tmp_path, "vault.example", PARTIES, utc_now())
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"ca.pem", *(f"{name}.{kind}" for name in ("vault", *PARTIES) for kind in ("pem", "key"))}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


# Other keys


def test_what_is_changed_counts_at_once_in_a_running_vault(folder):
    store, about = opened(folder)
    about.terminals["101"] = Terminal("0011223344556677")
    register.save(folder, about, store)
    with running(folder):
        backend = client(folder, BACKEND)
        assert backend.get("/v1/terminals/101/leases/0").status_code == 200
        about.terminals["101"].revoked_on = "2026-11-21"
        opening.save(folder, about, store)
        deadline = time.monotonic() + 60
        while client(folder, BACKEND).get("/v1/terminals/101/leases/0").status_code != 404:
            assert time.monotonic() < deadline, "the revocation does not reach the running vault"
            time.sleep(0.1)


def test_a_file_that_a_crash_left_behind_costs_no_other_process_its_life(folder):
    store, about = opened(folder)
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (folder / "run").mkdir()
        (folder / opening.PROCESS).write_text(str(stranger.pid))
        opening.save(folder, about, store)
        time.sleep(0.2)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


# Nothing is kept


@pytest.mark.timeout(300)
def test_after_proofs_only_the_log_has_grown(folder, proofs):
    vault = _vault(folder)
    records = many(vault, MOST_RECORDS, passes=500, days=1)
    with running(folder):
        backend = client(folder, BACKEND)
        before = contents(folder)
        log = (folder / LOG).read_bytes()
        for _ in range(proofs):
            answer = backend.post("/v1/prove", content=records)
            assert answer.status_code == 200
        assert [reason for _, _, reason, _ in struct.iter_unpack("<IIB16s", answer.content)] == [0] * MOST_RECORDS
        assert contents(folder) == before
        grown = (folder / LOG).read_bytes()
    assert grown.startswith(log)
    assert grown[len(log) :].count(b"\n") == proofs
    assert AuditLog(folder, utc_now).verify()
    holder = PaperPass(vault, b"\x04" + bytes(6))
    for secret in (holder.keys.handle, holder.uid):
        assert secret.hex().encode() not in grown


def _vault(folder):
    from keys.days import today
    from keys.vault import Vault

    return Vault(*opened(folder), today)
