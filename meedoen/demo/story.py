"""Tells the week of Gelredam as it happens, and writes down what came of it."""

import json
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from backend.cli import write_out
from card.record import ClearRecord
from hardware.in_process import InProcessReader
from issuer import importing, renewal
from issuer.balance import ask, request_for, sealed_table
from issuer.errors import CardLeft, CardRefused
from issuer.import_file import read_people
from issuer.printing.artwork import load_artwork
from issuer.printing.check import check_artwork
from issuer.printing.job import face_of, last_day
from issuer.reach import reach_of
from issuer.registry import passes
from issuer.registry.tables import Holder
from meedoen.demo.audit import Doubt, read_cards, violations
from meedoen.demo.bank import statement_of
from meedoen.demo.city import BACKEND_URL, City, Guest
from meedoen.demo.households import write_csv, write_spoilt_csv
from meedoen.demo.neighbours import make_their_pass
from meedoen.demo.report import write_report
from meedoen.demo.week import Week

FOLDER = Path("var/demo")
SEED = 2026
MONDAY = date(2026, 11, 16)
LAST_YEAR = date(2025, 11, 17)
# The first day on which nothing of the year can come in any more.
PUBLISHED_ON = date(2027, 2, 1)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GUESTS_A_DAY = 42
_CARD_OF_THE_NEXT = 950
_PREPARES, _APPROVES = "A. de Boer", "S. Yilmaz"


def tell(folder: Path = FOLDER, seed: int = SEED, on_micropython: bool = True) -> int:
    """Run the week; 0 when every cent is where it should be, 1 when not."""
    began = time.monotonic()
    console = Console()
    city = City(folder, LAST_YEAR, on_micropython)
    try:
        guests = _desk(city, console, seed)
        week = _week(city, guests, console, seed)
        summary = _close(city, week, guests, console)
    finally:
        city.close()
    summary["seconds"] = round(time.monotonic() - began, 1)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    write_report(folder / "report.html", summary)
    _tell_end(console, folder, summary)
    return 1 if summary["violations"] else 0


# At the desk


def _desk(city: City, console: Console, seed: int) -> list[Guest]:
    console.rule("The desk of Gelredam")
    city.custodians.tell(console)
    _import(city, console, seed)
    holders = city.holders()
    old = _pass_of_last_year(city, console, holders)
    city.clock.day = MONDAY
    city.open_desk()
    waiting = city.desk.waiting(MONDAY)
    console.print(f"The rules give {len(waiting)} people a pass. Each gets a card with budgets, written by the desk.")
    guests = [old]
    for holder in track(waiting, "Making passes", console=console, transient=True):
        guests.append(_issue(city, console, holder, interrupted=len(guests) == 7))
    _card_that_is_too_old(city, console, waiting[0])
    refused = city.hand_in_loads()
    console.print(f"{len(guests)} passes are out. The backend has proof of every load; {len(refused)} were refused.")
    return guests


def _import(city: City, console: Console, seed: int) -> None:
    spoilt, good = city.folder / "households-spoilt.csv", city.folder / "households.csv"
    write_spoilt_csv(spoilt, seed)
    write_csv(good, seed)
    reading = read_people(spoilt.read_bytes(), MONDAY)
    console.print(f"The first list of households has {len(reading.faults)} faults, so nothing is taken in:")
    for fault in reading.faults[:3]:
        console.print(f"  row {fault.row}, {fault.column}: {fault.problem_en}", highlight=False)
    now = city.clock()
    with city.registry.transaction() as session:
        run, seen = importing.upload(session, good.read_bytes(), "desk", now, MONDAY)
        assert not seen.faults, seen.faults
        console.print(f"The second is right: {run.new} new people, {run.changed} changed. Nothing is taken in yet.")
        importing.accept(session, run.id, "desk", now, MONDAY)
    households = len({person.household for _, person in seen.reading.people})
    console.print(f"Somebody looked, and accepts it: {run.new} people in {households} households.")


def _issue(city: City, console: Console, holder: Holder, interrupted: bool = False) -> Guest:
    card, path = city.new_card(holder.id)
    if not interrupted:
        return city.issue(holder, card, path)
    card.tear_after(20, True)
    try:
        guest = city.issue(holder, card, path)
    except CardLeft as left:
        console.print(
            f"A card slips off the reader half-way. The screen says: {left} The clerk does, and it is finished."
        )
        guest = city.issue(holder, card, path)
    return guest


