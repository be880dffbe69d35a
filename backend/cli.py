"""`meedoen backend`: set up clearing, take in batches, look at the books, settle.

Exit status 0: done. 1: refused, or something of it. 2: the command was not understood.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from backend import config as configuration
from backend.clearing import Clearing
from backend.errors import BatchRefused, ImportRefused, LedgerError, LinkError, TwoJournals
from backend.http_schemas import item_out, settlement_out
from backend.money import euro
from backend.settlement.service import Settlement
from backend.store import Store

app = typer.Typer(no_args_is_help=True, help="Take in journals, keep the books, pay the venues.")
settle = typer.Typer(no_args_is_help=True, help="Pay the venues, with two people.")
app.add_typer(settle, name="settle")

Folder = Annotated[Path, typer.Option("--data", help="Folder of clearing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer for machines.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]

_DEFAULT = Path("var/backend")


@contextmanager
def _refusals(as_json: bool) -> Iterator[None]:
    """A refusal in words (or JSON) and exit status 1."""
    try:
        yield
    except (LedgerError, LinkError) as error:
        reason = error.reason if isinstance(error, LedgerError) else "vault"
        faults = error.faults if isinstance(error, ImportRefused) else [str(error)]
        typer.echo(json.dumps({"reason": reason, "faults": faults}) if as_json else "\n".join(faults), err=True)
        raise typer.Exit(1) from None


@contextmanager
def _clearing(context: typer.Context, data: Path, as_json: bool) -> Iterator[Clearing]:
    """Who mounts this command may hand it the vault in its own process, as an httpx transport in the context."""
    transport = context.obj if isinstance(context.obj, httpx.BaseTransport) else None
    with _refusals(as_json):
        clearing = Clearing(configuration.load(data), transport)
        try:
            clearing.store.migrate()
            yield clearing
        finally:
            clearing.close()


def _say(as_json: bool, facts: Any, *words: str) -> None:
    typer.echo(json.dumps(facts, default=str, ensure_ascii=False) if as_json else "\n".join(words))


def _date(day: datetime | None) -> date | None:
    return None if day is None else day.date()


@app.command()
def init(
    scheme: Annotated[Path, typer.Option(help="Scheme of the municipality.")],
    keys: Annotated[Path, typer.Option(help="backend.json, as the vault's set-up made it.")],
    iban: Annotated[str, typer.Option(help="Account that pays the venues.")],
    bic: Annotated[str | None, typer.Option(help="Its BIC, when the IBAN does not tell.")] = None,
    vault: Annotated[str | None, typer.Option(help="Address of the vault, when it is not that of the file.")] = None,
    database: Annotated[str | None, typer.Option(help="postgresql://…; without it, a file in the folder.")] = None,
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Set up clearing for a scheme. Again: take over a changed scheme, and keep the books."""
    with _refusals(as_json):
        database = database or configuration.database_of(data)
        made = configuration.make(data, scheme, keys, iban, bic, vault_address=vault, database=database)
        clearing = Clearing(made)
        clearing.set_up()
        clearing.close()
        made.save()
    name = made.municipality.name
    _say(as_json, {"folder": str(data), "municipality": name}, f"Clearing of {name} is set up in {data}.")


