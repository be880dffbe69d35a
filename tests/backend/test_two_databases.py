"""The same on SQLite and on PostgreSQL: what is done, refused and said, every row, and every export, to the byte."""

import io
import random
from contextlib import ExitStack
from dataclasses import asdict, is_dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.errors import LedgerError, LinkError
from backend.reports.periods import period
from backend.schema import metadata
from tests.backend.a_bank import camt, pain_002
from tests.backend.conftest import VENUES, WITH_OFFER_99, Furnished, Terminal
from tests.backend.test_convergence import ACTS, act

# In `make test`; `--seeds` asks for more.
STEPS = 60
OFTEN = (
    "tap", "tap", "load", "hand in", "hand in", "hand in", "spoil", "clone", "vault", "prove", "days", "venues",
    "settle", "settle", "bank", "bank", "entry", "case", "case",
)  # fmt: skip
PEOPLE = ("Anna", "Bram", "Chris", "Dirk")


@pytest.fixture(scope="module")
def cities(tmp_path_factory, postgresql):
    """Makes a city over each of the two databases."""
    kinds = [
        Furnished(tmp_path_factory.mktemp(name), server) for name, server in (("lite", None), ("post", postgresql))
    ]
    with ExitStack() as until:
        yield lambda: [kind.copy(tmp_path_factory.mktemp("city"), until) for kind in kinds]
    for kind in kinds:
        kind.close()


class Clerk:
    """Does the next thing in a city, by a chance of its own: two with one seed do the same."""

    def __init__(self, world, seed):
        self.world, self.chance = world, random.Random(seed)
        self.clone = Terminal(world.pool.number, world.vault)

    def step(self):
        """What was done, and what was said of it."""
        what = self.chance.choice(OFTEN)
        try:
            return what, plain(getattr(self, "_" + what.replace(" ", "_"))())
        except (LedgerError, LinkError) as error:
            return what, type(error).__name__, str(error)

    def _tap(self):
        for _ in range(self.chance.randrange(1, 4)):
            act(self.world, self.world.pool, self.chance.choice(ACTS))
        self.world.shop.tap(self.world.holder, offer=21, amount=300, price=300)

    def _load(self):
        self.world.desk.load(
            self.chance.choice((self.world.holder, self.world.sibling)), grant=self.chance.choice((1, 9, 7))
        )

    def _hand_in(self):
        terminal = self.chance.choice((self.world.pool, self.world.pool, self.world.shop, self.world.desk))
        if not terminal.entries:
            return None
        first = self.chance.randrange(1, len(terminal.entries) + 1)
        last = self.chance.randrange(first, len(terminal.entries) + 1)
        return self.world.accept(terminal.batch(first, last), terminal.number)

    def _spoil(self):
        terminal = self.chance.choice((self.world.pool, self.world.terminal(102)))
        if not terminal.entries:
            terminal.tap(self.world.stranger)
        body = bytearray(terminal.batch())
        body[self.chance.randrange(len(body))] ^= self.chance.randrange(256)
        return self.world.accept(bytes(body), self.chance.choice((101, None)))

    def _clone(self):
        self.clone.tap(self.world.stranger, amount=499)
        return self.world.accept(self.clone.batch())

    def _vault(self):
        self.world.vault.down = not self.world.vault.down

    def _prove(self):
        return self.world.clearing.ingest.prove_pending()

    def _days(self):
        days = timedelta(days=self.chance.choice((1, 1, 3, 20)))
        self.world.now += days
        for terminal in (self.world.pool, self.world.shop, self.world.desk, self.clone):
            terminal.day += days

    def _venues(self):
        return self.world.import_venues(
            self.chance.choice((VENUES, WITH_OFFER_99, VENUES.replace("amount = 500", "amount = 450")))
        )

    def _number(self):
        known = [each.number for each in self.world.clearing.settlements.all()]
        return self.chance.choice([*known[-3:], "2026-999"])

    def _settle(self):
        settlements, who = self.world.clearing.settlements, self.chance.choice(PEOPLE)
        how = self.chance.choice(("prepare", "prepare", "approve", "approve", "sent", "revoke", "withdraw"))
        if how == "prepare":
            return settlements.prepare(self.world.now.date() - timedelta(days=self.chance.randrange(3)), who)
        return getattr(settlements, how)(self._number(), who)

    def _bank(self):
        day, message = self.world.now.date().isoformat(), f"M{self.chance.randrange(40)}"
        paid = [line for each in self.world.clearing.settlements.all() for line in each.lines if line.end_to_end_id]
        lines = self.chance.sample(paid, min(len(paid), self.chance.randrange(4)))
        if self.chance.randrange(4) == 0:
            status = [(line.end_to_end_id, self.chance.choice(("ACCP", "RJCT", "PDNG"))) for line in lines]
            content = pain_002(self.chance.choice(("", "ACCP", "RJCT")), status, message, f"MD-1-{self._number()}")
        else:
            off = self.chance.choice((0, 0, 0, 1))
            entries = [
                (self.chance.choice(("DBIT", "DBIT", "CRDT")), line.paid + off, line.end_to_end_id) for line in lines
            ]
            content = camt(
                [*entries, ("CRDT", 777, None)][: len(entries) + self.chance.randrange(2)],
                kind=self.chance.choice(("camt.053", "camt.054")), message=message, day=day,
                iban=self.chance.choice(("NL44RABO0123456789",) * 5 + ("NL91ABNA0417164300",)),
            )  # fmt: skip
        return self.world.clearing.bank.take(content, "Chris")

    def _entry(self):
        bank, who = self.world.clearing.bank, self.chance.choice(PEOPLE)
        waiting = bank.unmatched()
        if not waiting:
            return None
        each = self.chance.choice(waiting)
        if each.candidates and self.chance.randrange(2):
            return bank.assign(each.id, self.chance.choice(each.candidates), who)
        return bank.not_ours(each.id, "of another account", who) if self.chance.randrange(3) == 0 else None

    def _case(self):
        desk, who = self.world.clearing.exceptions, self.chance.choice(PEOPLE)
        cases = desk.cases()
        if not cases:
            return None
        case = self.chance.choice(cases)
        how = self.chance.choice(("retry", "close", "book", "confirm", "confirm", "decline"))
        return desk.close(case.id, who, "test") if how == "close" else getattr(desk, how)(case.id, who)