def _pass_of_last_year(city: City, console: Console, holders: list[Holder]) -> Guest:
    """Somebody whose pass was made last year and never renewed."""
    city.clock.day = LAST_YEAR
    holder = city.desk.waiting(LAST_YEAR)[-1]
    console.print("One person still has the pass of last year, and did not come to renew it.")
    return _issue(city, console, holder)


def _card_that_is_too_old(city: City, console: Console, holder: Holder) -> None:
    card, path = city.new_card(900, generation="EV1")
    try:
        city.desk.issue(holder, InProcessReader(card), city.clock.day)
    except (CardRefused, ValueError) as refused:
        console.print(f"Somebody puts an old card on the reader: {refused}")
    path.unlink()


# The week


def _week(city: City, guests: list[Guest], console: Console, seed: int) -> Week:
    console.rule("A week at four venues, with no network")
    city.open_venues()
    expired, blocked = guests[0], guests[-1]
    ordinary = [guest for guest in guests if guest not in (expired, blocked)]
    week = Week(city, ordinary, lambda words: console.print(f"  {words}"), seed)
    neighbour = _pass_of_the_neighbours(city)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("The week", total=len(DAYS))
        for number, day in enumerate(DAYS):
            week.sync_all()
            console.print(f"[bold]{day}[/bold]")
            for incident in _incidents(number, week, city, expired, blocked, neighbour):
                incident()
            week.ordinary(GUESTS_A_DAY)
            _evening(number, week)
            city.next_day()
            progress.advance(task)
    week.sync_all()
    return week


def _incidents(
    number: int, week: Week, city: City, expired: Guest, blocked: Guest, neighbour: Guest
) -> "Iterator[Any]":
    if number == 0:
        yield week.torn_at_every_exchange
    if number == 1:
        yield week.too_expensive
        yield week.clothing_money_at_the_pool
        yield lambda: week.stranger(expired, "The pass of last year is held against the reader at the library: no.")
    if number == 2:
        yield lambda: week.reversal(6)
        yield lambda: week.power_cut(comes_back=True)
        yield lambda: city.desk.block(blocked.code, "lost")
    if number == 3:
        yield lambda: week.stranger(blocked, "A pass was reported lost yesterday. Today somebody tries it: no.")
        yield lambda: week.stranger(neighbour, "A guest from the next city holds her own city's pass: not here.")
    if number == 4:
        yield week.forged_amount
        yield lambda: week.reversal(7)
    if number == 5:
        yield lambda: _new_key(city, week, week.children[8])
        yield lambda: week.power_cut(comes_back=False)
    if number == 6:
        yield week.comes_to_the_pool_later


def _new_key(city: City, week: Week, guest: Guest) -> None:
    """A key is rotated; whoever comes to the desk gets the new one."""
    city.custodians.rotate("load", city.clock.day + timedelta(days=60))
    renewed = city.desk.load(city.pass_coded(guest.code), InProcessReader(guest.card), city.clock.day).renewed
    what = " ".join(renewed)
    week.tell(
        f"The custodians rotate the {what} key. A child at the desk gets it on her pass; all else stays as it is."
    )


def _evening(number: int, week: Week) -> None:
    if number == 2:
        week.repeated_and_out_of_order()
    if number == 3:
        week.altered_on_the_way()


def _pass_of_the_neighbours(city: City) -> Guest:
    """A pass of a municipality with its own keys and application."""
    card, path = city.new_card(901)
    make_their_pass(card)
    return Guest(city.holders()[0], card, path, "")


# To the bank


