"""An offer from the wish of a venue to the terminals, and what a venue sees of itself and of nobody else."""

import json
from datetime import timedelta

import pytest

from card.batch import link_key, siv_key
from card.siv import siv_decrypt
from card.wire import uint
from tests.backend.conftest import LINK_ROOT, POOL, POOL_TERMINAL, SHOP
from tests.backend.web.conftest import LAST_DAY

TEA = {"name": "Thee", "price": "fixed", "purse": "1", "amount": "2,50"}


def bundle(world):
    """The offers on the pool's terminal, by number."""
    sealed = world.clearing.venues.bundle_for(POOL_TERMINAL)
    key = siv_key(link_key(LINK_ROOT, POOL_TERMINAL))
    content = json.loads(siv_decrypt(key, [b"bundle" + uint(POOL_TERMINAL, 4)], sealed))
    return {offer["n"]: offer for offer in content["offers"]}, content["version"]


def proposals(world):
    return world.clearing.proposals.all()


def test_an_offer_goes_from_the_venue_over_the_partner_manager_to_the_terminals(world, client):
    before = bundle(world)[1]
    assert client("venue").post("/own/offers", data=TEA).status_code == 303
    (made,) = proposals(world)
    manager = client("partner-manager")
    manager.post(f"/proposals/{made.id}/decide", data={"answer": "yes"})
    assert made.offer.number not in bundle(world)[0]
    assert manager.post(f"/proposals/{made.id}/publish").status_code == 303
    offers, version = bundle(world)
    assert (offers[made.offer.number]["name"], offers[made.offer.number]["amount"]) == ("Thee", 250)
    assert version == before + 1


def test_a_changed_price_counts_from_its_day_and_the_old_one_is_honoured_where_no_network_is(world, client):
    world.now += timedelta(days=1)
    client("venue").post("/own/offers", data={**TEA, "number": "11", "name": "Zwemmen kind", "amount": "6,00"})
    (made,) = proposals(world)
    manager = client("partner-manager")
    manager.post(f"/proposals/{made.id}/decide", data={"answer": "yes"})
    manager.post(f"/proposals/{made.id}/publish")
    assert bundle(world)[0][11]["amount"] == 600
    world.pool.day += timedelta(days=1)
    world.pool.tap(world.holder, amount=500)
    world.pool.tap(world.sibling, amount=600)
    world.sync()
    assert (world.venue_is_owed(), world.quarantine()) == (1100, [])


def test_a_rejected_offer_comes_back_with_why(world, client):
    venue, manager = client("venue"), client("partner-manager")
    venue.post("/own/offers", data=TEA)
    (made,) = proposals(world)
    assert manager.post(f"/proposals/{made.id}/decide", data={"answer": "no"}).status_code == 400
    manager.post(f"/proposals/{made.id}/decide", data={"answer": "no", f"reason-{made.id}": "Te duur voor thee"})
    assert "Te duur voor thee" in venue.get("/own/offers").text
    assert manager.post(f"/proposals/{made.id}/publish").status_code == 400


def test_nobody_approves_what_they_proposed(world, client):
    both = client("venue", "partner-manager")
    both.post("/own/offers", data=TEA)
    (made,) = proposals(world)
    assert both.post(f"/proposals/{made.id}/decide", data={"answer": "yes"}).status_code == 400
    assert proposals(world)[0].state == "proposed"


