"""The backend's check of a record against its offer, on the same vectors as the terminal on both Pythons."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from backend.offers import agrees
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
