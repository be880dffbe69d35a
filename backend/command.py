"""What every command of clearing has in common: its folder, its answer for machines, its refusals."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from backend import config as configuration
from backend.clearing import Clearing
from backend.errors import ImportRefused, LedgerError, LinkError

Folder = Annotated[Path, typer.Option("--data", help="Folder of clearing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]

DEFAULT = Path("var/backend")


@contextmanager
def refusals(as_json: bool) -> Iterator[None]:
    """A refusal in words (or JSON) and exit status 1."""
    try:
        yield
    except (LedgerError, LinkError) as error:
        reason = error.reason if isinstance(error, LedgerError) else "vault"
        faults = error.faults if isinstance(error, ImportRefused) else [str(error)]
        typer.echo(json.dumps({"reason": reason, "faults": faults}) if as_json else "\n".join(faults), err=True)
        raise typer.Exit(1) from None


@contextmanager
def clearing_in(context: typer.Context, data: Path, as_json: bool) -> Iterator[Clearing]:
    """Who mounts this command may hand it the vault in its own process, as an httpx transport in the context."""
    transport = context.obj if isinstance(context.obj, httpx.BaseTransport) else None
    with refusals(as_json):
        clearing = Clearing(configuration.load(data), transport)
        try:
            clearing.store.migrate()
            yield clearing
        finally:
            clearing.close()


def say(as_json: bool, facts: Any, *words: str) -> None:
    typer.echo(json.dumps(facts, default=str, ensure_ascii=False) if as_json else "\n".join(words))
