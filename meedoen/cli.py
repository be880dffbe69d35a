"""`meedoen <party> <verb>`: exit 0 done, 1 refused, 2 wrong use."""

import json
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


def _issuer() -> typer.Typer:
    from issuer.cli import app

    return app


def _terminal() -> typer.Typer:
    from terminal.cli import app

    app.command()(simulate)
    return app


def _backend() -> typer.Typer:
    from backend.cli import app

    return app


def _keys() -> typer.Typer:
    from keys.custody_cli import app

    return app


_PARTIES = {"issuer": _issuer, "terminal": _terminal, "backend": _backend, "keys": _keys}


@cache
def _loaded(party: str) -> TyperGroup:
    made = get_group(_PARTIES[party]())
    made.name = party
    return made


class _Parties(TyperGroup):
    """A party is loaded when it is asked for: a vault starts without all that a desk and clearing need."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_PARTIES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return _loaded(cmd_name) if cmd_name in _PARTIES else super().get_command(ctx, cmd_name)


app = typer.Typer(cls=_Parties, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def meedoen() -> None:
    """A municipality's own low-income pass, from desk to bank."""


@app.command()
def demo() -> None:
    """A week of a fictional city, from desk to bank, on emulated passes."""
    from meedoen.demo.story import tell

    raise typer.Exit(tell())


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
