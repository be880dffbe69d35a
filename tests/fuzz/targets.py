"""What a fuzzer calls, by name: each a plain function from bytes to nothing, on both Pythons.

None may raise, whatever the bytes: `Device.turn()` and `Device.answer()` never do, the reader is let go of, every
screen is one of the table in the README, and a good pass gets its yes again afterwards where the flash is whole.
"""

import binascii
import hashlib
import json
import os

from card.batch import CHALLENGE_BYTES, freshness_mac, siv_key
from card.hotlist import MAC_BYTES, part_mac
from card.siv import siv_decrypt, siv_encrypt
from card.wire import uint
from terminal.firmware import app, link, results
from terminal.firmware.flash import checksum
from terminal.firmware.pn532 import Pn532
from terminal.firmware.pn532_hsu import Hsu
from tests.fuzz.draw import Draw, mutated, odd_json
from tests.fuzz.paper_chip import PaperChip
from tests.fuzz.world import make_folder

_MOST_FRAMES = 6
_MOST_PARTS = 8
_MOST_TURNS = 4
_ORDERS = ("1#", "2#855#", "3#1305#", "A")
_KEYS = "0123456789ABCD*#"
_PIN = "2580#"
_YES = (results.YES, results.SAME_AGAIN)
_CODES = [getattr(results, name) for name in dir(results) if name[0] != "_" and name.upper() == name]


class WentWrong(Exception):
    """Something that no input may bring about."""


def _require(fact, what):
    if not fact:
        raise WentWrong(what)


