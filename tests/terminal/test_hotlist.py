"""What a terminal takes for its hotlist and what it does not, and which list counts after a power cut."""

import random
import shutil

import pytest

from issuer.hotlist import base_of, changes_of, changes_to
from issuer.registry.passes import IssuedPass
from terminal.firmware import hotlist as firmware
from terminal.firmware import link
from terminal.firmware.errors import FlashError, ListRefused
from terminal.firmware.hotlist import CHECKED_AT_ONCE, open_hotlist, take_hotlist
from tests.city import DAY, PcTerminal, list_keys, make_pass
from tests.city import hotlist as list_that_blocks

KEY = list_keys().key
OTHER_KEY = bytes(range(32))
OLD = DAY - 100


def some_passes(count, blocked, seed=1):
    rnd = random.Random(seed)
    return [IssuedPass(rnd.randbytes(16), OLD, number < blocked, number >= blocked) for number in range(count)]


TOWN = some_passes(300, 30)


def base(version=1, day=DAY, town=TOWN, key=KEY):
    handles = [[each.handle for each in town if each.blocked is wanted] for wanted in (True, False)]
    return base_of(key, version, day, *handles)


BASE = base()


def changes(version, wrong=(), of=BASE, key=KEY):
    return changes_of(of, key, version, [each.handle for each in wrong])


class Flash:
    """A folder with a list; `take` brings another one."""

    def __init__(self, folder):
        self.folder = folder
        self.held = None
        self.take(BASE + changes(5))

    def take(self, content, key=KEY):
        path = self.folder / "incoming"
        path.write_bytes(content)
        try:
            take_hotlist(str(path), str(self.folder), key, self.held)
        finally:
            self.boot([key])

    def boot(self, keys=(KEY,)):
        if self.held is not None:
            self.held.close()
        self.held = open_hotlist(str(self.folder), list(keys))

    def blocked(self, town=TOWN, day=OLD):
        return [self.held.blocks(each.handle, day) for each in town]

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def flash(tmp_path):
    return Flash(tmp_path)


def truth(town=TOWN):
    return [each.blocked for each in town]


def test_of_every_pass_that_is_older_than_the_base_the_answer_is_right(flash):
    assert flash.blocked() == truth()


def test_a_pass_that_is_younger_is_looked_up_in_the_changes_alone(flash):
    """To the base it may look like a blocked one; here some of them do."""
    young = some_passes(300, 0, seed=2)
    assert any(flash.blocked(young))
    assert not any(flash.blocked(young, DAY))
    flash.take(changes(6, young[:7]))
    assert flash.blocked(young, DAY) == [True] * 7 + [False] * 293


def test_changes_block_open_and_are_replaced(flash):
    for version, wrong in ((6, (0, 40)), (7, (40, 41)), (8, ())):
        flash.take(changes(version, [TOWN[number] for number in wrong]))
        assert flash.held.version == version
        expected = truth()
        for number in wrong:
            expected[number] = not expected[number]
        assert flash.blocked() == expected


def test_after_a_power_cut_the_later_changes_count(flash):
    flash.take(changes(6, TOWN[:1]))
    flash.boot()
    assert (flash.held.version, flash.blocked()[0]) == (6, False)


def test_a_whole_list_takes_the_place_of_older_changes_at_once(flash):
    """The changes that lie there still belong to another base, and count no more."""
    flash.take(changes(6, TOWN[:1]))
    left = (flash.folder / "changes").read_bytes()
    newer = base(7)
    flash.take(newer + changes(7, TOWN[1:2], newer))
    assert (flash.folder / "changes").read_bytes() == left
    for _ in range(2):
        assert (flash.held.version, flash.held.base.version) == (7, 7)
        assert flash.blocked()[:3] == [True, False, True]
        flash.boot()


def test_a_whole_list_of_the_same_base_takes_the_place_of_older_changes(flash):
    flash.take(changes(6, TOWN[:1]))
    flash.take(BASE + changes(7))
    assert (flash.held.version, flash.blocked()) == (7, truth())


def refused():
    other = base(2, town=some_passes(300, 30, seed=9))
    whole, alone = BASE + changes(6), changes(6)
    flipped = [
        (f"bit {at} of {name}", flip(content, at))
        for name, content in (("whole", whole), ("changes", alone))
        for at in range(0, len(content), 7)
    ]
    return [
        *flipped,
        ("nothing", b""),
        ("a page", b"<h1>Welcome</h1>" * 20),
        ("a base alone", BASE),
        ("less than a head", whole[:9]),
        ("a base cut off", BASE[:-1]),
        ("a whole list cut off", whole[:-1]),
        ("changes cut off", alone[:-1]),
        ("one byte more", whole + b"\x00"),
        ("changes and one byte more", alone + b"\x00"),
        ("changes twice", alone + alone),
        ("an older list", BASE + changes(4)),
        ("older changes", changes(4)),
        ("changes to another base", changes(6, of=other)),
        ("a base with changes to another", BASE + changes(6, of=other)),
        ("changes to a base of the same version", changes(6, of=base(town=some_passes(300, 30, seed=9)))),
        ("a list under another key", base(key=OTHER_KEY) + changes(6, of=base(key=OTHER_KEY), key=OTHER_KEY)),
        ("changes under another key", changes(6, key=OTHER_KEY)),
        ("changes that say there are more", alone[:12] + b"\xff\xff\xff\xff" + alone[16:]),
    ]


def flip(content, at):
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def test_what_is_not_a_newer_list_of_the_city_changes_nothing(flash):
    before = flash.files()
    for name, content in refused():
        with pytest.raises(ListRefused):
            flash.take(content)
        assert flash.files() == before, name
        assert flash.held.version == 5, name
    assert flash.blocked() == truth()