def _close(city: City, week: Week, guests: list[Guest], console: Console) -> dict[str, Any]:
    console.rule("A lost pass, and the new year")
    refused = city.hand_in_loads()
    city.clearing.ingest.prove_pending()
    found = _lost_pass(city, guests[-1], console)
    refused += city.hand_in_loads()
    city.clearing.ingest.prove_pending()
    _new_year(city, console)
    console.rule("To the bank")
    prepared = city.clearing.settlements.prepare(city.clock.day - timedelta(days=1), _PREPARES)
    console.print(f"{_PREPARES} prepares the settlement {prepared.number}; {_APPROVES} looks at it and approves.")
    settlement = city.clearing.settlements.approve(prepared.number, _APPROVES)
    files = write_out(city.clearing, settlement, city.folder / "settlement")
    pain001 = next((path for path in files if path.suffix == ".xml"), None)
    statement = _to_the_bank(city, settlement.number, pain001, console) if pain001 else None
    totals = city.clearing.ledger.totals()
    doubts = _doubts(city)
    memory = read_cards(path for path in city.cards.glob("card-*.json") if path != city.cards / "card-901.json")
    found += _not_arrived(city, settlement.number)
    found += violations(memory, totals, doubts, week.counters.at_venue, pain001)
    if refused:
        found.append(f"{len(refused)} loads were refused")
    cents = [purse for purse in totals["purses"] if purse["unit"] == "cent"]
    findings = _audit(city, console)
    city.custodians.destroy(LAST_YEAR.year, console)
    # All but the one of last year; who lost a pass has another.
    found += _statistics(city, len(guests) - 1, console)
    return {
        "municipality": city.scheme.name,
        "days": len(DAYS),
        "passes": len(guests),
        "taps": week.counters.taps,
        "approved": week.counters.approved,
        "declined": dict(week.counters.declined),
        "torn": week.counters.torn,
        "power_cuts": week.counters.power_cuts,
        "reversals": week.counters.reversals,
        "loads_cents": sum(purse["loaded"] for purse in cents),
        "debits_cents": sum(purse["spent"] for purse in cents),
        # Without what stands on the lost pass and on the one after it as well.
        "card_balances_cents": sum(memory.balances.get(purse["purse"], 0) - purse["replaced"] for purse in cents),
        "proven": totals["records"].get("proven", 0),
        "rejected": _rejected(city),
        "in_doubt": totals["records"].get("in_doubt", 0),
        "in_doubt_cents": sum(sum(doubt.moves.values()) for doubt in doubts),
        "venue_owed_cents": {venue["name"]: venue["earned"] for venue in totals["venues"]},
        "findings": findings,
        "recredit_due_cents": totals["suspense"],
        "paid_cents": sum(venue["paid"] for venue in totals["venues"]),
        "pain001": str(pain001) if pain001 else None,
        "bank_statement": str(statement) if statement else None,
        "by_the_bank_cents": city.clearing.ledger.balances().get(("bank", "cent"), 0),
        "statements": [str(path) for path in files if path.suffix == ".pdf"],
        "venues": totals["venues"],
        "funds": totals["funds"],
        "purses": totals["purses"],
        "violations": found,
    }


def _to_the_bank(city: City, number: str, order: Path, console: Console) -> Path:
    """The order goes to the bank, and the bank's statement of that day is held against it."""
    city.clearing.settlements.sent(number, _APPROVES)
    statement = order.with_name("camt.053.xml")
    statement.write_bytes(statement_of(order))
    receipt = city.clearing.bank.take(statement.read_bytes(), _PREPARES)
    paid, others = receipt["paid"], receipt["unmatched"]
    console.print(f"The bank's statement comes in: {paid} payments are on it, and {others} entries that fit nothing.")
    return statement


def _not_arrived(city: City, number: str) -> list[str]:
    """What was ordered and is not on the bank's statement, or is on it and fits nothing."""
    bank, lines = city.clearing.bank, city.clearing.settlements.get(number).lines
    found = [f"{line.end_to_end_id} is {line.state}, not paid" for line in lines if line.paid and line.state != "paid"]
    found += [f"entry {entry.id} of the bank fits nothing: {entry.why}" for entry in bank.unmatched()]
    return found + [f"{each.day}: the bank's statement does not add up" for each in bank.statements() if not each.whole]


def _audit(city: City, console: Console) -> dict[str, int]:
    """What the vault finds over all records, by kind."""
    audit = city.clearing.findings.audit()
    counted: dict[str, int] = {}
    for each in audit.findings:
        counted[each.kind] = counted.get(each.kind, 0) + 1
    told = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(counted.items())) or "nothing"
    console.print(f"The vault audits all {audit.records} records together, and names no pass: {told}.")
    return counted


def _statistics(city: City, in_use: int, console: Console) -> list[str]:
    """The desk counts its passes in a file; clearing publishes it with the year, when its last taps can be in."""
    year, file = city.clock.day.year, city.folder / "reach.json"
    with city.registry.transaction() as session:
        file.write_text(reach_of(session, city.scheme, year, city.clock.day).as_json() + "\n")
    city.clock.day = PUBLISHED_ON
    made = city.clearing.statistics.publish(year, _APPROVES, file.read_bytes())
    ((counted_on, (count,)),) = next(table.rows for table in made.tables if table.name == "reach")
    shown = [one for table in made.tables for _, counts in table.rows for one in counts]
    hidden = f"{shown.count(None)} of {len(shown)}"
    console.print(
        f"In February {_APPROVES} publishes the counts of {year}: {count} passes in use on {counted_on}, as the desk "
        f"counted them. {hidden} counts are not shown, to protect those below {made.minimum}."
    )
    return [] if count == in_use else [f"the desk counted {count} passes in use, and there are {in_use}"]


