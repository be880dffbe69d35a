"""What goes over the cable: files in parts, whatever plug or cable is pulled, and what a laptop in between can do."""

import contextlib
import hashlib
import json
import os

import pytest

import terminal.firmware.flash as flash_module
from card.batch import NONCE_BYTES, freshness_mac, link_key, statement_mac
from meedoen.demo.terminals import MicroPythonTerminal
from terminal.errors import TerminalError
from terminal.firmware import link
from terminal.host import DirectLink, SerialLink, bring
from tests.city import (
    CHALLENGE,
    DAY,
    ISSUER,
    TERMINAL,
    VAULT,
    about_the_only_book,
    bring_lists,
    bundle,
    device_file,
    hotlist,
    lease,
    make_pass,
    of_now,
)

HANDLES = [bytes([at % 256, at >> 8]) * 8 for at in range(500)]
LONG_LIST = hotlist(*HANDLES, version=2)


def part(content, at, size=link.MOST_CHUNK, name=link.HOTLIST):
    digest = hashlib.sha256(content).digest()[: link.DIGEST_BYTES]
    return link.part(name, len(content), digest, at, content[at : at + size])


def here(terminal, content, at, size=link.MOST_CHUNK):
    return int.from_bytes(terminal.ask(link.PART, part(content, at, size)), "little")


# Files in parts


def test_a_file_is_taken_when_its_last_part_came(terminal):
    at = 0
    while at < len(LONG_LIST):
        assert terminal.about()["hotlist"] == 1
        at = here(terminal, LONG_LIST, at)
    assert terminal.about()["hotlist"] == 2


def test_a_transfer_goes_on_where_the_plug_was_pulled(terminal):
    here(terminal, LONG_LIST, 0)
    terminal.boot()
    assert here(terminal, LONG_LIST, 0, size=0) == link.MOST_CHUNK
    asked = Counted(DirectLink(terminal.device))
    bring(asked, ISSUER, link.HOTLIST, LONG_LIST)
    assert asked.count == 1 + (len(LONG_LIST) - 1) // link.MOST_CHUNK
    assert terminal.about()["hotlist"] == 2


class Counted:
    """A link that counts what is asked, and loses every answer after the `lost`th."""

    def __init__(self, link_to, lost=1 << 30):
        self._link, self._lost, self.count = link_to, lost, 0

    def ask(self, *question):
        self.count += 1
        answer = self._link.ask(*question)
        if self.count > self._lost:
            raise TerminalError("The cable was unplugged.")
        return answer


