"""An app as a process: on this machine only, or with a certificate to others."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from web.refusal import Refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Every screen that watches long work keeps one.
_THREADS = 32


@dataclass(frozen=True)
class Tls:
    """For browsers on other machines; both PEM."""

    certificate: Path
    key: Path


class _Remarks(Logger):  # type: ignore[misc]
    """What gunicorn itself says goes where all goes that is said in the process: see `web.log.log_remarks`."""

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with these options; `make` gives the app in each worker, after it was forked.

    What it says is for who listens when it is run, so that the workers hear it too.
    """

    def __init__(self, make: Callable[[], Any], options: dict[str, Any]) -> None:
        self._make, self._options = make, options
        super().__init__()

    def load_config(self) -> None:
        # No line of its own: `_Remarks` hands each on.
        for name, value in {"errorlog": None, "logger_class": _Remarks, **self._options}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._make()


def serve(app: WSGIApplication, port: int, tls: Tls | None) -> None:
    """Run until told to stop. Without TLS nobody but this machine, or a proxy on it, can reach it."""
    options: dict[str, Any] = {"workers": 1, "threads": _THREADS, "worker_class": "gthread", "loglevel": "warning"}
    # A line for each request would say who was looked at when; the audit log says what was done.
    options["accesslog"] = None
    if tls is None:
        options["bind"] = f"127.0.0.1:{port}"
    else:
        for path in (tls.certificate, tls.key):
            if not path.is_file():
                raise Refusal("{path} is not there. Give the certificate and its key as PEM files.", path=path)
        options |= {"bind": f"0.0.0.0:{port}", "certfile": str(tls.certificate), "keyfile": str(tls.key)}
        options["ssl_context"] = _newest
    Server(lambda: app, options).run()


def _newest(_config: Any, make: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
