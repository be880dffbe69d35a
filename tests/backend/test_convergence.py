"""Whatever the way in, the books end up the same: any order, overlap and repetition, and a stop at any point."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.schema import metadata
from backend.store import Transaction

ACTS = ("tap", "reverse", "void", "forged", "resolved", "voided", "doubt", "other purse", "unknown offer")


def act(world, terminal, what):
    """One thing that happens at a terminal; some make two entries."""
    if what == "tap":
        terminal.tap(world.holder)
    elif what == "reverse":
        terminal.reverse(world.sibling)
    elif what == "void":
        terminal.void()
    elif what == "forged":
        record = terminal.record(1, 11, 1, 500)
        terminal.append(1, record, terminal.seal(record, world.stranger))
    elif what == "other purse":
        terminal.tap(world.holder, purse=2)
    elif what == "unknown offer":
        terminal.tap(world.holder, offer=99)
    else:
        tap = terminal.doubt(world.sibling)
        terminal.tap(world.holder)
        if what == "resolved":
            terminal.commit(tap, world.sibling)
        elif what == "voided":
            terminal.void(sequence=tap.sequence)


@st.composite
def uploads(draw, length):
    """Ranges of positions in any order, that together hold all of them."""
    position = st.integers(1, length)
    ranges = [sorted(pair) for pair in draw(st.lists(st.tuples(position, position), max_size=4))]
    held = {at for first, last in ranges for at in range(first, last + 1)}
    rest = [(at, at) for at in range(1, length + 1) if at not in held]
    return draw(st.permutations(ranges + rest + draw(st.lists(st.sampled_from(ranges or [(1, length)]), max_size=2))))


# A tenth of what is asked: each example is two cities.
@pytest.mark.timeout(300)
@settings(
    max_examples=settings.default.max_examples // 10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_the_way_in_does_not_change_the_books(new_world, data):
    acts = data.draw(st.lists(st.sampled_from(ACTS), min_size=1, max_size=8))
    straight, crooked = new_world(), new_world()
    for world in (straight, crooked):
        for what in acts:
            act(world, world.pool, what)
    straight.sync(straight.pool)

    for first, last in data.draw(uploads(len(crooked.pool.entries))):
        crooked.vault.down = data.draw(st.booleans())
        crooked.accept(crooked.pool.batch(first, last))
    crooked.vault.down = False
    crooked.clearing.ingest.prove_pending()

    assert crooked.picture() == straight.picture()
    assert crooked.vault.committed == straight.vault.committed
    assert whole(crooked) == whole(straight)


def whole(world):
    """Every row of every table. Numbers that the database gives are left out, and which cases there are has no order.
    What came in together is booked together, so of postings only counts what they add up to."""
    with world.connection() as connection:
        rows = {
            table.name: [row._asdict() for row in connection.execute(select(table))] for table in metadata.sorted_tables
        }
    for row in rows["entry"]:
        row["posting"] = row["posting"] is not None
    booked = {row.pop("id"): row | {"records": 0} for row in rows["posting"]}
    rows["transfer"] = _added_up([row | booked[row["posting"]] for row in rows["transfer"]], "amount")
    rows["posting"] = _added_up(rows["posting"], "records")
    for row in rows["quarantine"]:
        del row["id"]
    return {name: sorted(map(repr, of_table)) for name, of_table in rows.items()}


def _added_up(rows, what):
    """One row for those that differ in this number only, besides in which posting and place they stand."""
    sums = Counter()
    for row in rows:
        sums[tuple((name, value) for name, value in row.items() if name not in (what, "posting", "number"))] += row[
            what
        ]
    return [dict(alike) | {what: total} for alike, total in sums.items()]


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def store_calls(monkeypatch):
    """Counts every call into the store; dies at call number `die_at`."""

    class Calls:
        made, die_at = 0, None

    def counted(method):
        def call(*args, **options):
            Calls.made += 1
            if Calls.die_at == Calls.made:
                raise Killed
            return method(*args, **options)

        return call

    for subject in Transaction.__annotations__.values():
        for name, method in vars(subject).items():
            if callable(method) and not name.startswith("_"):
                monkeypatch.setattr(subject, name, counted(method))
    return Calls


def busy_hour(world):
    for what in ("tap", "resolved", "forged", "other purse"):
        act(world, world.pool, what)


def test_a_stop_anywhere_in_ingest_leaves_nothing_half(new_world, store_calls):
    clean = new_world()
    busy_hour(clean)
    store_calls.made = 0
    clean.sync()
    calls, wanted = store_calls.made, clean.picture()
    assert calls >= 15

    world, entries = new_world(), len(clean.pool.entries)
    busy_hour(world)
    for die_at in range(1, calls + 1):
        victim = new_world() if die_at > 1 else world
        if die_at > 1:
            busy_hour(victim)
        store_calls.made, store_calls.die_at = 0, die_at
        with pytest.raises(Killed):
            victim.sync()
        store_calls.die_at = None

        states, moved, _, _ = victim.picture()
        with victim.clearing.store.transaction() as tx:
            assert len(tx.journal.entries(101, 1, entries)) in (0, entries)
        assert sum(states.values()) == (0 if not states else sum(wanted[0].values()))
        assert not moved or moved == wanted[1]

        victim.sync()
        assert victim.picture() == wanted, f"after a stop at call {die_at}"


def test_uploads_at_the_same_time_are_taken_once(world):
    for _ in range(6):
        world.pool.tap(world.holder)
    ranges = [(1, 6), (1, 3), (2, 5), (4, 6), (1, 6), (3, 4)]

    def upload(part):
        clearing = world.open()
        try:
            return clearing.ingest.accept(world.pool.batch(*part)).accepted
        finally:
            clearing.close()

    with ThreadPoolExecutor(len(ranges)) as carriers:
        accepted = list(carriers.map(upload, ranges))
    assert sum(accepted) == 6
    assert world.venue_is_owed() == 3000
    assert world.reasons() == []
