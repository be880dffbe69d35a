"""A vault in a folder, and a vault that runs, for tests that need the real thing."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from keys import register as registers
from keys.custody import Seeds, establish
from keys.days import today
from keys.hand_out import hand_out
from keys.opening import PROCESS
from keys.register import Register
from keys.sealed_file import FILE_NAME, Cost, SealedFile
from keys.server import socket_path
from keys.vault import Vault

ROOT = b"\x5a" * 32
PASSPHRASE = "correct horse battery staple"
CHEAP = Cost(memory_kib=32, passes=1, lanes=1)


def make_vault(folder: Path, **about) -> Vault:
    """Keys in a sealed file, and `passphrases` next to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    store = SealedFile.create(folder / FILE_NAME, [PASSPHRASE], CHEAP)
    register = Register(1, "F0E0D1", **about)
    establish(ROOT, register, store, Seeds(folder), today())
    registers.save(folder, register, store)
    vault = Vault(store, register, today)
    hand_out(folder, vault)
    passphrases(folder).write_text(PASSPHRASE + "\n")
    return vault


def passphrases(folder: Path) -> Path:
    return folder.with_name("passphrases")


@contextmanager
def running(folder: Path, *options: str):
    """`meedoen keys serve`, until the end of the block."""
    command = [sys.executable, "-m", "meedoen", "keys", "serve", "--data", str(folder)]
    process = subprocess.Popen(
        [*command, "--passphrases", str(passphrases(folder)), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 90
        while not (folder / PROCESS).exists() or not _answers(folder):
            assert process.poll() is None, process.stdout.read().decode()
            assert time.monotonic() < deadline, "the vault does not start"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def _answers(folder: Path) -> bool:
    path = socket_path(folder / "run", "backend")
    if not path.exists():
        return bool((folder / "tls").exists())
    try:
        client(folder, "backend").get("/v1/openapi.json")
        return True
    except httpx.TransportError:
        return False


def client(folder: Path, party: str) -> httpx.Client:
    """A party on this machine."""
    transport = httpx.HTTPTransport(uds=str(socket_path(folder / "run", party)))
    return httpx.Client(base_url="http://vault", transport=transport, timeout=60)