def test_a_venue_takes_back_its_own_and_touches_no_other(world, client):
    client("venue").post("/own/offers", data=TEA)
    (made,) = proposals(world)
    assert client("venue", venue=SHOP).post(f"/own/offers/{made.id}/withdraw").status_code == 404
    assert client("venue").post(f"/own/offers/{made.id}/withdraw").status_code == 303
    assert proposals(world)[0].state == "withdrawn"


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"name": ""}, "naam van 1 tot 60"),
        ({"name": "x" * 61}, "naam van 1 tot 60"),
        ({"amount": ""}, "Vul in hoeveel"),
        ({"amount": "veel"}, "Vul in hoeveel"),
        ({"amount": "2,5"}, "Vul in hoeveel"),
        ({"price": "gift"}, "Kies hoe de prijs werkt"),
        ({"purse": "2"}, "mag niet uit dit tegoed"),
        ({"purse": "9"}, "Kies een ander tegoed"),
        ({"purse": ""}, "Kies een ander tegoed"),
        ({"number": "21"}, "van een andere aanbieder"),
        ({"price": "percent", "percent": "10", "amount": "1,00"}, "Kies een ander tegoed"),
        ({"percent": "10"}, "alleen bij korting"),
        ({"from": "2026-12-05", "until": "2026-12-01"}, "laatste dag"),
        ({"from": "tomorrow"}, "eerste dag"),
        ({"compensation": "1,00"}, "niet bij geld"),
    ],
)
def test_an_offer_that_cannot_be_is_refused_in_words(world, client, terms, said):
    answer = client("venue").post("/own/offers", data={**TEA, **terms})
    assert answer.status_code == 400
    assert said in answer.text
    assert proposals(world) == []


def test_an_offer_whose_last_day_passed_while_it_waited_is_not_published(world, client):
    client("venue").post("/own/offers", data={**TEA, "until": "2026-11-03"})
    (made,) = proposals(world)
    manager = client("partner-manager")
    manager.post(f"/proposals/{made.id}/decide", data={"answer": "yes"})
    world.now += timedelta(days=5)
    manager = client("partner-manager")
    assert manager.post(f"/proposals/{made.id}/publish").status_code == 400
    assert made.offer.number not in bundle(world)[0]


def test_a_purse_is_given_to_a_venue_and_taken_when_no_offer_needs_it(world, client):
    manager = client("partner-manager")
    assert manager.post(f"/venues/{SHOP}/purses", data={"purses": ["1", "2"]}).status_code == 303
    assert manager.post(f"/venues/{SHOP}/purses", data={"purses": ["2"]}).status_code == 400
    assert manager.post(f"/venues/{SHOP}/purses", data={"purses": ["1"]}).status_code == 303
    with world.clearing.store.transaction() as tx:
        assert tx.catalogue.current_purses(SHOP) == {1}


def test_an_account_speaks_for_the_venue_that_the_partner_manager_says(world, client):
    browser = client("venue", venue=None)
    assert "hoort nog niet bij een aanbieder" in browser.get("/own").text
    manager = client("partner-manager")
    assert manager.post(f"/venues/{SHOP}/people", data={"user_name": "nobody"}).status_code == 400
    assert manager.post(f"/venues/{SHOP}/people", data={"user_name": "venue-1"}).status_code == 303
    assert "Café de Hoek" in browser.get("/own").text


def test_a_venue_sees_its_own_counts_money_and_statement_and_nothing_of_another(month, client):
    made = month.clearing.settlements.prepare(LAST_DAY, "Anna")
    month.clearing.settlements.approve(made.number, "Bram")
    pool, shop = client("venue"), client("venue", venue=SHOP)
    counts = pool.get("/own/taps?first=2026-11-01&last=2026-11-30").text.replace("\xa0", " ")
    assert "Zwemmen kind" in counts
    assert "samen € 12,50" in counts
    assert "Schoolspullen" not in counts
    assert f"MD-1-{made.number}-{POOL}" in pool.get("/own").text
    mine, theirs = (each.get(f"/own/statements/{made.number}.pdf").data for each in (pool, shop))
    assert mine == month.clearing.settlements.statement(made.number, POOL)
    assert mine != theirs
    assert pool.get(f"/settlements/{made.number}").status_code == 403


def test_no_page_of_a_venue_names_a_time_of_day_or_a_terminal(month, client):
    browser = client("venue")
    for address in ("/own", "/own/taps?first=2026-11-01&last=2026-11-30", "/own/offers"):
        text = browser.get(address).text
        assert str(POOL_TERMINAL) not in text
        assert "09:00" not in text
        assert "10:00" not in text
