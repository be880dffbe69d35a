"""`meedoen backend recover`: what to do when a copy of the database was put back."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from backend.command import DEFAULT, AsJson, By, Folder, clearing_in, say
from backend.money import euro

recover = typer.Typer(no_args_is_help=True, help="After a copy of the database was put back: pay nobody twice.")


@recover.command("begin")
def recover_begin(context: typer.Context, by: By, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Say that a copy was put back; nobody is paid from now on."""
    with clearing_in(context, data, as_json) as clearing:
        clearing.recovery.begin(clearing.answering(by, "settle"))
    next_step = "Next, for each payment order since the copy: meedoen backend recover order FILE"
    say(as_json, {"state": "begun"}, "Nobody is paid from now on.", next_step)


@recover.command("order")
def recover_order(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="pain.001 that the bank got since the copy.", exists=True, dir_okay=False)
    ],
    by: By,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take in a payment order that the copy lacks; booked when two people did."""
    with clearing_in(context, data, as_json) as clearing:
        made = clearing.recovery.order(file.read_bytes(), clearing.answering(by, "settle"))
    words = f"Settlement {made.settlement}, {made.payments} payments, {euro(made.total)}: {made.state}."
    next_step = "Somebody else takes in the same order, and then it is booked." if made.state == "proposed" else ""
    say(as_json, asdict(made), *filter(None, (words, next_step)))


@recover.command("end")
def recover_end(
    context: typer.Context,
    by: By,
    without: Annotated[list[str] | None, typer.Option(help="Settlement whose order the bank never got.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Say that every payment order and every file of the bank since the copy was taken in; never by who began."""
    with clearing_in(context, data, as_json) as clearing:
        clearing.recovery.end(clearing.answering(by, "release"), without or ())
        newest = max((each.day for each in clearing.bank.statements()), default=None)
    words = "Venues are paid again, with the next settlement."
    say(as_json, {"state": "ended", "newest_statement": newest}, words, f"The newest statement is of {newest}.")