def plain(found):
    return asdict(found) if is_dataclass(found) else found


def rows(world):
    """Every row of every table, in the order of their keys.

    A number that a database gave counts by its place: PostgreSQL skips those of what was undone.
    """
    with world.connection() as connection:
        found = {
            table: [row._asdict() for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }
    places = {
        table.c.id: {row["id"]: place for place, row in enumerate(of_table)}
        for table, of_table in found.items()
        if "id" in table.primary_key
    }
    for table, of_table in found.items():
        for column in table.c:
            given = next((key.column for key in column.foreign_keys if key.column in places), column)
            for row in of_table if given in places else ():
                row[column.name] = places[given].get(row[column.name])
    return {table.name: of_table for table, of_table in found.items()}


def said(world):
    """All that clearing shows and gives out."""
    clearing, year = world.clearing, period("2026")
    xaf = io.BytesIO()
    clearing.auditfile("123456782").write(xaf, year, world.now.date())
    settlements = clearing.settlements.all()
    return {
        "picture": world.picture(),
        "totals": clearing.totals(),
        "cases": clearing.exceptions.cases(ended=True),
        "entries": clearing.bank.unmatched(with_decided=True),
        "statements": clearing.bank.statements(),
        "settlements": settlements,
        "orders": [clearing.settlements.payment_file(each.number) for each in settlements if each.state == "approved"],
        "beancount": list(clearing.beancount.lines(world.now.date())),
        "xaf": xaf.getvalue(),
        "funds": clearing.spreadsheets.funds(clearing.funds.of(year)),
        "venues": clearing.venues.listing(),
        "bundle": clearing.venues.bundle_for(101),
    }


def test_two_databases_end_with_the_same_books_whatever_is_done(cities, week_seed):
    worlds = cities()
    for world in worlds:
        world.sells()
        made = world.clearing.settlements.prepare(world.now.date(), "Anna")
        world.clearing.settlements.approve(made.number, "Bram")
    clerks = [Clerk(world, week_seed) for world in worlds]
    done = []
    for number in range(STEPS):
        lite, post = (clerk.step() for clerk in clerks)
        done.append(lite[0])
        assert lite == post, f"seed {week_seed}, step {number}: {done[-5:]}"
    for world in worlds:
        world.vault.down = False
        world.clearing.ingest.prove_pending()
    lite, post = (said(world) | rows(world) for world in worlds)
    for what in lite:
        assert lite[what] == post[what], f"seed {week_seed}: {what}"
    # Of the test itself: it does what it is about.
    assert lite["settlements"]
    assert len(lite["xaf"]) > 1000
