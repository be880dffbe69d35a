"""Debian's ippeveprinter as a card printer on a free port, with a bus of its own; and a line to it that breaks."""

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_PATIENCE_SECONDS = 60
_PRINT_JOB = b"\x00\x02"
# What the printer does with a card is in the file `does`: nothing, an exit code, or words to the printer.
_COMMAND = """#!/bin/sh
env >> {folder}/environment
. {folder}/does
"""


@dataclass
class CardPrinter:
    port: int
    folder: Path

    @property
    def uri(self) -> str:
        return f"ipp://localhost:{self.port}/ipp/print"

    def does(self, shell: str) -> None:
        """What happens to each next card, in shell."""
        (self.folder / "does").write_text(shell + "\n")

    def printed(self) -> list[bytes]:
        """Every document that came in, in order."""
        spooled = sorted(self.folder.glob("spool/*.pdf"), key=lambda path: int(path.name.split("-")[0]))
        return [path.read_bytes() for path in spooled]

    def asked(self) -> str:
        """What came with the jobs, as `IPP_SIDES=...`."""
        return (self.folder / "environment").read_text()


@contextlib.contextmanager
def card_printer(folder: Path, formats: str = "application/pdf,image/png") -> Iterator[CardPrinter]:
    (folder / "spool").mkdir()
    command = folder / "command"
    command.write_text(_COMMAND.format(folder=folder))
    command.chmod(0o755)
    with contextlib.ExitStack() as stack:
        bus = stack.enter_context(
            subprocess.Popen(
                ["dbus-daemon", "--session", "--nofork", "--print-address=1"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        stack.callback(bus.terminate)
        address = bus.stdout.readline().strip()
        port = _free_port()
        log = stack.enter_context((folder / "log").open("wb"))
        options = ["-2", "-r", "off", "-n", "localhost", "-p", str(port), "-d", str(folder / "spool"), "-k"]
        process = stack.enter_context(
            subprocess.Popen(
                ["ippeveprinter", *options, "-f", formats, "-c", str(command), "Card printer"],
                env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "PATH": os.environ["PATH"] + ":/usr/sbin"},
                stdout=log,
                stderr=log,
            )
        )
        stack.callback(process.terminate)
        _wait_until_it_listens(process, port)
        printer = CardPrinter(port, folder)
        printer.does("exit 0")
        yield printer


@dataclass
class BreakingLine:
    """Passes everything on to the printer, breaks `before` or `after` the printer has the job, or garbles a word."""

    printer_port: int
    breaks: str = ""
    garbles: tuple[bytes, bytes] = (b"", b"")
    port: int = 0
    jobs_passed_on: int = 0
    _server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> "BreakingLine":
        line = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_job = body[2:4] == _PRINT_JOB
                if is_job and line.breaks == "before":
                    self.close_connection = True
                    return
                printer = http.client.HTTPConnection("localhost", line.printer_port)
                with contextlib.closing(printer):
                    printer.request("POST", self.path, body, {"Content-Type": "application/ipp"})
                    answer = printer.getresponse().read()
                if is_job:
                    line.jobs_passed_on += 1
                    if line.breaks == "after":
                        self.close_connection = True
                        return
                # An IPP value has its length before it (RFC 8010, 3.1.4).
                said, heard = (len(word).to_bytes(2, "big") + word for word in line.garbles)
                if line.garbles[0]:
                    answer = answer.replace(said, heard)
                self.send_response(200)
                self.send_header("Content-Type", "application/ipp")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def uri(self) -> str:
        return f"ipp://127.0.0.1:{self.port}/ipp/print"


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"ippeveprinter did not start on port {port}")
