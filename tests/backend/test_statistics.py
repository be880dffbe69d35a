"""Whoever has all published tables, and subtracts what can be subtracted, learns no small count."""

import json
import random
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from backend.config import Config
from backend.errors import NotFound, ReportRefused
from backend.reports.statistics import Cube
from backend.reports.suppression import Counts, suppressed
from issuer.reach import LEAST_COUNT, WHAT, Reach

MINIMUM = 10


def a_count(**changed):
    """The file as the desk of Gelredam writes it, with something else in it."""
    made = Reach(1, 2027, date(2027, 12, 31), WHAT, LEAST_COUNT, 412).as_json()
    return json.dumps(json.loads(made) | changed).encode()


class Attacker:
    """Knows every sum that is shown and solves for the rest in fractions; shares no code with the suppression."""

    def __init__(self, size, shown):
        self.rows = {}
        zeros = {each for members, value in shown for each in members if value == 0}
        self.known = zeros
        for members, value in shown:
            self.add(*self.reduced(self.vector(size, members), Fraction(value)))

    def vector(self, size, members):
        vector = [Fraction(0)] * size
        for each in set(members) - self.known:
            vector[each] = Fraction(1)
        return vector

    def reduced(self, vector, value):
        for place, (row, known) in self.rows.items():
            if vector[place]:
                factor = vector[place]
                vector = [each - factor * other for each, other in zip(vector, row, strict=True)]
                value -= factor * known
        return vector, value

    def add(self, vector, value):
        place = next((at for at, each in enumerate(vector) if each), None)
        if place is None:
            assert value == 0
            return
        vector, value = [each / vector[place] for each in vector], value / vector[place]
        for at, (row, known) in list(self.rows.items()):
            if row[place]:
                factor = row[place]
                row = [each - factor * other for each, other in zip(row, vector, strict=True)]
                self.rows[at] = row, known - factor * value
        self.rows[place] = vector, value

    def learns(self, size, members):
        """The sum over some cells when all that is shown tells it, else None."""
        vector, value = self.reduced(self.vector(size, members), Fraction(0))
        return None if any(vector) else -value


def a_table(rows, columns, most, seed):
    """A table with margins of which each cell is a finest cell, many of them small."""
    chance = random.Random(seed)
    values = [chance.choice([0, chance.randrange(1, 10), chance.randrange(most)]) for _ in range(rows * columns)]
    place = {(row, column): row * columns + column for row, column in product(range(rows), range(columns))}
    shown = {f"cell {row} {column}": (at,) for (row, column), at in place.items()}
    shown |= {f"row {row}": tuple(place[row, column] for column in range(columns)) for row in range(rows)}
    shown |= {f"column {column}": tuple(place[row, column] for row in range(rows)) for column in range(columns)}
    shown["total"] = tuple(range(rows * columns))
    lines = [(f"row {row}", tuple(f"cell {row} {column}" for column in range(columns))) for row in range(rows)]
    lines += [(f"column {column}", tuple(f"cell {row} {column}" for row in range(rows))) for column in range(columns)]
    lines += [("total", tuple(f"row {row}" for row in range(rows)))]
    lines += [("total", tuple(f"column {column}" for column in range(columns)))]
    return Counts(values, shown, lines, [])


def what_is_learned(counts, hidden):
    size = len(counts.values)
    shown = [members for name, members in counts.shown.items() if name not in hidden]
    attacker = Attacker(size, [(members, counts.value(members)) for members in shown])
    small = {m for m in (*counts.shown.values(), *counts.secret) if 0 < counts.value(m) < MINIMUM}
    return {members: attacker.learns(size, members) for members in small} | {"small": len(small)}


@pytest.mark.parametrize("seed", range(25))
def test_who_subtracts_margins_learns_no_small_cell(seed):
    counts = a_table(4, 5, 40, seed)
    hidden = suppressed(counts, MINIMUM)
    learned = what_is_learned(counts, hidden)
    assert learned.pop("small")
    assert set(learned.values()) <= {None}, f"seed {seed}"


def test_without_complementary_suppression_the_attacker_wins():
    wins = 0
    for seed in range(25):
        counts = a_table(4, 5, 40, seed)
        only_small = {name for name, members in counts.shown.items() if 0 < counts.value(members) < MINIMUM}
        learned = what_is_learned(counts, only_small)
        del learned["small"]
        for members, value in learned.items():
            assert value in (None, counts.value(members))
            wins += value is not None
    assert wins > 10


@pytest.mark.parametrize("seed", range(10))
def test_what_is_hidden_in_a_line_is_together_not_known_to_be_small(seed):
    counts = a_table(4, 5, 40, seed)
    hidden = suppressed(counts, MINIMUM)
    for whole, parts in counts.lines:
        together = sum(counts.value(counts.shown[part]) for part in parts if part in hidden)
        assert whole in hidden or together == 0 or together >= MINIMUM


def test_large_counts_are_all_shown():
    counts = a_table(3, 3, 40, 1)
    large = Counts([each + MINIMUM for each in counts.values], counts.shown, counts.lines, [])
    assert suppressed(large, MINIMUM) == set()


def test_two_groups_that_differ_by_a_few_are_not_both_shown():
    """All of a category but one venue is that venue: two published tables, one small difference."""
    shown = {"category": (0, 1), "venue": (0,), "other venue": (1,)}
    hidden = suppressed(Counts([50, 3], shown, [], []), MINIMUM)
    assert hidden in ({"other venue", "category"}, {"other venue", "venue"})