def test_the_same_list_may_come_again(flash):
    flash.take(BASE + changes(5))
    flash.take(changes(5))
    assert flash.held.version == 5


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_a_terminal_without_a_list_takes_no_changes(tmp_path, key):
    made = Flash.__new__(Flash)
    made.folder, made.held = tmp_path, None
    with pytest.raises(ListRefused, match="another hotlist"):
        made.take(changes(6), key)
    assert made.held is None


def test_a_flash_that_does_not_rename_keeps_the_list(flash, monkeypatch):
    def worn(*paths):
        raise OSError(5)

    with monkeypatch.context() as patch:
        patch.setattr(firmware.os, "rename", worn)
        with pytest.raises(FlashError):
            flash.take(changes(6, TOWN[:1]))
    assert (flash.held.version, flash.blocked()) == (5, truth())


def test_a_list_that_the_flash_spoilt_counts_as_none_and_changes_as_not_there(flash):
    flash.take(changes(6, TOWN[:1]))
    good = flash.files()
    for name, left in (("changes", 5), ("hotlist", None)):
        for at in range(0, len(good[name]), 5):
            (flash.folder / name).write_bytes(flip(good[name], at))
            flash.boot()
            assert (flash.held and flash.held.version) == left, (name, at)
        (flash.folder / name).write_bytes(good[name])
    flash.boot()
    assert flash.held.version == 6


def test_a_list_of_the_key_before_counts_until_one_of_the_new_key_comes(flash):
    flash.boot([OTHER_KEY, KEY])
    assert flash.blocked() == truth()
    newer = base(9, key=OTHER_KEY)
    flash.take(newer + changes(9, of=newer, key=OTHER_KEY), OTHER_KEY)
    assert (flash.held.version, flash.blocked()) == (9, truth())


def test_a_flash_that_cannot_be_read_any_more_gives_no_answer(flash):
    flash.held.close()
    shutil.rmtree(flash.folder)
    (flash.folder.parent / flash.folder.name).mkdir()
    with open(flash.folder / "hotlist", "w+b") as empty:
        flash.held.base._second._file = empty
        flash.held._changes._file = empty
        flash.held._changes._count = 1
        with pytest.raises(FlashError, match="cannot be read"):
            flash.held.blocks(bytes(16), OLD)


def go_over(hotlist, rounds):
    """All of it at least once, wherever it was."""
    for _ in range(2 * rounds):
        hotlist.check()


def test_a_list_that_rots_while_it_is_open_is_noticed_wherever_it_rots(flash):
    flash.take(changes(6, TOWN[:1]))
    good = flash.files()
    for name in ("hotlist", "changes"):
        rounds = 1 + max(map(len, good.values())) // CHECKED_AT_ONCE
        for at in range(0, len(good[name]), 41):
            go_over(flash.held, rounds)
            with open(flash.folder / name, "r+b") as file:
                file.write(flip(good[name], at))
            with pytest.raises(FlashError, match="is not what it was"):
                go_over(flash.held, rounds)
            (flash.folder / name).write_bytes(good[name])
            flash.boot()


# On the terminal as a whole


@pytest.mark.parametrize("at", [0, 40, 70])
@pytest.mark.parametrize("who", ["nobody", "a queue"])
def test_a_list_that_rots_under_a_running_terminal_is_asked_for_anew(tmp_path, at, who):
    card, made = make_pass()
    terminal = PcTerminal(tmp_path / "flash")
    whole = list_that_blocks(made.handle, version=2)
    terminal.ask(link.HOTLIST, whole)
    assert terminal.tap(card)[1] == "23"
    with open(terminal.folder / "hotlist", "r+b") as file:
        file.write(flip(whole, at))
    if who == "nobody":
        for _ in range(3):
            terminal.seconds += 1
            terminal.device.turn()
    else:
        terminal.tap(card)
    assert terminal.tap(card)[1] == "30"
    assert terminal.about()["changes"] == 0
    terminal.ask(link.HOTLIST, whole)
    assert terminal.tap(card)[1] == "23"


def test_a_terminal_with_a_base_that_has_no_changes_asks_for_a_sync(tmp_path):
    card, _ = make_pass()
    terminal = PcTerminal(tmp_path / "flash")
    whole = (terminal.folder / "hotlist").read_bytes()
    (terminal.folder / "hotlist").write_bytes(whole[:32])
    terminal.boot()
    assert terminal.tap(card)[1] == "30"
    assert (terminal.about()["hotlist"], terminal.about()["changes"]) == (0, 0)
    assert "not a hotlist" in terminal.refused(link.HOTLIST, whole[:32])
    terminal.ask(link.HOTLIST, whole)
    assert terminal.tap(card)[1] == "00"


def test_by_the_day_on_the_pass_the_terminal_knows_where_to_look(tmp_path):
    """One pass in sixteen looks blocked to a base that does not know it; it is younger, and is not refused."""
    base_without = base(2, DAY)
    number = 0
    while True:
        number += 1
        uid = b"\x04" + number.to_bytes(6, "big")
        card, made = make_pass(uid, issued=DAY)
        probe = IssuedPass(made.handle, OLD, False, True)
        if int.from_bytes(changes_to(base_without, KEY, 2, [probe])[12:16], "little"):
            break
    assert made.issued == DAY
    terminal = PcTerminal(tmp_path / "flash")
    terminal.ask(link.HOTLIST, base_without + changes(2, of=base_without))
    assert terminal.tap(card)[1] == "00"
    older, _ = make_pass(uid, issued=OLD)
    assert terminal.tap(older)[1] == "23"
