"""`meedoen backend`: set up clearing, take in batches, look at the books, settle.

Exit status 0: done. 1: refused, or something of it. 2: the command was not understood.
"""

from contextlib import suppress
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from backend import config as configuration
from backend.bank.statements import BankStatement
from backend.books_cli import app as books
from backend.clearing import Clearing
from backend.command import DEFAULT, AsJson, By, Folder, clearing_in, refusals, say
from backend.config import Config
from backend.errors import BatchRefused, NotFound, SettlementRefused, TwoJournals
from backend.exceptions.cli import exceptions
from backend.http_schemas import audit_out, entry_out, receipt_of_bank, settlement_out, statement_out
from backend.money import euro
from backend.settlement.cli import recover
from backend.settlement.service import Settlement
from backend.store import Store
from backend.web_cli import app as web_app

app = typer.Typer(no_args_is_help=True, help="Take in journals, keep the books, pay the venues.")
settle = typer.Typer(no_args_is_help=True, help="Pay the venues, with two people.")
bank = typer.Typer(no_args_is_help=True, help="Hold what the bank says against what was paid.")
app.add_typer(settle, name="settle")
app.add_typer(bank, name="bank")
app.add_typer(recover, name="recover")
app.add_typer(exceptions, name="exceptions")
app.add_typer(books)
app.add_typer(web_app, name="web")

# The name of the file for the bank.
ORDER = "pain.001.xml"
Number = Annotated[str, typer.Argument(help="Number of the settlement.")]
Owner = Annotated[str | None, typer.Option(help="postgresql://… of a user that may change tables; it is not kept.")]


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
    owner: Owner = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Set up clearing for a scheme. Again: take over a changed scheme, and keep the books and all else."""
    with refusals(as_json):
        rest = configuration.of_the_place(data) | ({"database": database} if database else {})
        made = configuration.make(data, scheme, keys, iban, bic, vault_address=vault, **rest)
        data.mkdir(parents=True, exist_ok=True)
        _migrate(made, owner)
        clearing = Clearing(made)
        clearing.set_up()
        clearing.close()
        made.save()
    name = made.municipality.name
    say(as_json, {"folder": str(data), "municipality": name}, f"Clearing of {name} is set up in {data}.")


@app.command()
def migrate(
    owner: Owner = None,
    to: Annotated[str | None, typer.Option(help="Go back to this version, such as 0001, for an older program.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this version. Every command does that by itself where its user may."""
    with refusals(as_json):
        _migrate(configuration.load(data), owner, to)
    say(
        as_json, {"version": to or "newest"}, f"The database has version {to}." if to else "The database is up to date."
    )


def _migrate(config: Config, owner: str | None, to: str | None = None) -> None:
    store = Store(owner or config.database_url, config.municipality.number)
    try:
        store.migrate(to)
    finally:
        store.close()


@app.command()
def import_venues(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="TOML of venues and offers.")],
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day it counts; today.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take in venues and offers, all of the file or nothing."""
    with clearing_in(context, data, as_json) as clearing:
        done = clearing.venues.import_file(file, _date(on))
    words = (
        f"{done['venues']} venues, {done['offers']} offers; {done['changed']} changes. Terminals get them at a sync."
    )
    say(as_json, done, words)


@app.command()
def ingest(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Batches.", exists=True, dir_okay=False)],
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take in batches, in any order. What is refused stays in quarantine."""
    refused = False
    with clearing_in(context, data, as_json) as clearing:
        for file in files:
            try:
                receipt = clearing.ingest.accept(file.read_bytes())
            except (BatchRefused, TwoJournals) as error:
                refused = True
                say(as_json, {"file": str(file), "kept": True, "reason": error.reason}, f"{file}: refused, {error}")
                continue
            refused = refused or bool(receipt.refused)
            words = [
                f"{file}: {receipt.accepted} new, {receipt.duplicates} held already, {receipt.pending} to be proven."
            ]
            words += [f"  position {each.position}: refused, {each.reason}" for each in receipt.refused]
            words += [f"  positions {first} to {last} are missing" for first, last in receipt.gaps]
            say(as_json, {"file": str(file), **asdict(receipt)}, *words)
    if refused:
        raise typer.Exit(1)


