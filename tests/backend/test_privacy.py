"""What clearing holds says nothing about passes or people, and does not tell which taps are of one pass."""

import logging
from datetime import date

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import inspect, text

from backend.exceptions.schemas import case_out
from backend.migrations import is_no_part
from backend.schema import metadata
from card.record import LOAD
from tests.backend.conftest import TABLE_KEY

# Every column there is. Whoever adds one says here that it names no pass and no person, and links no two taps.
ALLOWED = {
    "venue": "number name iban bic",
    "terminal": "number venue in_use in_use_since",
    "venue_purse": "id venue purse offered_from withdrawn_on",
    "offer": "id number venue name price purse amount purse2 amount2 percent cap compensated compensation"
    " offered_from until withdrawn_on",
    "venues_import": "version digest recorded_at",
    # sealed: opens in the vault only, and is another value for every transaction; so is nullifier. posting: with all
    # that came in at once of the same offer and day.
    "entry": "terminal position happened_on sequence outcome clear sealed previous_mac mac recorded_on"
    " state doubt_position reason nullifier decided_on posting",
    # body: a batch, which holds the same as its entries.
    "quarantine": "id reason detail terminal position sequence body digest recorded_at tried_at resolved_at",
    # held_to: a count of entries; seen_on: the day of a sync.
    "terminal_progress": "terminal held_to seen_on",
    "audit": "id since until records unnamed recorded_at",
    # A finding names a record and no pass; its nullifier is the one that the record gets.
    "finding": "id kind terminal sequence nullifier recorded_at",
    # done_by, proposed_by: officials, who answer for it. note: their words.
    "exception_event": "id about action done_by outcome reason note answers proposed_by recorded_at",
    "closed_gap": "event terminal first last",
    "account": "name unit",
    "posting": "id kind happened_on recorded_on terminal records venue offer settlement not_payable",
    "transfer": "posting number source destination unit amount",
    # Sums of postings.
    "flow": "kind venue source destination unit amount",
    "tally": "kind venue records",
    # prepared_by, approved_by: officials, who answer for it.
    "settlement": "number since until state prepared_by prepared_at approved_by approved_at execution_on"
    " debtor debtor_iban debtor_bic",
    "settlement_item": "posting settlement",
    # proposed_by, decided_by, published_by: who answers for an offer.
    "proposal": "id venue offer terms state proposed_by proposed_at decided_by decided_at reason published_by"
    " published_at version",
    "venue_invoice": "venue company vat_number vat_rate street postcode city",
    # xml: the invoice of a venue, by offer.
    "settlement_invoice": "settlement venue xml",
    # by: officials, here and below.
    "settlement_event": "settlement number kind by recorded_at",
    "settlement_reopened": "settlement end_to_end_id kind amount",
    "payment_event": "id end_to_end_id kind happened_on recorded_at reason entry",
    "bank_file": "id kind message_id digest by recorded_at",
    "bank_statement": "id file iban number day opening closing entries",
    # Of who paid or was paid nothing is kept: an entry that is not ours may be of anybody in town.
    "bank_entry": "id file kind fingerprint direction amount happened_on end_to_end_id reference reason payment"
    " unmatched",
    "bank_decision": "id entry kind payment reason by recorded_at",
    # digest: of a payment order, which names venues; by: officials.
    "recovery": "id kind settlement digest by recorded_at",
    # Sums of whole purses; officials, who answer for it.
    "year_closing": "id kind until purse unit most amount state proposed_by proposed_at decided_by decided_at",
    # cause: the posting of late taps.
    "lapse": "posting closing cause",
    # started_by: who pressed a button. found: counts, and the first difference by terminal, number and account.
    "run": "id kind started_by started_at heard_at done total ended_at outcome found",
    # content: counts of taps of a year, none of them small.
    "published_statistics": "year minimum published_by published_at content",
    "settlement_line": "settlement venue name iban bic opening earned paid carried end_to_end_id",
}


def test_every_column_is_one_that_was_thought_about(world):
    found = inspect(world.clearing.store._engine)
    names = [name for name in found.get_table_names() if is_no_part(name, "table", {})]
    held = {name: {column["name"] for column in found.get_columns(name)} for name in names}
    # What Alembic keeps says which version the tables have.
    assert held.pop("alembic_version") == {"version_num"}
    # municipality: the same in every row.
    assert held == {name: {"municipality", *columns.split()} for name, columns in ALLOWED.items()}
    assert held == {table.name: set(table.columns.keys()) for table in metadata.sorted_tables}


