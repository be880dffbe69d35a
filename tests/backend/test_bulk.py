"""Many rows at once, on both databases: all of them, as they were given, and none that was there already."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, StatementError

from backend.schema import entry, finding, posting
from backend.store.bulk import Clash, add_rows
from backend.store.journal import UNDECIDED

NOW = datetime(2026, 11, 2, 9, 0, 0, 250000, tzinfo=UTC)


def entries(*positions, terminal=101, **values):
    return [
        {
            "terminal": terminal, "position": position, "happened_on": NOW.date(), "sequence": position, "outcome": 1,
            # Every byte that could be mistaken for something else on its way.
            "clear": bytes(range(42)), "sealed": bytes(range(196, 256)), "previous_mac": b"\\N\t\n\r\0" + bytes(10),
            "mac": bytes(16), "recorded_on": NOW.date(),
        } | values
        for position in positions
    ]  # fmt: skip


def held(connection):
    return [row.position for row in connection.execute(select(entry).order_by(entry.c.position))]


def test_rows_are_there_as_they_were_given(world):
    rows = entries(1, 2, 3)
    with world.connection() as connection:
        add_rows(connection, entry, rows)
        found = [dict(row._mapping) for row in connection.execute(select(entry).order_by(entry.c.position))]
    assert found == [UNDECIDED | row | {"municipality": 1} for row in rows]


def test_twice_in_one_transaction_with_other_columns(world):
    """The second does not bring the first again."""
    loads = [{"kind": "load", "happened_on": NOW.date(), "recorded_on": NOW.date(), "terminal": 101, "records": 1}]
    with world.connection() as connection:
        add_rows(connection, posting, [])
        add_rows(connection, posting, loads)
        add_rows(connection, posting, [{**loads[0], "not_payable": "purse"}])
        rows = connection.execute(select(posting).order_by(posting.c.id)).all()
    assert [(row.kind, row.not_payable, row.municipality) for row in rows] == [("load", None, 1), ("load", "purse", 1)]


def test_a_row_that_is_there_already_keeps_out_all(world):
    with world.connection() as connection:
        add_rows(connection, entry, entries(2))
    with pytest.raises(Clash), world.connection() as connection:
        add_rows(connection, entry, entries(1, 2))
    with world.connection() as connection:
        assert len(held(connection)) == 1


@pytest.mark.parametrize("wrong", [{"outcome": 9}, {"terminal": 999}, {"mac": None}])
def test_one_row_that_the_schema_refuses_keeps_out_all(world, wrong):
    with pytest.raises(IntegrityError), world.connection() as connection:
        add_rows(connection, entry, entries(1, 2) + entries(3, **wrong))
    with world.connection() as connection:
        assert held(connection) == []


def test_a_moment_without_its_zone_is_refused(world):
    naive = datetime(2026, 11, 2)  # noqa: DTZ001 - this is what must be refused
    with pytest.raises((StatementError, ValueError), match="time zone"), world.connection() as connection:
        add_rows(connection, finding, [{"kind": "missing", "terminal": 101, "sequence": 1, "recorded_at": naive}])