@app.command()
def migrate(
    address: Annotated[
        str | None,
        typer.Option("--as", help="postgresql://… of a user that may change tables, when clearing's may not."),
    ] = None,
    to: Annotated[str | None, typer.Option(help="Go back to this version, such as 0001, for an older program.")] = None,
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this version. Every command does that by itself where its user may."""
    with _refusals(as_json):
        config = configuration.load(data)
        store = Store(address or config.database_url, config.municipality.number)
        try:
            store.migrate(to)
        finally:
            store.close()
    _say(
        as_json, {"version": to or "newest"}, f"The database has version {to}." if to else "The database is up to date."
    )


@app.command()
def import_venues(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="TOML of venues and offers.")],
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day it counts; today.")] = None,
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take in venues and offers, all of the file or nothing."""
    with _clearing(context, data, as_json) as clearing:
        done = clearing.venues.import_file(file, _date(on))
    words = (
        f"{done['venues']} venues, {done['offers']} offers; {done['changed']} changes. Terminals get them at a sync."
    )
    _say(as_json, done, words)


@app.command()
def ingest(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Batches.", exists=True, dir_okay=False)],
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take in batches, in any order. What is refused stays in quarantine."""
    refused = False
    with _clearing(context, data, as_json) as clearing:
        for file in files:
            try:
                receipt = clearing.ingest.accept(file.read_bytes())
            except (BatchRefused, TwoJournals) as error:
                refused = True
                _say(as_json, {"file": str(file), "kept": True, "reason": error.reason}, f"{file}: refused, {error}")
                continue
            refused = refused or bool(receipt.refused)
            words = [
                f"{file}: {receipt.accepted} new, {receipt.duplicates} held already, {receipt.pending} to be proven."
            ]
            words += [f"  position {each.position}: refused, {each.reason}" for each in receipt.refused]
            words += [f"  positions {first} to {last} are missing" for first, last in receipt.gaps]
            _say(as_json, {"file": str(file), **asdict(receipt)}, *words)
    if refused:
        raise typer.Exit(1)


@app.command()
def prove_pending(context: typer.Context, data: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Have records proven that came in while the vault did not answer."""
    with _clearing(context, data, as_json) as clearing:
        decided = clearing.ingest.prove_pending()
    _say(as_json, {"decided": decided}, f"{decided} records decided.")


@app.command()
def quarantine(
    context: typer.Context,
    retry: Annotated[int | None, typer.Option(help="Try this item once more.")] = None,
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what was refused and why, or try one item again."""
    with _clearing(context, data, as_json) as clearing:
        if retry is not None:
            tried = clearing.ingest.retry(retry)
            outcome = "resolved" if tried.resolved else f"still refused: {tried.reason}"
            _say(as_json, asdict(tried), f"Item {retry}: {outcome}.")
            if not tried.resolved:
                raise typer.Exit(1)
            return
        with clearing.store.transaction() as tx:
            items = [item_out(item) for item in tx.quarantine.items()]
    words = [f"{item['id']:>5}  {_place(item):<38} {item['reason']:<12} {item['detail']}" for item in items]
    _say(as_json, items, *(words or ["Nothing in quarantine."]))


def _place(item: dict[str, Any]) -> str:
    if item["position"] is None:
        return f"batch, terminal {item['terminal'] or 'unknown'}"
    return f"terminal {item['terminal']}, position {item['position']}, no. {item['sequence']}"


@app.command()
def totals(context: typer.Context, data: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Show what venues earned, what funds have outstanding, and what waits."""
    with _clearing(context, data, as_json) as clearing:
        all_of = clearing.ledger.totals()
    words = [f"{'Venue':<30}{'taps':>6}{'earned':>14}{'paid':>14}{'owed':>14}"]
    for row in all_of["venues"]:
        sums = "".join(f"{euro(row[key]):>14}" for key in ("earned", "paid", "owed"))
        words.append(f"{row['venue']:>4} {row['name'][:24]:<25}{row['taps']:>6}{sums}")
    words += ["", f"{'Fund':<36}{'loaded':>14}{'spent':>14}{'outstanding':>14}"]
    for row in all_of["funds"]:
        sums = "".join(f"{euro(row[key]):>14}" for key in ("loaded", "spent", "outstanding"))
        words.append(f"{row['fund'][:35]:<36}{sums}")
    for row in all_of["budgets"]:
        given, budget, over = (
            euro(row[key]) if row["unit"] == "cent" else row[key] for key in ("given", "budget", "over")
        )
        words.append(f"{row['fund']}, year to {row['until']}: gave {given} of {budget}, {over} beyond it.")
    words += ["", f"Due back to holders: {euro(all_of['suspense'])}. In quarantine: {all_of['quarantine']}."]
    _say(as_json, all_of, *words)


_FOUND = {
    "missing": "was made with a pass and never handed in: fetch it from the terminal",
    "happened": "was in doubt, and the pass did pay: it can be booked",
    "did_not_happen": "was in doubt, and the pass did not pay",
    "not_ours": "is of a terminal that has no keys from us: call the key custodians",
    "differs": "says something else than what the pass signed: ask the venue",
}


@app.command()
def audit(context: typer.Context, data: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Have the vault look for what is missing, what a doubt came to, and what differs. It names no pass."""
    with _clearing(context, data, as_json) as clearing:
        found = clearing.findings.audit()
    words = [f"Terminal {each.terminal}, no. {each.sequence}: {_FOUND[each.kind]}." for each in found.findings]
    if found.unnamed:
        words.append(f"{found.unnamed} more transactions are missing; who has them shows when the next ones come in.")
    _say(as_json, asdict(found), f"{found.records} records audited.", *(words or ["Nothing found."]))


@settle.command("prepare")
def settle_prepare(
    context: typer.Context,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day of the period.")],
    by: Annotated[str, typer.Option(help="Who prepares it.")],
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Gather what is proven up to and with a day."""
    with _clearing(context, data, as_json) as clearing:
        made = clearing.settlements.prepare(until.date(), by)
    next_step = f"Someone else approves it: meedoen backend settle approve {made.number} --by NAME"
    _say(as_json, settlement_out(made), *_words(made), next_step)


@settle.command("approve")
def settle_approve(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Number of the settlement.")],
    by: Annotated[str, typer.Option(help="Who approves it; not who prepared it.")],
    execution: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of payment.")] = None,
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Release the payments; writes the payment order and a statement for each venue."""
    with _clearing(context, data, as_json) as clearing:
        made = clearing.settlements.approve(number, by, _date(execution))
        written = write_out(clearing, made, data / "settlements" / number)
    facts = settlement_out(made) | {"files": [str(path) for path in written]}
    _say(as_json, facts, *_words(made), *(f"  {path}" for path in written))


@settle.command("withdraw")
def settle_withdraw(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Number of the settlement.")],
    data: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Undo a preparation that must not be approved."""
    with _clearing(context, data, as_json) as clearing:
        made = clearing.settlements.withdraw(number)
    _say(as_json, settlement_out(made), f"Settlement {number} is withdrawn.")


def write_out(clearing: Clearing, settlement: Settlement, folder: Path) -> list[Path]:
    """Write the payment order and the statements of an approved settlement; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        folder / f"statement-{line.venue}.pdf": clearing.settlements.statement(settlement.number, line.venue)
        for line in settlement.lines
    }
    order = clearing.settlements.payment_file(settlement.number)
    if order is not None:
        content[folder / "pain.001.xml"] = order
    for path, data in content.items():
        path.write_bytes(data)
    return sorted(content)


def _words(settlement: Settlement) -> list[str]:
    words = [f"Settlement {settlement.number}, up to {settlement.until}, {settlement.state}: {euro(settlement.total)}"]
    for line in settlement.lines:
        rest = f", {euro(line.carried)} carried over" if line.carried else ""
        words.append(f"  {line.venue:>4} {line.name[:30]:<31}{euro(line.paid):>14}{rest}")
    return words


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8442,
    data: Folder = _DEFAULT,
) -> None:
    """Run the HTTP interface. Beyond this machine it needs both tokens in the configuration."""
    from backend.http import create_app
    from web.log import EventLog

    with _clearing(context, data, as_json=False) as clearing:
        config = clearing.config
        if host not in ("127.0.0.1", "::1", "localhost") and not (config.transport_token and config.finance_token):
            typer.echo("Set transport_token and finance_token before listening beyond this machine.", err=True)
            raise typer.Exit(1)
        logging.getLogger("meedoen.backend").addHandler(logging.StreamHandler())
        create_app(config, clearing, EventLog()).run(host, port)
