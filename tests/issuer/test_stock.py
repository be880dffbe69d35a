"""Blank cards: what came in is what was used, rejected, destroyed and left."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from issuer.errors import DeskError
from issuer.stock import Move, Received, add_up, close_of_day

TODAY = date(2026, 11, 21)
BOX = Received("2026-04", 100)


def move(kind, count, delivery="2026-04"):
    return Move(delivery, kind, count, TODAY, "clerk")


def test_what_was_received_is_used_rejected_destroyed_or_left():
    stock = add_up(BOX, [move("used", -40), move("used", -1), move("rejected", -2), move("destroyed", -1)])
    assert (stock.used, stock.rejected, stock.destroyed, stock.left) == (41, 2, 1, 56)


def test_the_cards_of_another_delivery_do_not_count():
    assert add_up(BOX, [move("used", -40, "2026-03")]).left == 100


@pytest.mark.parametrize(
    ("counted", "difference", "words"), [(60, 0, "klopt"), (58, -2, "te weinig"), (61, 1, "te veel")]
)
def test_the_count_at_the_end_of_the_day_says_what_is_wrong_and_what_to_do(counted, difference, words):
    count = close_of_day(add_up(BOX, [move("used", -40)]), counted)
    assert count.difference == difference
    assert words in count.advice[0]
    assert all(count.advice)


def test_a_difference_that_is_written_off_stays_visible_and_the_next_count_is_right():
    moves = [move("used", -40)]
    moves.append(close_of_day(add_up(BOX, moves), 58).correction(TODAY, "lead"))
    stock = add_up(BOX, moves)
    assert (stock.left, stock.corrected) == (58, -2)
    assert close_of_day(stock, 58).correction(TODAY, "lead") is None


@pytest.mark.parametrize("moves", [[move("used", -101)], [move("used", 1)], [move("rejected", 0)]])
def test_what_cannot_be_is_refused(moves):
    with pytest.raises(DeskError):
        add_up(BOX, moves)


def test_nobody_counts_fewer_than_no_cards():
    with pytest.raises(DeskError):
        close_of_day(add_up(BOX, []), -1)


@given(some.lists(some.tuples(some.sampled_from(["used", "rejected", "destroyed"]), some.integers(1, 9)), max_size=10))
def test_it_always_adds_up(left):
    stock = add_up(BOX, [move(kind, -count) for kind, count in left])
    assert stock.received == stock.used + stock.rejected + stock.destroyed + stock.left