@pytest.fixture
def city(world):
    """A year with many taps at the pool, few at the shop, and some in one month only."""
    for month, times in ((2, 12), (5, 25), (11, 11), (12, 4)):
        world.pool.day = date(2027, month, 3)
        for _ in range(times):
            world.pool.tap(world.holder)
    world.pool.day = date(2027, 12, 5)
    world.pool.tap(world.stranger, offer=14, purse=5, amount=1)
    world.shop.day = date(2027, 5, 5)
    for _ in range(3):
        world.shop.tap(world.holder, offer=21, amount=100, price=100)
    world.shop.reverse(world.holder, offer=21, amount=100, price=100)
    world.sync()
    world.now = datetime(2028, 2, 2, 9, tzinfo=UTC)
    return world


def test_a_year_is_published_once_and_stays_as_it_was(city):
    statistics = city.clearing.statistics
    with pytest.raises(NotFound):
        statistics.of(2027)
    made = statistics.publish(2027, "Anna")
    city.pool.day = date(2027, 5, 9)
    city.pool.tap(city.sibling)
    city.sync()
    assert statistics.of(2027) == made
    with pytest.raises(ReportRefused, match="stay as they are"):
        statistics.publish(2027, "Bram")
    for change in ("UPDATE published_statistics SET content = ''", "DELETE FROM published_statistics"):
        with pytest.raises(DatabaseError), city.connection() as connection:
            connection.execute(text(change))


def test_a_year_is_published_when_its_last_journals_can_be_in(city):
    city.now = datetime(2028, 1, 31, 9, tzinfo=UTC)
    with pytest.raises(ReportRefused, match="after 2028-01-31"):
        city.clearing.statistics.publish(2027, "Anna")


def test_the_tables_of_a_year_show_what_is_large_and_nothing_small(city):
    made = city.clearing.statistics.publish(2027, "Anna")
    months, categories, venues = made.tables
    shown = {label: counts[0] for label, counts in months.rows}
    assert shown["01"] == 0
    assert shown["12"] is None
    assert shown["02"] in (12, None)
    assert categories.columns == ("Q1", "Q2", "Q3", "Q4", "year")
    for table in made.tables:
        for label, counts in table.rows:
            assert all(count is None or count == 0 or count >= MINIMUM for count in counts), (table.name, label)
    by_venue = dict(venues.rows)
    assert by_venue["Café de Hoek’s"] == (None,)
    # The shop had 2, the pool the rest: not both the pool and the total are shown.
    assert None in (by_venue["Zwembad De Plas"][0], by_venue["total"][0])
    assert made.published_by == "Anna"


def test_a_city_may_ask_for_larger_counts_and_for_no_smaller_ones(city):
    for minimum in (0, 2, 9):
        with pytest.raises(ValueError, match="statistics_minimum"):
            Config(**dict(city.config) | {"statistics_minimum": minimum})
    city.config = city.config.model_copy(update={"statistics_minimum": 20})
    clearing = city.open()
    made = clearing.statistics.publish(2027, "Anna", a_count(passes=19))
    clearing.close()
    counts = [count for table in made.tables for _, counts in table.rows for count in counts]
    assert (made.minimum, counts[-1]) == (20, None)
    assert [count for count in counts if count and count < 20] == []
    assert any(counts)


@pytest.mark.parametrize(("passes", "shown"), [(None, None), (9, None), (10, 10), (0, 0)])
def test_the_reach_of_the_scheme_is_what_the_desk_counted_and_says_of_which_day(city, passes, shown):
    tables = city.clearing.statistics.publish(2027, "Anna", a_count(passes=passes)).tables
    assert (tables[-1].columns, tables[-1].rows) == (("passes in use",), (("2027-12-31", (shown,)),))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (a_count(municipality=2), "of municipality 2: take the file of 1"),
        (a_count(year=2026, counted_on="2026-12-31"), "of 2026, on 2026-12-31: take the file of 2027"),
        (a_count(year=2026, counted_on="2027-01-05"), "of 2026, on 2027-01-05: take the file of 2027"),
        (a_count(counted_on="2028-02-01"), "of 2027, on 2028-02-01"),
        (a_count(passes=-1), "no count of passes"),
        (a_count(passes="12"), "no count of passes"),
        (a_count(holders=["Sam de Vos"]), "no count of passes"),
        (b"412", "no count of passes"),
        (b"\xff\xfe", "no count of passes"),
        (b"", "no count of passes"),
    ],
)
def test_a_count_that_is_none_or_of_elsewhere_is_refused_and_nothing_is_published(city, content, words):
    with pytest.raises(ReportRefused, match=words):
        city.clearing.statistics.publish(2027, "Anna", content)
    with pytest.raises(NotFound):
        city.clearing.statistics.of(2027)


@pytest.mark.parametrize("seed", range(6))
def test_who_has_all_tables_of_a_city_and_knows_its_offers_learns_no_small_count(seed):
    chance = random.Random(seed)
    offered = [(1, "sport"), (2, "sport"), (2, "school"), (3, "school"), (4, "music")]
    counted = {
        (venue, category, month): chance.choice([0, 0, 1, 4, 15, 60])
        for venue, category in offered
        for month in range(1, 13)
    }
    counts = Cube(counted, offered).counts()
    hidden = suppressed(counts, MINIMUM)
    learned = what_is_learned(counts, hidden)
    assert learned.pop("small")
    assert set(learned.values()) <= {None}, f"seed {seed}"
    assert "total" not in hidden
