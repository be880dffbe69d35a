"""What all commands of clearing share: where its folder is, how a refusal ends, and how an answer is given."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import SQLAlchemyError

from backend import config as configuration
from backend.clearing import Clearing
from backend.errors import DATABASE_BUSY, ImportRefused, LedgerError, LinkError
from web.database import is_passing

Folder = Annotated[Path, typer.Option("--data", help="Folder of clearing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]
By = Annotated[str, typer.Option(help="User name of who does this; without accounts, a name.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]

DEFAULT = Path("var/backend")


@contextmanager
def refusals(as_json: bool) -> Iterator[None]:
    """A refusal in words (or JSON) and exit status 1."""
    try:
        yield
        return
    except (LedgerError, LinkError) as error:
        reason = error.reason if isinstance(error, LedgerError) else "vault"
        faults = error.faults if isinstance(error, ImportRefused) else [str(error)]
    except SQLAlchemyError as error:
        if not is_passing(error):
            raise
        reason, faults = "database", [DATABASE_BUSY]
    typer.echo(json.dumps({"reason": reason, "faults": faults}) if as_json else "\n".join(faults), err=True)
    raise typer.Exit(1)


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
    """The facts for machines, or the words for people."""
    typer.echo(json.dumps(facts, default=str, ensure_ascii=False) if as_json else "\n".join(words))


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Hears how many of how many are done, and shows it to who looks."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
