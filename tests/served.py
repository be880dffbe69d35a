"""A program of ours as a server in a process of its own, and what it writes down."""

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from web.log import FIELDS


@contextmanager
def running(log: Path, *words: object, until: str):
    """The address of `meedoen WORDS --port …` as soon as it answers at `until`; what it says of errors is in `log`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "meedoen", *words, "--port", port]
    with log.open("w") as file:
        process = subprocess.Popen([*map(str, command)], stderr=file)
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None, log.read_text()
            try:
                httpx.get(f"{address}{until}")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(60)


def written_down(log: Path):
    """All lines of it; each has the six fields and no other."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {frozenset(line) for line in lines} == {FIELDS | {"at"}}
    return lines


def speak_nonsense(address: str) -> None:
    """What no browser says; only the server around our own program hears it."""
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as line:
        line.sendall(b"nonsense\r\n\r\n")
        assert line.recv(100)
