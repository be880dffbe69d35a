"""The desk's pages and API in one process. One process a reader: what is on the reader is known to it alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from issuer.hotlist import ListKeys
from issuer.http import ApiConfig, create_api
from issuer.web.app import create_app
from issuer.web.config import WebConfig
from web.api import Contact

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


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
