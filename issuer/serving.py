"""The desk's pages and API as a process. One process a reader: what is on the reader is known to it alone."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from issuer.errors import DeskError
from issuer.hotlist import ListKeys
from issuer.http import ApiConfig, create_api
from issuer.web.app import create_app
from issuer.web.config import WebConfig
from web.api import Contact

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Every screen that watches a pass being made keeps one.
_THREADS = 32


@dataclass(frozen=True)
class Tls:
    """For browsers on other machines; both PEM."""

    certificate: Path
    key: Path


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Any, options: dict[str, Any]) -> None:
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def pages_and_api(config: WebConfig, lists: ListKeys, contact: Contact) -> WSGIApplication:
    """The pages, and under /v1 the interface for terminals, holders and the city's website."""
    pages = create_app(config)
    about = ApiConfig(config.registry, config.scheme, lists, contact, config.now, config.today, config.proxies)
    api = create_api(about, config.guard)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        app: WSGIApplication = api if path.startswith("/v1/") or path == "/health" else pages
        return app(environ, start_response)

    return answer


def serve(app: WSGIApplication, port: int, tls: Tls | None) -> None:
    """Run until told to stop. Without TLS nobody but this machine, or a proxy on it, can reach it."""
    options: dict[str, Any] = {"workers": 1, "threads": _THREADS, "worker_class": "gthread", "loglevel": "warning"}
    # A line for each request would say which person was looked at when; the audit log says what was done.
    options["accesslog"] = None
    if tls is None:
        options["bind"] = f"127.0.0.1:{port}"
    else:
        for path in (tls.certificate, tls.key):
            if not path.is_file():
                raise DeskError("{path} is not there. Give the certificate and its key as PEM files.", path=path)
        options |= {"bind": f"0.0.0.0:{port}", "certfile": str(tls.certificate), "keyfile": str(tls.key)}
        options["ssl_context"] = _newest
    _Server(app, options).run()


def _newest(_config: Any, make: Any) -> ssl.SSLContext:
    context: ssl.SSLContext = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
