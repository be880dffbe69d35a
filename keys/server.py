"""The vault as a process: gunicorn on a unix socket for each party, or on TLS with a certificate for each party.

On a unix socket the kernel says which user calls; over TLS the certificate says which party. Nothing in a request does.
"""

import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import g

from keys.certificates import SERVER
from keys.errors import KeyStoreError
from keys.http import PARTIES, Environ
from web.log import EventLog, log_remarks
from web.serving import Server

WORKERS = 2
# An audit of a year takes minutes.
_TIMEOUT_S = 900
# What the kernel takes for the path of a unix socket.
_MOST_PATH = 107


@dataclass(frozen=True)
class Sockets:
    """A unix socket for each party in `folder`; `users[party]` may use it, by user number."""

    folder: Path
    users: Mapping[str, int]

    def options(self) -> dict[str, Any]:
        self.folder.mkdir(parents=True, exist_ok=True)
        paths = [socket_path(self.folder, party) for party in PARTIES]
        if len(str(paths[-1].resolve())) > _MOST_PATH:
            raise KeyStoreError(f"{paths[-1]} is too long for a socket. Choose a shorter folder with --sockets.")
        # Everybody may knock; who it is, the kernel tells.
        return {"bind": [f"unix:{path}" for path in paths], "umask": 0}

    def party(self, environ: Environ) -> str | None:
        """The party whose socket this is, when its own user calls."""
        connection = environ["gunicorn.socket"]
        party = Path(connection.getsockname()).stem
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, user, _ = struct.unpack("3i", credentials)
        return party if self.users.get(party) == user else None


@dataclass(frozen=True)
class Tls:
    """`address` as host:port; `folder` as keys.certificates made it."""

    address: str
    folder: Path

    def options(self) -> dict[str, Any]:
        files = {"certfile": f"{SERVER}.pem", "keyfile": f"{SERVER}.key", "ca_certs": "ca.pem"}
        for name in files.values():
            if not (self.folder / name).is_file():
                raise KeyStoreError(f"{self.folder / name} is not there; `meedoen keys certificates HOST` makes it.")

        def newest(config: Any, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
            context = make()
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            return context

        paths = {option: str(self.folder / name) for option, name in files.items()}
        return {"bind": self.address, "cert_reqs": ssl.CERT_REQUIRED, "ssl_context": newest, **paths}

    def party(self, environ: Environ) -> str | None:
        """The party that the certificate of the caller names. TLS let nobody in without one of our authority."""
        certificate = environ["gunicorn.socket"].getpeercert() or {}
        names = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
        return names[0] if len(names) == 1 and names[0] in PARTIES else None


def socket_path(folder: Path, party: str) -> Path:
    """Where a party finds the vault on this machine."""
    return folder / f"{party}.sock"


def serve(make_app: Callable[[Callable[[Environ], str | None]], Any], place: Sockets | Tls, process: Path) -> None:
    """Run until told to stop; start over with other keys at SIGHUP. `make_app(who)` makes the application, once in each
    worker; the file `process` says which process to tell."""
    process.parent.mkdir(parents=True, exist_ok=True)
    options = {"workers": WORKERS, "timeout": _TIMEOUT_S, "loglevel": "warning", "pidfile": str(process)}
    options |= place.options()
    # In each worker, after it was forked: a token does not survive a fork.
    log_remarks(EventLog(), lambda: str(g.get("actor") or "stranger"))
    Server(lambda: make_app(place.party), options).run()