@pytest.mark.parametrize("lost", range(8))
def test_a_cable_pulled_after_any_part_costs_nothing(terminal, lost):
    with pytest.raises(TerminalError, match="unplugged"):
        bring(Counted(DirectLink(terminal.device), lost), ISSUER, link.HOTLIST, LONG_LIST)
    again = Counted(DirectLink(terminal.device))
    bring(again, ISSUER, link.HOTLIST, LONG_LIST)
    parts = -(-len(LONG_LIST) // link.MOST_CHUNK)
    assert again.count == 1 + parts - lost
    assert terminal.about()["hotlist"] == 2


def test_an_answer_to_the_last_part_that_was_lost_is_given_again(terminal):
    short = hotlist(*HANDLES[:20], version=2)
    assert here(terminal, short, 0) == here(terminal, short, 0) == len(short)


def test_a_list_that_the_flash_spoilt_after_it_was_taken_comes_anew(terminal):
    bring(DirectLink(terminal.device), ISSUER, link.HOTLIST, LONG_LIST)
    (terminal.flash / "hotlist").write_bytes(b"spoilt")
    terminal.boot()
    bring(DirectLink(terminal.device), ISSUER, link.HOTLIST, LONG_LIST)
    assert terminal.about()["hotlist"] == 2


def test_a_part_that_comes_twice_or_too_early_is_not_used(terminal):
    assert here(terminal, LONG_LIST, 0) == 512
    assert here(terminal, LONG_LIST, 0) == 512
    assert here(terminal, LONG_LIST, 1024) == 512
    assert here(terminal, LONG_LIST, 512) == 1024


def test_a_new_file_takes_the_place_of_one_that_did_not_come_whole(terminal):
    other = hotlist(*HANDLES, version=3)
    here(terminal, LONG_LIST, 0)
    assert here(terminal, other, 0) == 512
    assert here(terminal, LONG_LIST, 0, size=0) == 0


def test_damage_on_the_way_is_noticed_and_the_file_comes_anew(terminal):
    first = bytearray(part(LONG_LIST, 0))
    first[-1] ^= 1
    terminal.ask(link.PART, bytes(first))
    with pytest.raises(TerminalError, match="not what was sent; send it again"):
        bring(DirectLink(terminal.device), ISSUER, link.HOTLIST, LONG_LIST)
    assert terminal.about()["hotlist"] == 1
    bring(DirectLink(terminal.device), ISSUER, link.HOTLIST, LONG_LIST)
    assert terminal.about()["hotlist"] == 2


def test_a_file_that_is_not_genuine_leaves_nothing_behind(terminal):
    made_up = bytes(3000)
    with pytest.raises(TerminalError, match="not a hotlist of the city"):
        bring(DirectLink(terminal.device), ISSUER, link.HOTLIST, made_up)
    assert [path.name for path in terminal.flash.iterdir() if path.name.startswith("incoming")] == []
    assert terminal.about()["hotlist"] == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a part of a file"),
        (bytes(16), "not a part of a file"),
        (bytes(17 + 513), "not a part of a file"),
        (link.part(link.HOTLIST, 0, bytes(8), 0, b""), "a file has 1 to"),
        (link.part(link.HOTLIST, 1 << 31, bytes(8), 0, b""), "a file has 1 to"),
    ],
)
def test_what_is_no_part_is_refused(terminal, content, why):
    assert why in terminal.refused(link.PART, content)


def test_a_part_longer_than_its_file_is_not_used(terminal):
    assert terminal.ask(link.PART, link.part(link.HOTLIST, 10, bytes(8), 0, b"x" * 11)) == bytes(4)


def test_a_pc_takes_no_firmware(terminal):
    content = part(b"firmware", 0, name=link.FIRMWARE)
    assert "no slots for firmware" in terminal.refused(link.PART, content, link.WHOLE_DEVICE)


class Plug:
    """Pulls the plug at the given change of the flash: before it, or after it."""

    class Pulled(BaseException):
        pass

    def __init__(self, monkeypatch, cut, done):
        self._left, self._done = cut, done
        self._patch = monkeypatch
        for name in ("append", "replace", "remove"):
            monkeypatch.setattr(flash_module.Flash, name, self._cut(getattr(flash_module.Flash, name)))

    def _cut(self, change):
        def cut(*arguments):
            self._left -= 1
            if self._left or self._done:
                change(*arguments)
            if not self._left:
                raise Plug.Pulled

        return cut


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("cut", range(1, 9))
def test_a_plug_pulled_at_any_change_of_the_flash_loses_no_list(terminal, monkeypatch, cut, done):
    card, _ = make_pass()
    short = hotlist(*HANDLES[:100], version=2)
    with monkeypatch.context() as patch:
        Plug(patch, cut, done)
        with contextlib.suppress(Plug.Pulled):
            bring(DirectLink(terminal.device), ISSUER, link.HOTLIST, short)
    terminal.boot()
    assert terminal.about()["hotlist"] in (1, 2)
    bring(DirectLink(terminal.device), ISSUER, link.HOTLIST, short)
    assert terminal.about()["hotlist"] == 2
    assert terminal.tap(card)[1] == "00"


# A laptop in between


def test_a_bundle_that_was_recorded_earlier_is_refused(terminal):
    recorded = of_now(terminal.ask, bundle(version=2))
    assert terminal.device.answer(link.BUNDLE, ISSUER, recorded) == (link.BUNDLE, b"")
    assert b"another moment" in terminal.device.answer(link.BUNDLE, ISSUER, recorded)[1]
    terminal.ask(link.HELLO, CHALLENGE, ISSUER)
    assert b"another moment" in terminal.device.answer(link.BUNDLE, ISSUER, recorded)[1]


