"""A new delivery: good cards stay blank cards, and whatever a pass cannot be made of is refused in words."""

import os

import pytest

from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.in_process import InProcessReader
from issuer.acceptance import WORDS, Acceptance
from issuer.errors import CardLeft, CardRefused
from issuer.personalise import Details, Personaliser
from tests.city import DAY, ISSUER, DirectKeys, blueprint, factory_card

LAST = ("kind", "storage", "uid", "factory key", "empty", "free memory", "trial", "transaction", "configuration")


def uid(number: int) -> bytes:
    return b"\x04" + number.to_bytes(6, "big")


def cards(generation="EV2", count=3, **about):
    return [
        EmulatedPass(Memory.factory(uid=uid(n), generation=generation, **about), random=os.urandom)
        for n in range(count)
    ]


def report_on(samples):
    test = Acceptance(blueprint(), os.urandom, len(samples), clock_ns=iter(range(0, 10**12, 500_000)).__next__)
    for card in samples:
        test.examine(InProcessReader(card))
    assert test.next_sample is None
    return test.report()


def failed(report):
    return [(check.sample, check.name) for check in report.complaints]


@pytest.mark.parametrize("generation", ["EV2", "EV3"])
def test_good_cards_are_accepted_and_all_but_the_last_are_as_they_came(generation):
    samples = cards(generation)
    before = [inspect(card.memory) for card in samples]
    report = report_on(samples)
    assert failed(report) == []
    assert report.accepted
    assert [inspect(card.memory) for card in samples[:-1]] == before[:-1]
    assert report.spent == 1
    assert inspect(samples[-1].memory)["random_id"]
    assert inspect(samples[-1].memory)["applications"] == {}


def test_each_thing_that_a_pass_needs_is_looked_at():
    report = report_on(cards())
    first = [check.name for check in report.checks if check.sample == 1]
    last = [check.name for check in report.checks if check.sample == 3]
    assert first == [*LAST, "frame", "speed", "restored"]
    assert last == [*LAST, "frame", "speed", "random uid"]
    assert {*first, *last} == set(WORDS)
    assert all(all(check.words) for check in report.checks)


def test_the_figures_are_kept_with_the_delivery():
    rows = {row["name"]: row["found"] for row in report_on(cards("EV3")).rows() if row["sample"] == 1}
    assert rows["kind"] == "EV3, hardware 51.0, software 3.0"
    assert rows["storage"] == "8192 bytes"
    assert rows["speed"] == "0.5 ms"
    assert rows["frame"].endswith(" bytes")


def test_sample_cards_that_were_accepted_become_passes():
    samples = cards()
    report_on(samples)
    for card in samples[:-1]:
        Personaliser(blueprint(), DirectKeys(), os.urandom).personalise(
            InProcessReader(card), Details(ISSUER, DAY, DAY + 300, DAY)
        )


def test_ev1_cards_are_refused_and_unharmed():
    samples = cards("EV1")
    before = [inspect(card.memory) for card in samples]
    report = report_on(samples)
    assert failed(report) == [(1, "kind"), (2, "kind"), (3, "kind")]
    assert (report.accepted, report.spent) == (False, 0)
    assert [inspect(card.memory) for card in samples] == before


def test_small_cards_are_refused():
    report = report_on(cards(capacity=2048, count=2))
    assert {(1, "storage"), (2, "storage")} <= set(failed(report))
    assert not report.accepted


def test_one_used_card_among_good_ones_refuses_the_delivery():
    samples = cards()
    Personaliser(blueprint(), DirectKeys(), os.urandom).personalise(
        InProcessReader(samples[1]), Details(ISSUER, DAY, DAY + 300, DAY)
    )
    before = inspect(samples[1].memory)
    report = report_on(samples)
    assert failed(report) == [(2, "uid")]
    assert inspect(samples[1].memory) == before


def test_a_card_with_another_master_key_is_refused_and_unharmed():
    samples = cards()
    with samples[0].memory.writing() as picc:
        picc.key.value = bytes(range(16))
    before = inspect(samples[0].memory)
    report = report_on(samples)
    assert failed(report)[0][0] == 1
    assert not report.accepted
    assert inspect(samples[0].memory) == before


def test_a_card_that_carries_an_application_is_refused():
    samples = cards()
    reader = InProcessReader(samples[0])
    reader.find_pass()
    assert reader.transmit(bytes.fromhex("90CA000005010203" + "0F8100")) == b"\x91\x00"
    assert failed(report_on(samples)) == [(1, "empty")]


def test_two_cards_with_the_same_uid_are_refused():
    samples = cards()
    samples[1] = factory_card(uid(0))
    assert failed(report_on(samples)) == [(2, "uid")]


def test_a_card_whose_proof_is_wrong_is_refused_and_blank_again():
    class LiesOnce(InProcessReader):
        """The card of somebody who made it look like one: the MAC of its first transaction is of another key."""

        real_key, lies = None, True

        def transmit(self, apdu):
            answer = super().transmit(apdu)
            for application in card.memory.picc.applications.values():
                if 15 in application.files and self.lies:
                    key = application.files[15].key
                    self.real_key, self.lies = self.real_key or key.value, apdu[1] != 0xC7
                    key.value = bytes(16) if self.lies else self.real_key
            return answer

    (card,) = cards(count=1)
    before = inspect(card.memory)
    test = Acceptance(blueprint(), os.urandom, 2)
    test.examine(LiesOnce(card))
    assert failed(test.report()) == [(1, "transaction")]
    assert inspect(card.memory) == before
    assert test.report().spent == 0


def test_a_card_that_carries_a_read_into_the_next_session_is_refused():
    """Terminals read with one key and take with the next, and prove what they took alone."""

    class Keeps(EmulatedPass):
        def exchange(self, command):
            open_one = self._powered.transaction
            answer = super().exchange(command)
            if command[1] == 0x71:
                self._powered.transaction = open_one
            return answer

    test = Acceptance(blueprint(), os.urandom, 2)
    test.examine(InProcessReader(Keeps(Memory.factory(uid=uid(1)))))
    assert failed(test.report()) == [(1, "transaction")]


def exchanges_of_a_sample():
    (card,), sent = cards(count=1), []

    class Counted(InProcessReader):
        def transmit(self, apdu):
            sent.append(apdu)
            return super().transmit(apdu)

    Acceptance(blueprint(), os.urandom, 2).examine(Counted(card))
    return len(sent)


@pytest.mark.parametrize("executed", [False, True])
def test_a_sample_that_leaves_at_any_exchange_is_examined_again_and_blank_in_the_end(executed):
    for exchange in range(1, exchanges_of_a_sample() + 1):
        (card,) = cards(count=1)
        before = inspect(card.memory)
        test = Acceptance(blueprint(), os.urandom, 2)
        card.tear_after(exchange, executed)
        with pytest.raises(CardLeft):
            test.examine(InProcessReader(card))
        assert test.next_sample == 1
        assert all(check.passed for check in test.examine(InProcessReader(card))), exchange
        assert inspect(card.memory) == before


def test_no_card_is_one_sentence():
    with pytest.raises(CardRefused, match="no card"):
        Acceptance(blueprint(), os.urandom).examine(InProcessReader())


def test_nothing_was_examined_is_not_accepted():
    assert not Acceptance(blueprint(), os.urandom).report().accepted
