"""`meedoen <party> <verb>`: exit 0 done, 1 refused, 2 wrong use."""

import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Annotated

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


@terminal.command()
def simulate(
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.")] = 0,
    english: Annotated[bool, typer.Option("--english", help="Begin in English.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer for machines.")] = False,
) -> None:
    """A terminal in the browser to practise with: the real firmware, with passes that are not real."""
    import web
    from meedoen.training import TrainingCity
    from terminal.build import build_firmware
    from terminal.errors import TerminalError
    from terminal.simulator.pages import served
    from terminal.simulator.simulator import Simulator

    # The style sheets of the design system, which the pages of officers have already.
    design = Path(web.__file__).with_name("static") / "vendor"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            build_firmware(folder / "firmware")
            city = TrainingCity(folder / "city")
            simulator = Simulator(folder / "flash", folder / "firmware", city, int(english))
        except TerminalError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        try:
            with served(simulator, design, port) as address:
                typer.echo(
                    json.dumps({"address": address}) if as_json else f"Open {address} in a browser. Ctrl-C stops."
                )
                threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("Terminal closed.", err=True)
        finally:
            simulator.close()
            city.close()


def main() -> None:
    """Entry point of the command. A file or folder that is not there or not ours is a refusal in one sentence."""
    try:
        app()
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename}: {error.strerror}.", err=True)
        sys.exit(1)