def _lost_pass(city: City, lost: Guest, console: Console) -> list[str]:
    """Two officers ask what the lost pass still held; it must be what is on the card, and goes on the next one."""
    card = city.pass_coded(lost.code)
    request = request_for(card, city.scheme.number, "lost pass", city.clock.day)
    signatures = city.custodians.sign(request)
    found = ask(request, signatures, city.vault_client, sealed_table(BACKEND_URL, city.backend_transport))
    console.print("Two officers ask what is left on the lost pass. The vault adds it up, and shows no transaction.")
    on_card = {purse: amount for purse, amount in read_cards([lost.path]).balances.items() if amount}
    balances = {purse: amount for purse, amount in found.balances.items() if amount}
    city.desk.replace_balance(lost.code, found.balances)
    new = city.issue(lost.holder, *city.new_card(_CARD_OF_THE_NEXT))
    console.print(f"Pass {new.code} takes the place of {lost.code}, and holds what that one held.")
    on_new = {purse: amount for purse, amount in read_cards([new.path]).balances.items() if amount}
    said = {"the vault": balances, "the lost card": on_card, "the new card": on_new}
    return [] if balances == on_card == on_new else [f"what the lost pass held differs: {said}"]


def _new_year(city: City, console: Console) -> None:
    """The yearly test of everybody, as a team lead sees it; and the faces of all passes for the card printer."""
    first_day = city.scheme.year_end(city.clock.day) + timedelta(days=1)
    with city.registry.transaction() as session:
        counts = renewal.preview(session, city.scheme, first_day, "Ria", city.clock()).counts
        cards = passes.listing(session, ("active",))
        artwork = load_artwork()
        check_artwork(artwork, city.scheme)
        by_day = [card for card in cards if card.valid_until == cards[-1].valid_until]
        faces = artwork.pdf([face_of(artwork, card) for card in by_day], last_day(artwork, by_day))
    (city.folder / "faces.pdf").write_bytes(faces)
    costs = sum(fund["amount"] for fund in counts["funds"] if fund["unit"] == "cent")
    console.print(
        f"A preview of the new year: {counts['keeps']} keep their pass, {counts['loses']} lose it, {counts['gains']} "
        f"get one; it costs {euro(costs)}. Another team lead would have to accept it."
    )
    console.print("The faces of all passes are in faces.pdf, for the card printer.")


def _doubts(city: City) -> list[Doubt]:
    """The records that the backend holds in doubt, as terminals and desk wrote them down in clear."""
    return [
        Doubt(dict(ClearRecord.from_bytes(clear).debits())) for clear in city.clearing.ingest.clear_records("in_doubt")
    ]


def _rejected(city: City) -> dict[str, int]:
    """What the backend keeps in quarantine, by reason."""
    counted: dict[str, int] = {}
    with city.clearing.store.transaction() as tx:
        for item in tx.quarantine.items():
            counted[item.reason] = counted.get(item.reason, 0) + 1
    return counted


def _tell_end(console: Console, folder: Path, summary: dict[str, Any]) -> None:
    venues = Table("Venue", "Taps", "Earned", "Paid", title="Venues")
    for row in summary["venues"]:
        venues.add_row(row["name"], str(row["taps"]), euro(row["earned"]), euro(row["paid"]))
    funds = Table("Fund", "Loaded on passes", "Spent", "Still on passes", title="Funds")
    for row in summary["funds"]:
        funds.add_row(row["fund"], euro(row["loaded"]), euro(row["spent"]), euro(row["outstanding"]))
    console.print(venues, funds)
    console.print(
        f"{summary['taps']} times a pass was held against a reader: {summary['approved']} yes, "
        f"{sum(summary['declined'].values())} no, {summary['torn']} torn, "
        f"{summary['power_cuts']} cut off by a plug, {summary['reversals']} put back. "
        f"{summary['in_doubt']} in doubt, {sum(summary['rejected'].values())} kept in quarantine."
    )
    if summary["violations"]:
        for sentence in summary["violations"]:
            console.print(f"[bold red]Not right:[/bold red] {sentence}")
    else:
        console.print("[bold green]Every cent on the cards is where the ledger says it is.[/bold green]")
    written = (summary["pain001"], summary["bank_statement"], *summary["statements"])
    for path in (*written, folder / "summary.json", folder / "report.html"):
        console.print(f"  {path}", highlight=False)
    console.print(f"{summary['seconds']} seconds.")


def euro(cents: int) -> str:
    """An amount for people."""
    sign = "-" if cents < 0 else ""
    return f"{sign}€ {abs(cents) // 100:,}.{abs(cents) % 100:02}"
