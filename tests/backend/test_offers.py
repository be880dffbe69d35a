"""The backend's check of a record against its offer, on the same vectors as the terminal on both Pythons; and on which
days a version of an offer counts."""

import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.offers import agrees, honoured
from card.record import NO_PURSE, TAP, ClearRecord

CONTENT = json.loads((Path(__file__).parents[1] / "vectors/offers.json").read_text())
OFFERS = {offer["name"]: offer for offer in CONTENT["offers"]}
GOOD = [vector for vector in CONTENT["vectors"] if "refused" not in vector]
REFUSED = [vector for vector in CONTENT["vectors"] if "refused" in vector]


def terms_of(vector):
    """The offer as the backend keeps it."""
    offer = OFFERS[vector["offer"]]
    return SimpleNamespace(**{**offer, "purse2": None if offer["purse2"] == NO_PURSE else offer["purse2"]})


def record(vector, **changes):
    """What a terminal writes down of a tap; `changes` are added to its numbers."""
    first, *second = vector["moves"]
    fields = {"purse1": first[0], "amount1": first[1], "price": vector["recorded"]}
    fields |= {"discount": vector["discount"], "copayment": vector["copayment"]}
    if second:
        fields |= {"purse2": second[0][0], "amount2": second[0][1]}
    for name, more in changes.items():
        fields[name] = fields.get(name, 0) + more
    return ClearRecord(TAP, 101, 1, 2516, 1, **fields)


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_what_a_terminal_takes_is_what_the_backend_pays(vector):
    assert agrees(terms_of(vector), record(vector))


FIELDS = {"price": 1, "discount": 1, "copayment": 1, "amount1": 1, "purse1": 8}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_a_cent_more_in_any_field_is_not_what_the_offer_says(vector, name):
    assert not agrees(terms_of(vector), record(vector, **{name: FIELDS[name]}))


@pytest.mark.parametrize("name", ["amount2", "purse2"])
@pytest.mark.parametrize(
    "vector", [vector for vector in GOOD if len(vector["moves"]) == 2], ids=lambda vector: vector["name"]
)
def test_the_second_purse_is_held_to_the_offer_as_well(vector, name):
    assert not agrees(terms_of(vector), record(vector, **{name: 5}))


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_a_price_that_cannot_be_typed_is_not_paid(vector):
    terms, price = terms_of(vector), vector["price"]
    discount = min(price * terms.percent // 100, terms.cap or price) if terms.percent else 0
    moves = [[terms.purse, terms.amount or max(price, 1)]]
    moves += [[terms.purse2, terms.amount2]] if terms.purse2 else []
    copayment = price - discount if terms.percent else 0
    made = {"moves": moves, "recorded": price, "discount": discount, "copayment": copayment}
    assert not agrees(terms, record(made))


DAY = date(2026, 11, 2)


def version(offered_from=DAY, until=None, withdrawn_on=None):
    return SimpleNamespace(offered_from=offered_from, until=until, withdrawn_on=withdrawn_on)


@pytest.mark.parametrize(
    ("one", "days"),
    [
        (version(), {-1: False, 0: True, 400: True}),
        (version(until=DAY + timedelta(5)), {5: True, 6: False}),
        (version(withdrawn_on=DAY + timedelta(5)), {35: True, 36: False}),
        (version(until=DAY + timedelta(9), withdrawn_on=DAY + timedelta(5)), {9: True, 10: False}),
    ],
    ids=["from its day", "until its last day", "until bundles without it are everywhere", "what ends first"],
)
def test_a_version_of_an_offer_counts(one, days):
    assert {more: honoured([one], DAY + timedelta(more)) == [one] for more in days} == days


def test_what_is_offered_on_a_day_comes_before_what_was_withdrawn_by_then():
    gone, going, new = version(withdrawn_on=DAY), version(withdrawn_on=DAY + timedelta(1)), version()
    assert honoured([gone, going, new], DAY) == [going, new, gone]
    assert honoured([gone, going, new], DAY + timedelta(1)) == [new, gone, going]