class Targets:
    """The targets, on one World. A good pass is tried after one of `each` inputs."""

    def __init__(self, world, each=1):
        self._world = world
        self._each = each

    def forget(self):
        """After a fault: the next input finds everything as new."""
        self._world.touched = True

    def _is_tried(self, data):
        return binascii.crc32(data) % self._each == 0

    def _serve(self, card):
        """A pass that lies on the reader for some turns."""
        world = self._world
        world.present = card
        for _ in range(_MOST_TURNS):
            world.device.turn()
        world.present = None
        _require(world.released or "32" in world.codes, "the reader was not let go of")

    def _told(self, card):
        """The code that a pass gets which comes now."""
        self._world.choose()
        return self._world.hold(card)

    def _require_yes(self, card):
        code = self._told(card)
        _require(code in _YES, "a good pass gets %s" % (code or "nothing"))

    # The link

    def link(self, data):
        """The first byte chooses between bytes as they come on the line, and frames that are whole with odd content."""
        _, draw = self._world.renewed(), Draw(data)
        frames = link.Frames()
        self._still_blocked, self._other_lists = True, []  # until the city itself says otherwise
        if draw.below(2):
            while draw.more:
                self._hear(frames, draw.piece())
        else:
            for _ in range(_MOST_FRAMES):
                if not draw.more:
                    break
                for kind, issuer, content in self._questions(draw):
                    whole = link.frame(kind, issuer, content[: link.MOST_CONTENT])
                    self._hear(frames, mutated(draw, whole) if draw.below(8) == 7 else whole)
        _require(len(frames._pending) <= link.MOST_CONTENT + 255 + 16, "the line fills the memory")
        self._after_the_host(data)

    def _questions(self, draw):
        """`(kind, issuer, content)` of what a host asks next, mostly as one could: a file comes in parts."""
        kit = self._world.kit
        kind = draw.of(_KINDS)
        issuer = (kit.issuer, kit.issuer, 0, kit.issuer + 1)[draw.below(4)] if kind not in _OF_DEVICE else 0
        how = draw.below(16)
        if how == 15:
            return [(draw.exactly(1), draw.byte() << 8 | draw.byte(), draw.piece())]
        genuine = _content(draw, kit, kind, how)
        if kind == link.HOTLIST and genuine != kit.seeds["hotlist"]:
            # Whole, and the changes to the base that she has ready, which count by themselves.
            self._other_lists += [_digest(genuine), _digest(genuine[kit.base_bytes :])]
        content = mutated(draw, genuine)
        if kind == link.BUNDLE:
            return [(kind, issuer, content + self._fresh(issuer, content))]
        if kind != link.HOTLIST:
            return [(kind, issuer, content)]
        size, name = 1 + draw.below(link.MOST_CHUNK), draw.of((kind, kind, link.FIRMWARE, b"x"))
        digest = _digest(content)
        places = [at for at in range(0, len(content), size)][:_MOST_PARTS]
        parts = [link.part(name, len(content), digest, at, content[at : at + size]) for at in places]
        return [(link.PART, issuer, mutated(draw, part)) for part in parts + [parts[0] if parts else b""]]

    def _fresh(self, issuer, content):
        """What the backend adds to a bundle, after it heard the terminal."""
        kind, said = self._world.device.answer(link.HELLO, issuer, bytes(CHALLENGE_BYTES))
        if kind == link.REFUSED or issuer != self._world.kit.issuer:
            return b""
        nonce = binascii.unhexlify(json.loads(said[MAC_BYTES:])["nonce"])
        return freshness_mac(self._world.kit.link_key, nonce, content)

    def _hear(self, frames, data):
        """As the loop on a board does."""
        question = frames.feed(data)
        while question:
            kind, content = self._world.device.answer(*question)
            if kind == link.REFUSED:
                _require(0 < len(content.decode()) < 200, "a refusal that says nothing")
            elif kind not in (link.HELLO, link.JOURNAL):
                self._world.touched = True
                self._still_blocked = self._still_blocked and not self._may_unblock(question, content)
            link.frame(kind, question[1], content)
            question = frames.feed(b"")

    def _may_unblock(self, question, answer):
        """Whether what was taken may open a blocked pass. Only who has the keys of the city can make such a thing.

        It is a list of hers that is not the one she has ready, or a lease with half a new hotlist key, which no vault
        makes: under that the list which is here stays genuine, and names other passes.
        """
        kit, (kind, _, content) = self._world.kit, question
        if kind == link.PART:
            is_whole = content[:1] == link.HOTLIST and content[1:5] == answer
            return is_whole and content[5 : 5 + link.DIGEST_BYTES] in self._other_lists
        if kind == link.LEASE:
            # Raises for one that was not made with the keys of the city.
            opened = siv_decrypt(kit.lease_key, [kit.lease_header], content[len(kit.lease_header) :])
            key = binascii.unhexlify(json.loads(opened)["hotlist_key"])
            return key[:16] == kit.hotlist_key[:16] and key != kit.hotlist_key
        return False

    def _after_the_host(self, data):
        """Whatever the city said is served; when nothing was taken, a good pass gets its yes and a blocked one a no."""
        world = self._world
        if world.touched:
            for keys in _ORDERS:
                world.choose(keys)
                self._serve(world.a_pass())
            world.device.answer(link.HELLO, 0, b"")
            world.boot()
        elif self._is_tried(data):
            self._require_yes(world.a_pass())
        else:
            return
        code = self._told(world.a_pass(world.kit.blocked))
        _require(code not in _YES or not self._still_blocked, "a blocked pass gets a yes")

    # The pass

    def card(self, data):
        """What the pass answers, to one order after the other."""
        world, draw = self._world.renewed(0 if self._each == 1 else 4096), Draw(data)
        world.choose(draw.of(_ORDERS))
        card = world.a_pass()
        card.purses[1] = draw.of((2000, 0, 399, 400, (1 << 31) - 1))
        card.draw = draw
        self._serve(card)
        if draw.more:
            world.choose(draw.of(_ORDERS))
            self._serve(card)
        if self._is_tried(data):
            self._require_yes(world.a_pass(b"Another good one"))

    # The reader chip

    def chip(self, data):
        """What the chip sends, between an honest pass and the terminal."""
        world, draw = self._world.renewed(), Draw(data)
        card = world.a_pass()
        chip = PaperChip(card, draw)
        world.reader = Pn532(Hsu(chip))
        world.choose(draw.of(_ORDERS[:3]))
        for _ in range(_MOST_TURNS):
            world.device.turn()
        chip.present = None
        _require(chip.let_go or world.screen in app.READING or not chip.well, "the reader was not let go of")
        # The chip is well again, and the pass comes back.
        chip.draw, chip.present = None, card
        if world.storages[0].steps or self._is_tried(data):
            world.choose()
            for _ in range(_MOST_TURNS):
                world.device.turn()
                if world.screen not in app.READING:
                    break
            code = world.codes[-1] if world.codes else ""
            _require(code in _YES, "a good pass gets %s after the reader is well again" % (code or "nothing"))
            spent, doubts = world.spent_here()
            charged = 2000 - card.purses[1] + 10 - card.purses[4]
            _require((spent, doubts) == (charged, 0), "%d charged, %d proven, %d in doubt" % (charged, spent, doubts))

    # The flash

    def flash(self, data):
        """What becomes of the files and of the journal, while the terminal is off and while it is on."""
        world, draw = self._world.renewed(), Draw(data)
        world.touched = True
        if draw.below(2):
            world.choose()
            world.hold(world.a_pass())
        running = draw.below(2)
        for _ in range(1 + draw.below(4)):
            _spoil_a_file(draw, world)
            _spoil_the_journal(draw, world.storages[0])
        if not running:
            world.boot()
            world.press(_PIN + _PIN + "*")
        for card in (world.a_pass(world.kit.blocked), world.a_pass(valid=(1, world.kit.day - 1))):
            _require(self._told(card) not in _YES, "a pass that is blocked, or not valid, gets a yes")
        for keys in _ORDERS:
            world.choose(keys)
            code = world.hold(world.a_pass())
            _require(code in _CODES or not code, "a code that nobody knows")
        world.press(_KEYS)
        issuer, seeds = world.kit.issuer, world.kit.seeds
        blocked = seeds["hotlist"]
        for kind, of, content in (
            (link.HELLO, 0, b""),
            (link.JOURNAL, issuer, uint(1, 4)),
            (link.BUNDLE, issuer, seeds["bundle"] + self._fresh(issuer, seeds["bundle"])),
            (link.PART, issuer, link.part(link.HOTLIST, len(blocked), _digest(blocked), 0, blocked[: link.MOST_CHUNK])),
            (link.LEASE, issuer, seeds["lease"]),
            (link.DEVICE, 0, seeds["device"]),
            (link.REMOVE, issuer, uint(99, 4)),
            (link.HELLO, 0, b""),
        ):
            link.frame(*_answered(world.device, kind, of, content))
        world.boot()


