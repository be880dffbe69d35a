"""After a key was rotated, a pass gets the new one at its next visit to the desk, and not a cent changes."""

import os
from copy import deepcopy
from datetime import date

import pytest

from card.commands import CommitReaderID, CommitTransaction, Debit, ReadData, SelectApplication, parse_transaction_mac
from card.errors import CardError
from card.ev2 import authenticate_first
from card.layout import FILE_MODES, LOOKUP_KEY, PASS_FILE, PASS_FILE_BYTES, TAP_KEY, TMAC_FILE, PassFile, aid_bytes
from card.record import Proof, reader_id
from card.session import Session
from hardware.emulated_pass import inspect
from hardware.in_process import InProcessReader
from issuer.desk import Desk
from issuer.errors import CardLeft, CardRefused, DeskError
from issuer.personalise import Pass
from issuer.registry import passes
from keys.custody import retire, rotate
from keys.days import date_of
from keys.proving import Prover
from tests.city import AID, DAY, DirectKeys, PcTerminal, desk_secrets, factory_card, make_pass, purses_of, vault_of
from tests.issuer.a_registry import a_load, block, holder, in_memory, kept, noon, pass_of, put_back, take
from tests.issuer.test_desk import CHILD, CHILD_PURSES, SCHEME, SISTER, TODAY, Shaky
from tests.records import PaperPass, clear_record

# Every exchange of a long visit is one at which the pass leaves.
pytestmark = pytest.mark.timeout(400)
UNTIL = date(2026, 12, 31)
ON_A_PASS = ("picc", "application", "load", "lookup", "tap", "transaction_mac", "handle")


class City:
    """A vault whose keys can be rotated, a desk, and one child who brings a card."""

    def __init__(self, registry, card):
        self.vault = vault_of()
        self.registry, self.card = registry, card

    def desk(self):
        return Desk(self.registry, SCHEME, desk_secrets(DAY, self.vault), DirectKeys(self.vault), os.urandom, noon)

    def rotate(self, *purposes):
        for purpose in purposes:
            rotate(b"\x5a" * 32, self.vault.register, self.vault.store, purpose, UNTIL)

    def visit(self, reader=None):
        return self.desk().issue(holder(self.registry, CHILD), reader or InProcessReader(self.card), TODAY)

    def keys_on_card(self):
        memory = inspect(self.card.memory)
        (application,) = memory["applications"].values()
        numbers = dict(zip(("application", "load", "lookup", "tap"), application["keys"], strict=True))
        return {"picc": memory["key"][1:], **numbers, "transaction_mac": application["files"][15]["key"]}

    def row(self):
        return pass_of(self.registry, holder(self.registry, CHILD))

    def tap(self):
        """Debit a euro with the keys that a terminal would use now; the record, as the vault gets it."""
        reader = InProcessReader(self.card)
        reader.find_pass()
        session = Session(reader.transmit)
        keys = self.vault.card_keys(bytes(7), 0).current
        session.run(SelectApplication(aid_bytes(AID)))
        authenticate_first(session, LOOKUP_KEY, keys["lookup"].key, os.urandom, FILE_MODES)
        found = PassFile.from_bytes(session.run(ReadData(PASS_FILE, 0, PASS_FILE_BYTES)))
        tmc, _ = parse_transaction_mac(session.run(ReadData(TMAC_FILE, 0, 12)))
        newest = self.vault.accepted("tap")[0]
        authenticate_first(session, TAP_KEY, self.vault._tap_key(newest, found.handle), os.urandom, FILE_MODES)
        session.run(Debit(1, 100))
        clear = clear_record(tmc + 1, amount1=100)
        enc_tmri = session.run(CommitReaderID(reader_id(clear)))
        tmc, tmv = session.run(CommitTransaction())
        reader.release()
        return clear + PaperPass(self.vault).sealed(clear, Proof(found.handle, tmc, tmv, enc_tmri))


@pytest.fixture(scope="module")
def first_visit():
    """The card that became a pass, what the desk said of it, and the registry then; the same for all."""
    city = City(in_memory(), factory_card())
    take(city.registry, [CHILD, SISTER])
    return city.card, city.visit(), city.registry, kept(city.registry)


@pytest.fixture
def new_city(first_visit):
    """Cities after the first visit, one after the other: with a new one, the one before is gone."""
    card, issued, registry, content = first_visit

    def made():
        put_back(registry, content)
        city = City(registry, deepcopy(card))
        city.issued = issued
        return city

    return made


@pytest.fixture
def city(new_city):
    return new_city()


def expected(city):
    """What must be on the card: the newest of everything, for the generation that the registry says."""
    row = city.row()
    keys = city.vault.card_keys(row.uid, row.generation)
    assert row.handle == keys.handle
    return {purpose: (key.version, key.key) for purpose, key in keys.current.items()}


@pytest.mark.parametrize("purpose", ON_A_PASS)
def test_each_key_is_renewed_at_the_next_visit_and_the_money_stays(city, purpose):
    city.rotate(purpose)
    issued = city.visit()
    assert issued.renewed == [purpose]
    assert city.keys_on_card() == expected(city)
    assert issued.balances == purses_of(city.card) == CHILD_PURSES
    assert issued.card.printed_code == city.issued.card.printed_code
    (verdict,) = Prover(city.vault).prove(city.tap())
    assert verdict.valid
    assert city.visit().renewed == []


def test_all_keys_at_once_twice_over(city):
    for version in (2, 3):
        city.rotate(*ON_A_PASS)
        assert sorted(city.visit().renewed) == sorted(ON_A_PASS)
        assert {number for number, _ in city.keys_on_card().values()} == {version}
        assert city.keys_on_card() == expected(city)
        assert Prover(city.vault).prove(city.tap())[0].valid
    assert city.row().generation == 3


