"""The adversary wins where there is something to win: each leak that is planted is found."""

import base64
import hashlib
import random
import re
import sqlite3
from contextlib import closing

import pytest

from card.record import TAP, ClearRecord
from keys.proving import Prover
from tests.simulation.adversary.columns import TapName
from tests.simulation.adversary.conftest import SEED
from tests.simulation.adversary.leaks import LEAKS, leaking
from tests.simulation.adversary.linking import best_attack
from tests.simulation.adversary.naming import names_in, spellings
from tests.simulation.adversary.regulars import regulars
from tests.simulation.adversary.stores import CLEARING, Stored
from tests.simulation.story import make, tell

pytestmark = pytest.mark.timeout(300)
UID = bytes.fromhex("04112233445566")
KNOWN = dict.fromkeys(spellings(UID), "a UID")


@pytest.mark.parametrize("leak", LEAKS)
def test_what_links_two_taps_is_found(town, tmp_path, leak):
    database = town.stored_by(CLEARING).databases[0]
    attack = best_attack(leaking(database, tmp_path, leak, town.passes), town.passes)
    assert attack.links, attack


def test_a_nullifier_that_is_the_same_in_part_for_all_taps_of_a_pass_is_found(monkeypatch):
    genuine = Prover.nullifiers

    def half_of_the_pass(prover, opened):
        chips = [hashlib.blake2b(row.tobytes(), key=b"year", digest_size=8).digest() for row in opened.identity]
        return [of_pass + whole[8:] for of_pass, whole in zip(chips, genuine(prover, opened), strict=True)]

    monkeypatch.setattr(Prover, "nullifiers", half_of_the_pass)
    violation = tell(regulars(SEED, 50)).violation
    assert violation is not None
    assert re.match(r"linked: by backend \w+\.nullifier", str(violation))


def test_a_handle_in_a_line_of_a_log_is_found():
    violation = tell(make(1, 10)._replace(planted="a handle in a log")).violation
    assert violation is not None
    assert str(violation) == "personal: a handle is in log of the vault"


@pytest.mark.parametrize(
    "written",
    [
        UID,
        UID[::-1],
        UID.hex().upper().encode(),
        UID[::-1].hex(":").encode(),
        str(int.from_bytes(UID, "big")).encode(),
        str(int.from_bytes(UID, "little")).encode(),
        *(base64.b64encode(before + UID + b"after") for before in (b"", b"1", b"22")),
        base64.urlsafe_b64encode(b"1" + UID),
        hashlib.sha256(UID).digest()[:12],
        hashlib.md5(UID).hexdigest()[:20].encode(),
        hashlib.sha1(UID.hex().encode()).hexdigest()[:16].encode(),
    ],
    ids=range(13),
)
def test_a_chip_is_found_however_it_is_written_and_wherever_it_stands(written):
    for before in range(5):
        assert names_in({"file": b"x" * before + written + b"y"}, KNOWN)
    middle = min(len(written) // 2, 5)
    assert not names_in({"file": written[:middle] + b"~" + written[middle + 1 :]}, KNOWN)


def test_a_number_of_a_citizen_is_found_and_another_number_is_not():
    assert names_in({"file": b'{"id": "111222333"}'}, {})
    assert not names_in({"file": b'{"id": "111222334", "iban": "NL91ABNA0417164300", "hex": "a111222333"}'}, {})


def test_that_some_purses_are_given_to_the_same_people_is_no_leak(tmp_path):
    """Children have the purses 3 and 4, their parents 1 and 2: a tap of 3 and one of 4 are of one pass more often."""
    chance = random.Random(1)
    passes = {}
    with closing(sqlite3.connect(tmp_path / "books.db")) as books, books:
        books.execute("CREATE TABLE entry (terminal, sequence, clear, purse)")
        for sequence in range(1, 121):
            person = chance.randrange(12)
            purse = chance.choice((3, 4) if person % 3 else (1, 2))
            clear = ClearRecord(TAP, 101, sequence, chance.randrange(2500, 2600), 10 * purse, purse, 400).to_bytes()
            books.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", (101, sequence, clear, f"purse:{purse}"))
            passes[TapName(101, sequence)] = bytes([person]) * 7
    attack = best_attack(Stored({}, [tmp_path / "books.db"]), passes)
    assert attack.guesses > 30
    assert not attack.links, attack