def _answered(device, kind, issuer, content):
    kind, content = device.answer(kind, issuer, content)
    return kind, issuer, content


# What a host may say

_KINDS = (b"H", b"D", b"K", b"B", b"L", b"J", b"X", b"P", link.FORGET_PIN)
_OF_DEVICE = (link.HELLO, link.DEVICE, link.FORGET_PIN)
_NUMBERS = (0, 1, 2, 1 << 31, (1 << 32) - 1)


def _content(draw, kit, kind, how):
    seeds = kit.seeds
    if kind == link.DEVICE:
        return _odd(draw, seeds["device"]) if how % 2 else seeds["device"]
    if kind == link.LEASE:
        if how % 4 == 0:
            return seeds["lease"]
        plain = mutated(draw, seeds["opened_lease"]) if how % 4 == 1 else _odd(draw, seeds["opened_lease"])
        return kit.lease_header + siv_encrypt(kit.lease_key, [kit.lease_header], plain)
    if kind == link.BUNDLE:
        if how % 4 == 0:
            return seeds["bundle"]
        plain = mutated(draw, seeds["opened_bundle"]) if how % 4 == 1 else _odd(draw, seeds["opened_bundle"])
        return siv_encrypt(siv_key(kit.link_key), [b"bundle" + uint(kit.terminal, 4)], plain)
    if kind == link.HOTLIST:
        if how % 4 == 0:
            return seeds["hotlist"]
        return _genuine_hotlist(draw, kit, seeds["hotlist"])
    if kind in (link.JOURNAL, link.REMOVE):
        return uint(draw.of(_NUMBERS), 4)
    if kind == b"P":
        return draw.of((link.HOTLIST, link.FIRMWARE, b"x")) + draw.rest()
    return b""


def _genuine_hotlist(draw, kit, content):
    """Another list, under MACs that are right."""
    base = mutated(draw, content[: kit.base_bytes - MAC_BYTES])
    changes = mutated(draw, content[kit.base_bytes : -MAC_BYTES])
    mac = part_mac(kit.hotlist_key, base, b"")
    return base + mac + changes + part_mac(kit.hotlist_key, changes, mac)