def test_where_nothing_was_rotated_the_visit_costs_no_exchange_more(city):
    def exchanges():
        reader = InProcessReader(city.card)
        transmit, sent = reader.transmit, []
        reader.transmit = lambda apdu: sent.append(apdu) or transmit(apdu)
        city.visit(reader)
        return len(sent)

    before = exchanges()
    city.rotate("load")
    assert exchanges() > before
    assert exchanges() == before
    assert city.row().generation == 1


def test_a_new_transaction_mac_key_never_makes_two_transactions_look_like_one(city):
    before = [city.tap() for _ in range(3)]
    city.rotate("transaction_mac")
    city.visit()
    after = [city.tap() for _ in range(3)]
    verdicts = Prover(city.vault).prove(b"".join(before + after))
    assert all(verdict.valid for verdict in verdicts)
    assert len({verdict.nullifier for verdict in verdicts}) == 6


def test_after_the_last_day_the_old_keys_can_go_and_the_pass_goes_on(city):
    city.rotate(*ON_A_PASS)
    city.visit()
    for purpose in ON_A_PASS:
        retire(city.vault.register, city.vault.store, purpose, 1, date(2027, 1, 1))
    assert Prover(city.vault).prove(city.tap())[0].valid
    assert city.visit().renewed == []


@pytest.mark.parametrize("purpose", ["lookup", "tap", "load"])
def test_a_pass_that_comes_after_the_last_day_must_be_replaced(city, purpose):
    city.rotate(purpose)
    retire(city.vault.register, city.vault.store, purpose, 1, date(2027, 1, 1))
    before = inspect(city.card.memory)
    with pytest.raises(CardRefused, match="too old"):
        city.visit()
    after = inspect(city.card.memory)
    assert {purpose: before[purpose] for purpose in ("key",)} == {purpose: after[purpose] for purpose in ("key",)}
    assert purses_of(city.card) == CHILD_PURSES


def test_the_pass_of_somebody_else_is_not_renewed_for_this_one(city):
    other = factory_card(b"\x04\x99\x99\x99\x99\x99\x99")
    city.desk().issue(holder(city.registry, SISTER), InProcessReader(other), TODAY)
    city.rotate("load")
    before = inspect(other.memory)
    with pytest.raises(CardRefused, match="Put the right pass"):
        city.visit(InProcessReader(other))
    assert inspect(other.memory) == before


def test_a_blocked_pass_is_not_renewed(city):
    city.rotate("load")
    block(city.registry, city.issued.card)
    with pytest.raises(CardRefused, match="blocked"):
        city.visit()
    assert city.keys_on_card()["load"][0] == 1


def test_after_255_generations_a_pass_is_replaced(city):
    city.rotate("handle")
    row = city.row()
    with city.registry.transaction() as session:
        passes.rekeyed(session, Pass(row.uid, row.handle, 255, row.key_versions, row.issued_day))
    with pytest.raises(DeskError, match="Replace it"):
        city.visit()


@pytest.mark.parametrize(
    ("purposes", "executed"),
    [(ON_A_PASS, False), (ON_A_PASS, True), (("handle", "tap"), True)],
    ids=["all, before", "all, after", "handle"],
)
def test_a_pass_that_leaves_at_any_exchange_is_finished_when_it_comes_back(new_city, purposes, executed):
    exchange, left = 0, True
    while left:
        exchange += 1
        city = new_city()
        city.rotate(*purposes)
        try:
            city.visit(Shaky(city.card, exchange, executed))
            left = False
        except CardLeft:
            pass
        # Half-way it is charged right or not at all.
        before = purses_of(city.card)[1]
        try:
            assert Prover(city.vault).prove(city.tap())[0].valid
            assert purses_of(city.card)[1] == before - 100
        except CardError:
            assert purses_of(city.card)[1] == before
        city.visit()
        assert city.keys_on_card() == expected(city)
        assert {**purses_of(city.card), 1: 0} == {**CHILD_PURSES, 1: 0}
        assert Prover(city.vault).prove(city.tap())[0].valid
    assert exchange > 20


def test_a_load_in_doubt_is_settled_with_the_handle_that_it_was_made_for(new_city):
    """The card leaves at the commit of a load; then all keys change; then it comes back."""
    torn = 0
    for exchange in range(1, 200):
        city = new_city()
        take(city.registry, [CHILD])
        with city.registry.transaction() as session:
            session.add(a_load(90, 1, 700))
        try:
            city.visit(Shaky(city.card, exchange, executed=True))
            break
        except CardLeft:
            pass
        if city.desk().journal.open_intent(city.row().handle) is None:
            continue
        city.rotate(*ON_A_PASS)
        issued = city.visit()
        assert issued.balances[1] == CHILD_PURSES[1] + 700
        assert city.desk().journal.open_intent(city.row().handle) is None
        assert city.row().generation == 2
        torn += 1
    assert torn, "no visit was torn at a commit"


def test_a_terminal_takes_passes_from_before_and_after(city, tmp_path):
    younger, _ = make_pass(uid=b"\x04\x01\x02\x03\x04\x05\x06")
    city.vault.today = lambda: date_of(DAY)
    terminal = PcTerminal(tmp_path / "flash", vault=city.vault)
    assert terminal.tap(younger)[1] == "00"
    city.rotate("lookup", "tap")
    terminal.renew()
    assert terminal.tap(city.card, keys="1#")[1] == "00"
    city.visit()
    terminal.tap(city.card, keys="2#100#")
    for entry in terminal.entries():
        assert Prover(city.vault).prove(entry.clear_bytes + entry.sealed)[0].valid
