"""`meedoen <party> <verb>`: exit 0 done, 1 refused, 2 wrong use."""

import sys

import typer

from backend.cli import app as backend
from issuer.cli import app as issuer
from keys.custody_cli import app as keys
from terminal.cli import app as terminal

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="A municipality's own low-income pass, from desk to bank.",
)
app.add_typer(issuer, name="issuer")
app.add_typer(terminal, name="terminal")
app.add_typer(backend, name="backend")
app.add_typer(keys, name="keys")


@app.command()
def demo() -> None:
    """A week of a fictional city, from desk to bank, on emulated passes."""
    from meedoen.demo.story import tell

    raise typer.Exit(tell())


def main() -> None:
    """Entry point of the command. A file or folder that is not there or not ours is a refusal in one sentence."""
    try:
        app()
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename}: {error.strerror}.", err=True)
        sys.exit(1)