def _digest(content):
    return hashlib.sha256(content).digest()[: link.DIGEST_BYTES]


def _odd(draw, content):
    try:
        made = json.loads(content)
    except ValueError:
        return mutated(draw, content)  # it was spoilt before
    return json.dumps(odd_json(draw, made)).encode()


# What becomes of a flash

_ODD_NAMES = (
    "2",
    "0",
    "007",
    "99999",
    "x",
    "1.new",
    "books.new",
    "device.new",
    "1/slot1",
    "1/slotx",
    "1/slot",
    "1/slot99",
)
_ODD_NAMES += (
    "1/keys.new",
    "1/sealing.new",
    "1/bundle.new",
    "1/enrolled.new",
    "1/incoming",
    "1/hotlist.new",
    "-1",
    "1/slot-1",
)
# In this order for ever: the cases in the corpus name them by their place.
_FILES = ("device", "books", "lock", "1/keys", "1/sealing", "1/enrolled", "1/cards", "1/bundle", "1/hotlist", "1/slot0")
_FILES += (
    "slots/good",
    "slots/tried",
    "slots/failed",
    "slots/trial",
    "1/incoming",
    "1/incoming.head",
    "error",
    "language",
)
_CHECKED = _FILES[:7]


def _spoil_a_file(draw, world):
    how = draw.below(12)
    name = draw.of(_FILES)
    path = world.folder + "/" + name
    kept = _read(path)
    if how == 1:
        _remove(path)
    elif how == 2:
        _write(path, mutated(draw, kept))
    elif how == 3:
        _write(path, draw.piece())
    elif how == 4:
        piece = draw.piece()
        _write(path, piece + checksum(piece))
    elif how == 5:
        other = world.folder + "/" + draw.of(_FILES)
        content = _read(other)
        _write(other, kept)
        _write(path, content)
    elif how == 6:
        _remove(path)
        make_folder(path)
    elif how == 7:
        _write(world.folder + "/" + draw.of(_ODD_NAMES), kept)
    elif how == 8:
        # Nothing can be written beside it, so nothing can be put in its place.
        make_folder(path + ".new")
    elif how == 9:
        make_folder(world.folder + "/" + draw.of(_ODD_NAMES))
    elif how == 10:
        _write(path, b"")
    elif how == 11 and name in _CHECKED:
        content = _odd(draw, kept[:-4]) if name == "1/keys" and kept[:1] == b"{" else mutated(draw, kept[:-4])
        _write(path, content + checksum(content))


def _spoil_the_journal(draw, storage):
    how = draw.below(8)
    content = storage.content
    at = draw.below(len(content))
    if how == 1:
        content[at] ^= draw.byte() or 1
    elif how == 2:
        piece = draw.piece()[: len(content) - at]
        content[at : at + len(piece)] = piece
    elif how == 3:
        slot = at - at % 128
        spoilt = mutated(draw, bytes(content[slot : slot + 124]))[:124]
        spoilt = spoilt + bytes(124 - len(spoilt))
        content[slot : slot + 128] = spoilt + checksum(spoilt)
    elif how == 4:
        kind = draw.below(8)
        spoilt = (bytes([kind]) + draw.exactly(8) + draw.piece())[:124]
        spoilt = spoilt + bytes(124 - len(spoilt))
        slot = draw.below(8) * 128
        content[slot : slot + 128] = spoilt + checksum(spoilt)
    elif how == 5:
        block = at - at % 4096
        other = (block + 4096) % len(content)
        content[block : block + 4096], content[other : other + 4096] = (
            content[other : other + 4096],
            content[block : block + 4096],
        )
    elif how == 6:
        storage.failing = True
    elif how == 7:
        content[:] = bytes([draw.byte()]) * len(content)


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _write(path, content):
    """A new file of that name: who has the old one open goes on with what was checked when it was opened."""
    _remove(path)
    try:
        with open(path, "wb") as file:
            file.write(content)
    except OSError:
        pass  # a folder by now


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        pass  # gone, or a folder by now


NAMES = ("link", "card", "chip", "flash")