def a_day(world, guests):
    """Loads, taps, a doubt, a reversal, refusals and a settlement; `guests` says which pass is at each turn."""
    turn = iter(guests)
    world.desk.load(next(turn))
    world.desk.load(next(turn))
    world.pool.tap(next(turn))
    world.pool.tap(next(turn))
    world.shop.tap(next(turn), offer=21, amount=700, price=700)
    guest = next(turn)
    tap = world.pool.doubt(guest)
    world.pool.commit(tap, guest)
    world.pool.reverse(next(turn))
    world.pool.tap(next(turn), offer=99)
    world.shop.tap(next(turn), offer=21, purse=2, price=500)
    world.sync()
    made = world.clearing.settlements.prepare(date(2026, 11, 30), "Anna")
    world.clearing.settlements.approve(made.number, "Bram")
    return made.number


def dump(world):
    """Every row of every table, in the order in which they lie there."""
    with world.connection() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_indexscan = off"))
            connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        return {
            name: [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {name}"))] for name in ALLOWED
        }


def names_of(person):
    """Every form in which a pass could be written down."""
    for secret in (person.uid, person.handle):
        yield secret
        yield secret[::-1]
        for written in (secret.hex(), secret.hex().upper(), secret[::-1].hex(), str(list(secret)), repr(secret)):
            yield written.encode()


def rows_of_table(world):
    """What the vault finds in the table of nullifiers."""
    table = world.clearing.findings.table()
    return AESSIV(TABLE_KEY).decrypt(table[8:], [table[:8]])


def test_nothing_that_clearing_writes_names_a_pass(world, caplog):
    people = (world.holder, world.sibling, world.stranger)
    with caplog.at_level(logging.DEBUG):
        number = a_day(world, [*people, *people, *people])
    totals = repr(world.clearing.ledger.totals())
    out = [
        caplog.text.encode(),
        totals.encode(),
        repr([case_out(case) for case in world.clearing.exceptions.cases(ended=True)]).encode(),
        world.clearing.settlements.payment_file(number),
        world.clearing.settlements.statement(number, 5),
        repr(dump(world)).encode(),
        rows_of_table(world),
    ]
    world.clearing.close()
    out += [path.read_bytes() for path in world.folder.iterdir()]
    for person in people:
        for name in names_of(person):
            assert not any(name in written for written in out)


def test_no_log_line_holds_what_identifies_a_transaction(world, caplog):
    with caplog.at_level(logging.DEBUG):
        a_day(world, [world.holder] * 9)
    for row in dump(world)["entry"]:
        assert not row["nullifier"] or row["nullifier"] not in caplog.text
        assert row["sealed"].hex() not in caplog.text


def test_the_database_looks_the_same_whoever_the_guests_were(new_world):
    """The same day at the same tills, once with one pass at every turn and once with another at each."""
    one, many = new_world(), new_world()
    a_day(one, [one.holder] * 9)
    a_day(many, [type(many.holder)(f"guest {turn}") for turn in range(9)])

    def shown(world):
        """The dump, with what only the vault can read replaced by whether it came before."""
        seen = {}

        def masked(key, value):
            hidden = key in ("sealed", "mac", "previous_mac", "nullifier") and value
            return seen.setdefault(value, len(seen)) if hidden else value

        return {
            name: [{key: masked(key, value) for key, value in row.items()} for row in rows]
            for name, rows in dump(world).items()
        }

    assert shown(one) == shown(many)


def test_the_table_for_the_vault_says_nothing_about_when(world):
    """24 bytes a row: nullifier, year, kind, purse, amount; in the order of the nullifiers, and so in none."""
    a_day(world, [world.holder] * 9)
    table = rows_of_table(world)
    rows = [table[at : at + 24] for at in range(0, len(table), 24)]
    assert rows == sorted(rows, key=lambda row: row[:16])
    assert {int.from_bytes(row[16:18], "little") for row in rows} == {2026}
    kinds = sorted((row[18], row[19], int.from_bytes(row[20:], "little")) for row in rows)
    assert kinds.count((LOAD, 1, 15000)) == 2
    with world.clearing.store.transaction() as tx:
        assert len(rows) == tx.journal.states()["proven"]


def test_nobody_but_the_vault_opens_the_table_or_puts_another_day_on_it(world):
    a_day(world, [world.holder] * 9)
    table = world.clearing.findings.table()
    for key, header in ((bytes(32), table[:8]), (TABLE_KEY, table[:6] + b"\x00\x00")):
        with pytest.raises(InvalidTag):
            AESSIV(key).decrypt(table[8:], [header])
