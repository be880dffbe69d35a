"""`meedoen backend web`: the pages of clearing, and the first accounts."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer

from backend import config as configuration
from backend.clearing import Clearing
from backend.command import DEFAULT, AsJson, Folder, refusals, say
from backend.errors import NotFound
from backend.roles import VENUE
from backend.staff import Staff, speaks_for
from backend.web.config import WebConfig
from backend.web.permissions import RIGHTS
from web import audit_log
from web.accounts import START_CODE_DAYS, add_account, create_administrator, give_start_code
from web.audit import actor
from web.log import EventLog, log_remarks
from web.oidc import Oidc
from web.refusal import Refusal
from web.serving import Tls
from web.serving import serve as run

app = typer.Typer(no_args_is_help=True, help="Pages for finance, partner managers, venues and auditors.")

UserName = Annotated[str, typer.Argument(help="What they log in with, such as a.jansen.")]
FullName = Annotated[str, typer.Argument(help="Their name, for the screen.")]

# Who works at the command line is known to the machine.
_BY = "command line"


@contextmanager
def _refusals() -> Iterator[None]:
    """A refusal in one sentence, and exit status 1."""
    with refusals(as_json=False):
        try:
            yield
        except Refusal as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None


@contextmanager
def _opened(context: typer.Context, data: Path) -> Iterator[tuple[Clearing, Staff]]:
    """Clearing (the vault as `meedoen backend` has it) and its staff."""
    transport = context.obj if isinstance(context.obj, httpx.BaseTransport) else None
    with (
        _refusals(),
        closing(Clearing(configuration.load(data), transport)) as clearing,
        closing(Staff.at(data)) as staff,
    ):
        yield clearing, staff


@app.command()
def init(
    context: typer.Context,
    user_name: UserName,
    full_name: FullName,
    database: Annotated[
        str | None, typer.Option(help="Where accounts are kept, such as postgresql+psycopg://…; a file if not given.")
    ] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Make the first account: an administrator, who makes those of the others."""
    if database is not None:
        with _refusals():
            Staff.move_to(data, database).close()
    with _opened(context, data) as (clearing, staff):
        clearing.set_up()
        with staff.transaction() as session:
            now = clearing.calendar.now()
            code = create_administrator(session, RIGHTS, user_name, full_name, now)
            audit_log.add(session, now, _BY, "-", "add account", f"account {user_name.lower()}", "done")
    _say_code(user_name, code, as_json)


@app.command()
def migrate(
    to: Annotated[str | None, typer.Option(help="Go back to this version, such as 0001, for an older program.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Bring the accounts to this version. Every command does that by itself."""
    with _refusals(), closing(Staff.at(data)) as staff:
        if to is not None:
            staff.back_to(to)
    words = f"The accounts have version {to}." if to else "The accounts are up to date."
    say(as_json, {"version": to or "newest"}, words)


@app.command("add-account")
def add(
    context: typer.Context,
    user_name: UserName,
    full_name: FullName,
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(RIGHTS.roles)}; may be given more than once.")],
    venue: Annotated[int | None, typer.Option(help="For the role venue: its number.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Make an account, as an administrator does on a page."""
    if (venue is not None) != (VENUE in role):
        raise typer.BadParameter("The role venue and the number of a venue go together.", param_hint="--venue")
    with _opened(context, data) as (clearing, staff):
        with clearing.store.reading() as tx:
            if venue is not None and tx.catalogue.venue(venue) is None:
                raise NotFound("venue", f"There is no venue {venue}.")
        with staff.transaction() as session:
            now = clearing.calendar.now()
            made = add_account(session, RIGHTS, user_name, full_name, frozenset(role))
            code = give_start_code(session, None, made.id, now, second_step_too=False)
            if venue is not None:
                speaks_for(session, made.id, venue)
            audit_log.add(session, now, _BY, "-", "add account", f"account {made.user_name}", "done")
    _say_code(user_name, code, as_json)


@app.command()
def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8443,
    certificate: Annotated[Path | None, typer.Option(help="For other machines: the certificate, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="And its key, PEM.")] = None,
    proxies: Annotated[int, typer.Option(help="How many proxies of our own stand in front.")] = 0,
    oidc: Annotated[Path | None, typer.Option(help="JSON with the city's own login.", exists=True)] = None,
    data: Folder = DEFAULT,
) -> None:
    """Serve the pages: on this machine only, or with a certificate to others. Stop with Ctrl-C."""
    if (certificate is None) != (key is None):
        raise typer.BadParameter("A certificate and its key go together.", param_hint="--certificate")
    # With what draws charts and tables, which takes longer to load than most other verbs take to be done.
    from backend.web.app import create_app

    with _opened(context, data) as (clearing, staff):
        clearing.set_up()
        city_login = Oidc(**json.loads(oidc.read_text())) if oidc else None
        config = WebConfig(clearing, staff, certificate is not None or proxies > 0, proxies, city_login)
        tls = Tls(certificate, key) if certificate and key else None
        # Before the app is made: where nobody listens, Flask writes in a way of its own.
        log_remarks(EventLog(), actor)
        typer.echo(f"The pages are at {'https://0.0.0.0' if tls else 'http://127.0.0.1'}:{port}/")
        run(create_app(config), port, tls)


def _say_code(user_name: str, code: str, as_json: bool) -> None:
    name = user_name.strip().lower()
    if as_json:
        typer.echo(json.dumps({"userName": name, "startCode": code}))
    else:
        days = f"It is good for {START_CODE_DAYS} days."
        typer.echo(f"Start code for {name}: {code}. Choose a password with it on the page /login/start. {days}")
