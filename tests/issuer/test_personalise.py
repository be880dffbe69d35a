"""A factory card becomes a pass: complete, or finished when the card comes back, or refused and unharmed."""

import os

import pytest

from card.blueprint import Blueprint
from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.in_process import InProcessReader
from issuer.errors import CardLeft, CardRefused
from issuer.personalise import Details, Personaliser
from tests.city import DAY, DF_NAME, ISSUER, PURSES, VAULT, DirectKeys, blueprint, factory_card, vault_over_http

UID = b"\x04\x11\x22\x33\x44\x55\x66"
DETAILS = Details(ISSUER, DAY, DAY + 300, DAY)
EXCHANGES = 42  # with three purses; each further one costs two


class Counted(InProcessReader):
    """A reader that keeps what was sent."""

    def __init__(self, card):
        super().__init__(card)
        self.sent = []

    def transmit(self, apdu):
        self.sent.append(apdu)
        return super().transmit(apdu)


def personalise(card, keys=None, plan=None):
    reader = Counted(card)
    made = Personaliser(plan or blueprint(), keys or DirectKeys(), os.urandom).personalise(reader, DETAILS)
    return made, len(reader.sent)


def finished(card):
    """What must be true of every pass that leaves the desk, read from the card's own memory."""
    memory = inspect(card.memory)
    (application,) = memory["applications"].values()
    keys = DirectKeys().card_keys(UID, 1)
    assert memory["random_id"]
    assert memory["key"] == ("AES", 1, keys.picc)
    assert application["keys"] == [(1, keys.application), (1, keys.load), (1, keys.lookup), (1, keys.tap)]
    assert application["df_name"] in (DF_NAME, DF_NAME.encode(), DF_NAME.encode().hex().upper())
    assert application["files"][15]["key"] == (1, keys.transaction_mac)
    assert {number: file["upper"] for number, file in application["files"].items() if "upper" in file} == PURSES
    assert set(application["files"]) == {0, *PURSES, 15}
    return memory


def test_a_factory_card_becomes_a_pass():
    card = factory_card(UID)
    made, exchanges = personalise(card, vault_over_http())
    finished(card)
    assert (made.uid, made.handle) == (UID, VAULT.card_keys(UID, 1).handle)
    assert exchanges == EXCHANGES


def test_no_key_on_a_pass_is_a_default_or_the_same_on_another_pass_but_the_lookup_key():
    stranger = b"\x04\x99\x99\x99\x99\x99\x99"
    ours, theirs = (
        {"handle": keys.handle, **{name: key.key for name, key in keys.current.items()}}
        for keys in (VAULT.card_keys(UID, 1), VAULT.card_keys(stranger, 1))
    )
    assert {name for name in ours if ours[name] == theirs[name]} == {"lookup"}
    assert bytes(16) not in ours.values()
    assert len(set(ours.values())) == len(ours)


def test_the_reader_sees_a_random_uid_on_a_finished_pass():
    card = factory_card(UID)
    personalise(card)
    seen = {card.activate().uid for _ in range(5)}
    assert len(seen) == 5
    assert all(len(uid) == 4 and uid[0] == 8 for uid in seen)


@pytest.mark.parametrize("executed", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("exchange", range(1, EXCHANGES + 1))
def test_a_card_that_leaves_half_way_is_finished_when_it_comes_back(exchange, executed):
    card = factory_card(UID)
    card.tear_after(exchange, executed)
    with pytest.raises(CardLeft, match="Put the same card back"):
        personalise(card)
    personalise(card)
    finished(card)


def test_a_card_that_leaves_again_and_again_is_finished_in_the_end():
    card = factory_card(UID)
    for exchange in range(4, 20, 3):
        card.tear_after(exchange, exchange % 2 == 0)
        with pytest.raises(CardLeft):
            personalise(card)
    personalise(card)
    finished(card)


def test_a_finished_pass_can_be_put_on_the_desk_again():
    card = factory_card(UID)
    personalise(card)
    before = finished(card)
    personalise(card)
    assert finished(card)["applications"].keys() == before["applications"].keys()


def untouched(card, before):
    assert inspect(card.memory) == before


def test_an_ev1_card_is_refused_and_unharmed():
    card = factory_card(UID, generation="EV1")
    before = inspect(card.memory)
    with pytest.raises(CardRefused, match="EV1"):
        personalise(card)
    untouched(card, before)


def test_a_pass_of_another_municipality_is_refused_and_unharmed():
    class OtherKeys(DirectKeys):
        def lookup_keys(self):
            return [bytes(range(16))]

        def card_keys(self, uid, generation):
            own = vars(super().card_keys(uid, generation))
            return type(super().card_keys(uid, generation))(**{**own, "picc": bytes(range(16))})

    card = factory_card(UID)
    personalise(card, OtherKeys(), Blueprint("ABCDEF", "NL.STADSPAS.0002", {1: 100}))
    before = inspect(card.memory)
    with pytest.raises(CardRefused, match="somebody else"):
        personalise(card)
    untouched(card, before)


def test_a_pass_with_our_application_and_other_keys_is_refused_and_unharmed():
    class OtherKeys(DirectKeys):
        def lookup_keys(self):
            return [bytes(range(16))]

        def card_keys(self, uid, generation):
            own = super().card_keys(uid, generation)
            return type(own)(**{**vars(own), "lookup": bytes(range(16))})

    card = factory_card(UID)
    personalise(card, OtherKeys())
    before = inspect(card.memory)
    with pytest.raises(CardRefused, match="somebody else"):
        personalise(card)
    untouched(card, before)


def test_no_card_is_one_sentence():
    with pytest.raises(CardRefused, match="no card on the reader"):
        personalise(None)


def test_a_card_that_loses_power_while_it_writes_is_finished_later(tmp_path):
    """The card's own memory is cut at every write of the whole personalisation."""
    for write in range(1, 60):
        path = tmp_path / f"{write}.json"
        card = factory_card(UID, path=path)
        card.memory.power_cut_after(write)
        try:
            personalise(card)
            break
        except (CardLeft, CardRefused):
            again = EmulatedPass(Memory.load(path), random=os.urandom)
            personalise(again)
            finished(again)
    else:
        pytest.fail("the personalisation never got through")
    assert write > 10