def test_a_bundle_that_answers_nothing_is_refused(terminal):
    terminal.boot()
    made = bundle(version=2)
    mac = freshness_mac(link_key(VAULT.handed_out("link", 1), TERMINAL), bytes(NONCE_BYTES), made)
    for content in (made, made + bytes(16), made + mac):
        assert terminal.device.answer(link.BUNDLE, ISSUER, content)[0] == link.REFUSED
    assert terminal.about()["bundle"] == 1


def test_the_day_of_a_recorded_bundle_does_not_count(terminal):
    of_now(terminal.ask, bundle(version=2, day=DAY + 40))
    recorded = of_now(terminal.ask, bundle(version=2, day=DAY + 40))
    terminal.ask(link.HELLO, CHALLENGE, ISSUER)
    assert terminal.device.answer(link.BUNDLE, ISSUER, recorded)[0] == link.REFUSED
    assert terminal.about()["day"] == DAY


def test_what_a_terminal_says_to_the_backend_is_proven_by_its_own_key(terminal):
    statement = terminal.ask(link.HELLO, CHALLENGE, ISSUER)
    mac, said = statement[:16], statement[16:]
    assert mac == statement_mac(link_key(VAULT.handed_out("link", 1), TERMINAL), CHALLENGE, said)
    found = json.loads(said)
    assert (found["terminal"], found["journal"], len(found["nonce"])) == (TERMINAL, 0, 16)
    assert json.loads(terminal.ask(link.HELLO, CHALLENGE, ISSUER)[16:])["nonce"] != found["nonce"]


@pytest.mark.parametrize("challenge", [b"x", bytes(15), bytes(17)])
def test_a_challenge_has_sixteen_bytes(terminal, challenge):
    assert "does not know" in terminal.refused(link.HELLO, challenge, ISSUER)


def test_a_question_about_another_municipality_is_refused(terminal):
    for kind in (link.HELLO, link.LEASE, link.BUNDLE, link.JOURNAL, link.PART):
        assert "does not serve municipality 9" in terminal.device.answer(kind, 9, CHALLENGE)[1].decode()


# On MicroPython, over a serial line


@pytest.fixture
def board(tmp_path, firmware):
    made = MicroPythonTerminal(tmp_path / "flash", firmware)
    made.link().ask(link.DEVICE, device_file(about_the_only_book(made.link())))
    made.link().ask(link.LEASE, lease(about_the_only_book(made.link())), ISSUER)
    bring_lists(made.link())
    yield made
    made.close()


def test_a_cable_pulled_in_the_middle_of_a_part_is_plugged_in_again(board):
    cut = link.frame(link.PART, ISSUER, part(LONG_LIST, 0))
    board.link()._port.write(cut[: len(cut) // 2])
    assert about_the_only_book(board.link())["hotlist"] == 1
    bring(board.link(), ISSUER, link.HOTLIST, hotlist(*HANDLES[:20], version=2))
    assert about_the_only_book(board.link())["hotlist"] == 2


def test_a_plug_pulled_in_the_middle_of_a_file_is_put_back(board):
    short = hotlist(*HANDLES[:20], version=2)
    board.link().ask(link.PART, part(short, 0, size=50), ISSUER)
    board.switch_off()
    board.switch_on()
    asked = Counted(board.link())
    bring(asked, ISSUER, link.HOTLIST, short)
    assert asked.count == 2
    assert about_the_only_book(board.link())["hotlist"] == 2


def test_a_cable_that_is_gone_is_said_in_one_sentence():
    ours, theirs = os.openpty()
    line = SerialLink(os.ttyname(theirs), timeout_s=0.3)
    os.close(theirs)
    os.close(ours)
    with pytest.raises(TerminalError, match=r"The cable was unplugged|does not answer"):
        line.ask(link.HELLO)
    line.close()
