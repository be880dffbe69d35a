"""What a desk web app is made of. Everything of the outside world comes in here."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from flask import current_app

from issuer.desk import Desk
from issuer.registry import Registry
from issuer.scheme import Scheme

_SECRET_FILE = "web-secret.key"
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Oidc:
    """A city's own login. `issuer` is the address that its discovery document is under."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    # The claim that an administrator writes down with an account, for the first login. Never a citizen number.
    claim: str = "preferred_username"


@dataclass(frozen=True)
class WebConfig:
    """`folder` keeps the secret key; `now` has its zone; `today` is the municipality's day."""

    registry: Registry
    folder: Path
    scheme: Scheme
    now: Callable[[], datetime]
    today: Callable[[], date]
    language: str = "nl"
    # Off only for a browser on the same machine: without it a cookie travels in the clear.
    https: bool = True
    oidc: Oidc | None = None
    # The desk with its reader and vault, made when a page first needs it.
    desk: Callable[[], Desk] | None = None


def here() -> WebConfig:
    """The config of the app that answers the request."""
    config: WebConfig = current_app.extensions["desk"]
    return config


def secret_key(folder: Path) -> bytes:
    """The key of cookies and of what is kept secret in the registry; made at first use, readable to its owner only."""
    path = folder / _SECRET_FILE
    folder.mkdir(parents=True, exist_ok=True)
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(opened, "wb") as file:
        file.write(secrets.token_bytes(_SECRET_BYTES))
    return path.read_bytes()
