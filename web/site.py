"""What an app with officers is made of. Everything of the outside world comes in here."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from flask import current_app
from sqlalchemy.orm import Session

from web.made_once import made_once
from web.oidc import Oidc
from web.rights import Rights
from web.second_step import SecretBox

_SECRET_FILE = "web-secret.key"
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Site:
    """`city` is what it is called on the screen; `folder` keeps the secret key; `transaction` opens the database that
    holds the accounts; `now` has its zone; `today` is the municipality's day."""

    city: str
    folder: Path
    rights: Rights
    transaction: Callable[[], AbstractContextManager[Session]]
    now: Callable[[], datetime]
    today: Callable[[], date]
    # Of its own for each app: a browser keeps cookies by machine, not by port.
    cookie: str
    language: str = "nl"
    # Off only for a browser on the same machine: without it a cookie travels in the clear.
    https: bool = True
    # How many proxies of our own stand in front: as many steps back the origin of a request is looked up.
    proxies: int = 0
    oidc: Oidc | None = None


def site() -> Site:
    """The site that answers the request."""
    found: Site = current_app.extensions["site"]
    return found


def box() -> SecretBox:
    """What the secrets of officers' phones are kept in."""
    return SecretBox(secret_key(site().folder))


def secret_key(folder: Path) -> bytes:
    """The key of cookies and of what is kept secret in the registry; made at first use, readable to its owner only."""
    path = folder / _SECRET_FILE
    made_once(path, lambda draft: draft.write_bytes(secrets.token_bytes(_SECRET_BYTES)))
    return path.read_bytes()