@app.command()
def prove_pending(context: typer.Context, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Have records proven that came in while the vault did not answer."""
    with clearing_in(context, data, as_json) as clearing:
        decided = clearing.ingest.prove_pending()
    say(as_json, {"decided": decided}, f"{decided} records decided.")


@app.command()
def totals(context: typer.Context, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Show what venues earned, what funds have outstanding, and what waits."""
    with clearing_in(context, data, as_json) as clearing:
        all_of = clearing.totals()
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
    words += ["", f"{'Taps and reversals':<30}{'records':>14}{'amount':>14}"]
    for state, row in all_of["states"].items():
        words.append(f"{state.replace('_', ' '):<30}{row['records']:>14}{euro(row['cents']):>14}")
    words += ["", f"Due back to holders: {euro(all_of['suspense'])}. In quarantine: {all_of['quarantine']}."]
    say(as_json, all_of, *words)


_FOUND = {
    "missing": "was made with a pass and never handed in: fetch it from the terminal",
    "happened": "was in doubt, and the pass did pay: two people can book it, see `meedoen backend exceptions`",
    "did_not_happen": "was in doubt, and the pass did not pay",
    "not_ours": "is of a terminal that has no keys from us: call the key custodians",
    "differs": "says something else than what the pass signed: ask the venue",
}


@app.command()
def audit(
    context: typer.Context,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; all there ever was.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; today.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Have the vault look for what is missing, what a doubt came to, and what differs. It names no pass."""
    with clearing_in(context, data, as_json) as clearing:
        found = clearing.findings.audit(_date(since), _date(until))
    words = [f"Terminal {each.terminal}, no. {each.sequence}: {_FOUND[each.kind]}." for each in found.findings]
    if found.unnamed:
        words.append(f"{found.unnamed} more transactions are missing; who has them shows when the next ones come in.")
    say(as_json, audit_out(found), f"{found.records} records audited.", *(words or ["Nothing found."]))


@settle.command("prepare")
def settle_prepare(
    context: typer.Context,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day of the period.")],
    by: By,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Gather what is proven up to and with a day."""
    with clearing_in(context, data, as_json) as clearing:
        made = clearing.settlements.prepare(until.date(), clearing.answering(by, "settle"))
    next_step = f"Someone else approves it: meedoen backend settle approve {made.number} --by NAME"
    say(as_json, settlement_out(made), *_words(made), next_step)


@settle.command("approve")
def settle_approve(
    context: typer.Context,
    number: Number,
    by: By,
    execution: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of payment.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Release what somebody else prepared; writes the payment order and a statement for each venue."""
    order = data / "settlements" / number / ORDER
    with clearing_in(context, data, as_json) as clearing:
        # Only what was approved has one, and a number is given out once.
        if order.exists() and clearing.settlements.get(number).state == "prepared":
            raise SettlementRefused("behind", f"{order} is there: a copy was put back. First: meedoen backend recover")
        made = clearing.settlements.approve(number, clearing.answering(by, "release"), _date(execution))
        written = write_out(clearing, made, data / "settlements" / number) if made.state == "approved" else []
    facts = settlement_out(made) | {"files": [str(path) for path in written]}
    words = [f"  {path}" for path in written]
    if made.needs_third:
        words = [f"It is more than two people decide on. A third approves it: meedoen backend settle approve {number}"]
    say(as_json, facts, *_words(made), *words)


@settle.command("withdraw")
def settle_withdraw(
    context: typer.Context,
    number: Number,
    by: By,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Undo a preparation that must not be approved."""
    with clearing_in(context, data, as_json) as clearing:
        made = clearing.settlements.withdraw(number, clearing.answering(by, "settle"))
    say(as_json, settlement_out(made), f"Settlement {number} is withdrawn.")


@settle.command("sent")
def settle_sent(
    context: typer.Context,
    number: Number,
    by: By,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Note that the payment order went to the bank; from here on it is not revoked."""
    with clearing_in(context, data, as_json) as clearing:
        made = clearing.settlements.sent(number, clearing.answering(by, "settle"))
    say(as_json, settlement_out(made), f"Settlement {number} is sent. Next: meedoen backend bank import FILE")


@settle.command("revoke")
def settle_revoke(
    context: typer.Context,
    number: Number,
    by: By,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Stop the payments of an approved settlement before its file goes to the bank; the next settlement pays them."""
    with clearing_in(context, data, as_json) as clearing:
        made = clearing.settlements.revoke(number, clearing.answering(by, "release"))
        (data / "settlements" / number / ORDER).unlink(missing_ok=True)
    say(as_json, settlement_out(made), f"Settlement {number} is revoked. Its payment order must not go to the bank.")


def write_out(clearing: Clearing, settlement: Settlement, folder: Path) -> list[Path]:
    """Write the payment order, the statements and the invoices of an approved settlement; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        folder / f"statement-{line.venue}.pdf": clearing.settlements.statement(settlement.number, line.venue)
        for line in settlement.lines
    }
    for line in settlement.lines:
        with suppress(NotFound):
            content[folder / f"invoice-{line.venue}.xml"] = clearing.settlements.invoice(settlement.number, line.venue)
    order = clearing.settlements.payment_file(settlement.number)
    if order is not None:
        content[folder / ORDER] = order
    for path, data in content.items():
        path.write_bytes(data)
    return sorted(content)


_ACCOUNT_WORDS = {"first": "first payment", "new": "new account number", "came back": "last payment came back"}


def _words(settlement: Settlement) -> list[str]:
    words = [f"Settlement {settlement.number}, up to {settlement.until}, {settlement.state}: {euro(settlement.total)}"]
    for line in settlement.lines:
        rest = [f"{euro(line.carried)} carried over"] if line.carried else []
        rest += [f"{each.end_to_end_id} {each.how}, paid again" for each in line.reopened]
        rest += [_ACCOUNT_WORDS[line.account]] if line.account in _ACCOUNT_WORDS else []
        rest += [line.state] if line.state != settlement.state else []
        words.append(
            f"  {line.venue:>4} {line.name[:30]:<31}{euro(line.paid):>14}" + "".join(f", {each}" for each in rest)
        )
    return words


@bank.command("import")
def bank_import(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="camt.053, camt.054 or pain.002.", exists=True, dir_okay=False)],
    by: By,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take in files of the bank, each whole or not at all; the same file again does nothing."""
    with clearing_in(context, data, as_json) as clearing:
        person = clearing.answering(by, "settle")
        for file in files:
            receipt = clearing.bank.take(file.read_bytes(), person)
            done = ", ".join(f"{count} {what}" for what, count in receipt.counts) or "nothing new"
            words = (
                "held already"
                if receipt.known
                else "the bank has this payment order twice"
                if receipt.duplicate
                else done
            )
            say(as_json, receipt_of_bank(receipt) | {"file": str(file)}, f"{file}: {receipt.kind}, {words}.")
        gaps = [each for each in clearing.bank.statements() if not each.whole]
    if gaps and not as_json:
        typer.echo("Statements do not follow on each other: meedoen backend bank list")


@bank.command("list")
def bank_list(context: typer.Context, data: Folder = DEFAULT, as_json: AsJson = False) -> None:
    """Show entries that are no payment of ours by themselves, and what is missing among the statements."""
    with clearing_in(context, data, as_json) as clearing:
        entries, statements = clearing.bank.unmatched(), clearing.bank.statements()
    words = []
    for each in entries:
        words.append(
            f"{each.id:>5}  {each.happened_on}  {each.direction:<6} {euro(each.amount):>14}  {each.why}: {each.state}"
        )
        words += [f"       could be {payment}" for payment in each.candidates]
    for statement in statements:
        words += [f"Statement {statement.number} of {statement.day}: {fault}" for fault in _faults_of(statement)]
    facts = {
        "entries": [entry_out(each) for each in entries],
        "statements": [statement_out(each) for each in statements],
    }
    say(as_json, facts, *(words or ["Every entry is matched, and no statement is missing."]))


def _faults_of(statement: BankStatement) -> list[str]:
    faults = []
    if statement.missing:
        faults.append(f"numbers {statement.missing[0]} to {statement.missing[1]} before it are missing")
    if statement.jump:
        faults.append(f"opens {euro(statement.jump)} beside the closing balance before it")
    if statement.unexplained:
        faults.append(f"closes {euro(statement.unexplained)} beside what its entries say")
    return faults


@bank.command("assign")
def bank_assign(
    context: typer.Context,
    entry: Annotated[int, typer.Argument(help="Number of the entry, of `bank list`.")],
    by: By,
    payment: Annotated[str | None, typer.Option(help="End-to-end id of the payment that it is.")] = None,
    not_ours: Annotated[str | None, typer.Option(help="Why it has nothing to do with payments to venues.")] = None,
    data: Folder = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Say of which payment an entry is (two people say the same), or why it is none of ours."""
    if (payment is None) == (not_ours is None):
        raise typer.BadParameter("give either --payment or --not-ours")
    with clearing_in(context, data, as_json) as clearing:
        person = clearing.answering(by, "settle")
        if payment is not None:
            found = clearing.bank.assign(entry, payment, person)
        else:
            found = clearing.bank.not_ours(entry, str(not_ours), person)
    words = (
        "Somebody else says the same, and then it is booked."
        if found.state == "proposed"
        else f"Entry {entry}: {found.state}."
    )
    say(as_json, entry_out(found), words)


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8442,
    workers: Annotated[int, typer.Option(help="How many processes answer.", min=1, max=64)] = 2,
    data: Folder = DEFAULT,
) -> None:
    """Run the HTTP interface. Beyond this machine it needs both tokens in the configuration."""
    from backend.serving import serve as run

    # Whatever is wrong with the configuration or the database is said here, once.
    with clearing_in(context, data, as_json=False) as clearing:
        config = clearing.config
    if host not in ("127.0.0.1", "::1", "localhost") and not (config.transport_token and config.finance_token):
        typer.echo("Set transport_token and finance_token before listening beyond this machine.", err=True)
        raise typer.Exit(1)
    typer.echo(f"Clearing answers on http://{host}:{port}, until it is stopped.")
    run(config, host, port, workers)
