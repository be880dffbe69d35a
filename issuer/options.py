"""What every command of the desk takes, and how it opens the desk and says no."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.orm import Session

from hardware.errors import ReaderError
from issuer.desk import Desk, DeskSecrets
from issuer.registry import Registry
from issuer.scheme import load_scheme
from issuer.vault_client import VaultClient
from web import audit_log
from web.refusal import Refusal

Data = Annotated[Path, typer.Option("--data", help="Folder of the desk.")]
SchemeFile = Annotated[Path, typer.Option("--scheme", help="Scheme of the municipality.", exists=True)]
Secrets = Annotated[Path, typer.Option("--secrets", help="The desk's file from the key custodian.")]
Vault = Annotated[str | None, typer.Option("--vault", help="Address of the vault, if not that of the desk's file.")]
BackendAddress = Annotated[str, typer.Option("--backend", help="Address of the backend.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]

DATA = Path("var/issuer")
SECRETS = Path("var/keys/issuer.json")
BACKEND = "http://127.0.0.1:8442"
SCHEME = Path("schemes/gelrepas.toml")
_TIMEZONE = ZoneInfo("Europe/Amsterdam")
# Who works at the command line is known to the machine, not to the registry.
BY = "command line"


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal is one sentence on standard error, and exit code 1."""
    try:
        yield
    except (Refusal, ReaderError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def log(session: Session, action: str, about: str) -> None:
    """Write down in the audit log what was done at the command line, in the transaction that does it."""
    audit_log.add(session, now(), BY, "-", action, about, "done")


def today() -> date:
    """The municipality's own calendar day, as the vault counts it, whatever zone this machine is set to."""
    return now().astimezone(_TIMEZONE).date()


def now() -> datetime:
    return datetime.now(UTC)


def open_desk(data: Path, scheme: Path, secret_file: Path, vault: str | None) -> Desk:
    """The desk of these files, for who works at the command line."""
    secret = DeskSecrets.read(secret_file)
    return Desk(Registry.at(data), load_scheme(scheme), secret, open_vault(secret, vault), os.urandom, now, BY)


def open_vault(secret: DeskSecrets, address: str | None) -> VaultClient:
    """The vault of the desk's file, or at another address."""
    return VaultClient(replace(secret.vault, address=address) if address else secret.vault)
