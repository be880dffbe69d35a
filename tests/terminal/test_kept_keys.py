"""Keys are kept ready from tap to tap; what belongs to a pass or to a day is not."""

import pytest

from card.aes import ZERO_BLOCK
from card.errors import BadMac
from card.record import Proof, seal, unseal
from card.sealing import SealingKey
from tests.city import make_pass

CLEAR = bytes(42)
PROOF = Proof(bytes(range(16)), 5, b"12345678", bytes(16))


def test_a_seal_that_is_kept_moves_on_with_its_day():
    sealing = SealingKey([(bytes(16), 100, 130)])
    yesterday = sealing.key()
    before = seal(sealing.siv(), CLEAR, PROOF)
    assert sealing.siv() is sealing.siv()
    assert before == seal(yesterday, CLEAR, PROOF)
    sealing.advance(101)
    after = seal(sealing.siv(), CLEAR, PROOF)
    assert after == seal(sealing.key(), CLEAR, PROOF)
    with pytest.raises(BadMac):
        unseal(yesterday, CLEAR, after)


def test_after_a_tap_nothing_of_the_pass_is_kept(terminal):
    card, made = make_pass()
    assert terminal.tap(card)[1] == "00"
    session = terminal.book.till._session
    channel = session.kept_channel
    assert made.handle not in session.scratch.message.getvalue()
    assert made.handle not in terminal.book.journal._scratch.message.getvalue()
    assert channel.enc_key == channel.mac_key == ZERO_BLOCK
    assert channel.cipher is None


def test_a_shift_that_closes_takes_its_keys_along(terminal):
    till = terminal.book.till
    assert till._lookup_keys
    assert till._tap_keys
    terminal.book.use_cards([], [])
    assert till._lookup_keys == till._tap_keys == []


def test_a_pass_that_knows_no_key_of_ours_is_asked_nothing_more(terminal):
    card, _ = make_pass()
    terminal.book.use_cards([bytes(16)], [bytes(16)])
    terminal.press("1#")
    sent = []
    transmit = terminal.reader.transmit
    terminal.reader.transmit = lambda apdu: sent.append(apdu) or transmit(apdu)
    assert terminal.hold(card)[1] == "20"
    assert [apdu[1] for apdu in sent] == [0x5A, 0x71, 0xAF]
