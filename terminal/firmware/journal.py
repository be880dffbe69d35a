"""What a terminal must not forget: the intent of each tap before its commit, and the chained entries for the backend.

Three files. `journal` holds entries in slots of one size, so that position n is at a known place; nothing in it is ever
overwritten. `intents` is a short ring, written once a tap: an intent without an entry in the journal is a tap that the
power interrupted. `doubts` keeps the intents of torn taps until their pass comes back. A tap costs two writes, one in
each of the first two; only a torn one costs more.
"""

import os

from card.batch import (
    COMMITTED,
    ENTRY_BYTES,
    FIRST_MAC,
    IN_DOUBT,
    MAC_BYTES,
    NOT_SEALED,
    VOID,
    build_batch,
    entry_bytes,
)
from card.cmac import Cmac
from card.record import CLEAR_BYTES, SEALED_BYTES, ClearRecord
from card.wire import uint
from terminal.firmware.errors import FlashError
from terminal.firmware.flash import CHECK_BYTES, checksum

_SLOT = ENTRY_BYTES + CHECK_BYTES
_TAG = 8
_TAGS_AT = CLEAR_BYTES + SEALED_BYTES
_INTENT_BYTES = _TAGS_AT + 2 * _TAG + 16
_NOTHING = bytes(_INTENT_BYTES)
_RING = 4
_MOST_DOUBTS = 16
# How far back the last word on an intent can stand: each tap may also be in doubt, and settle itself and an older one.
_LOOK_BACK = 4 * _RING


class Doubt:
    """A tap of which it is not known whether the pass committed it, and how to tell when the pass comes back.

    Kept as the bytes on flash: a terminal may have many of them, and little memory.
    """

    def __init__(self, intent):
        self._intent = intent

    @property
    def clear(self):
        return self._intent[:CLEAR_BYTES]

    @property
    def sealed(self):
        return self._intent[CLEAR_BYTES:_TAGS_AT]

    @property
    def enc_tmri(self):
        return self._intent[-16:]

    @property
    def record(self):
        return ClearRecord.from_bytes(self.clear)

    @property
    def sequence(self):
        return _sequence(self._intent)

    def tells(self, tag):
        """True: this tag says that the pass committed; False: that it did not; None: it says nothing."""
        if tag == self._intent[_TAGS_AT + _TAG : _TAGS_AT + 2 * _TAG]:
            return True
        return False if tag == self._intent[_TAGS_AT : _TAGS_AT + _TAG] else None

    def to_bytes(self):
        return self._intent


class Journal:
    """`folder` is a directory on the flash; `chain_key` follows from the link key, `tag_key` is the device's own.

    `capacity`: entries that fit; when they are there, `has_room` is False and no tap is accepted.
    """

    def __init__(self, folder, chain_key, tag_key, capacity=20000):
        self._chain_key = chain_key
        self._tags = Cmac(tag_key)
        self._journal = _open(folder + "/journal")
        self._intents = _open(folder + "/intents")
        self._doubts = _open(folder + "/doubts")
        self.capacity = capacity
        self.count, self.last_mac = self._end_of_journal()
        self.last_sequence = 0
        # By slot in the file, None where a slot is free.
        self._open: list[Doubt | None] = [None] * _MOST_DOUBTS
        self._failed = False
        self._recover()

    # Reading back after a stop

    def _end_of_journal(self):
        """A slot that the power cut in half is taken as never written, and written over."""
        count = _size(self._journal) // _SLOT
        while count:
            entry = _read_slot(self._journal, count - 1, ENTRY_BYTES)
            if entry is not None:
                return count, entry[-MAC_BYTES:]
            count -= 1
        return 0, FIRST_MAC

    def _recover(self):
        """Close the intents that have no entry as in doubt, and find the doubts that are still open."""
        outcomes = {}
        for position in range(max(1, self.count - _LOOK_BACK + 1), self.count + 1):
            entry = self._entry(position)
            outcomes[_sequence(entry[1:])] = entry[0]
        for slot in range(_MOST_DOUBTS):
            kept = _read_slot(self._doubts, slot, _INTENT_BYTES)
            if kept not in (None, _NOTHING) and outcomes.get(_sequence(kept), IN_DOUBT) == IN_DOUBT:
                self._open[slot] = Doubt(kept)
        intents = []
        for slot in range(_RING):
            intent = _read_slot(self._intents, slot, _INTENT_BYTES)
            if intent is not None:
                intents.append((_sequence(intent), intent))
        for sequence, intent in sorted(intents):
            if sequence not in outcomes:
                self._append(IN_DOUBT, intent[:CLEAR_BYTES], intent[CLEAR_BYTES:_TAGS_AT])
                self._keep(Doubt(intent))
            elif outcomes.get(sequence) == IN_DOUBT and sequence not in [doubt.sequence for doubt in self.doubts]:
                self._keep(Doubt(intent))
        known = [sequence for sequence, _ in intents] + list(outcomes)
        self.last_sequence = max(known) if known else 0

    # Writing

    def chain_with(self, chain_key):
        """The key for the entries that are written from now on."""
        self._chain_key = chain_key

    @property
    def has_room(self):
        """Whether a tap can be recorded to its end, also if it ends in doubt and is resolved later."""
        return not self._failed and self.count + 2 <= self.capacity

    @property
    def next_sequence(self):
        return self.last_sequence + 1

    def tag(self, handle, tmc):
        """How the journal knows a pass again without keeping its handle."""
        return self._tags.full(b"pass" + handle + uint(tmc, 4))[:_TAG]

    def intend(self, clear, sealed, tag_before, tag_after, enc_tmri):
        """Write down what is about to be committed. Raises FlashError; then the commit must not be sent."""
        intent = clear + sealed + tag_before + tag_after + enc_tmri
        sequence = _sequence(intent)
        self._write(self._intents, sequence % _RING, intent)
        self.last_sequence = sequence
        return Doubt(intent)

    def committed(self, clear, sealed):
        """The pass committed, and this is its proof."""
        self._append(COMMITTED, clear, sealed)

    def void(self, clear):
        """The sequence was used and the pass did not commit."""
        self._append(VOID, clear, NOT_SEALED)

    def in_doubt(self, doubt):
        """The pass left before it answered; keep what tells the outcome when it returns."""
        self._append(IN_DOUBT, doubt.clear, doubt.sealed)
        self._keep(doubt)

    def _keep(self, doubt):
        """Where there is no room the oldest gives way: it is handed in already, and left to the vault's audit."""
        if None in self._open:
            slot = self._open.index(None)
        else:
            slot = self._open.index(min(self.doubts, key=lambda held: held.sequence))
        self._write(self._doubts, slot, doubt.to_bytes())
        self._open[slot] = doubt

    def _forget(self, doubt):
        slot = self._open.index(doubt)
        self._open[slot] = None
        self._write(self._doubts, slot, _NOTHING)

    def _append(self, outcome, clear, sealed):
        entry = entry_bytes(self._chain_key, self.count + 1, self.last_mac, outcome, clear, sealed)
        self._write(self._journal, self.count, entry)
        self.count += 1
        self.last_mac = entry[-MAC_BYTES:]

    def _write(self, file, slot, content):
        """One write, flushed. After a failure nothing more is accepted until a restart has read back what is there."""
        try:
            file.seek(slot * (len(content) + CHECK_BYTES))
            file.write(content + checksum(content))
            file.flush()
        except OSError:
            self._failed = True
            raise FlashError("the flash does not take what is written")

    # Doubts

    def doubt_of(self, handle, tmc):
        """`(doubt, committed)` when this pass, now at counter `tmc`, is one we are in doubt about; else None."""
        if not self.doubts:
            return None
        tag = self.tag(handle, tmc)
        for doubt in self.doubts:
            committed = doubt.tells(tag)
            if committed is not None:
                return doubt, committed
        return None

    @property
    def doubts(self):
        """The doubts that are still open."""
        return [doubt for doubt in self._open if doubt is not None]

    def resolve_committed(self, doubt, sealed):
        self._append(COMMITTED, doubt.clear, sealed)
        self._forget(doubt)

    def resolve_void(self, doubt):
        self._append(VOID, doubt.clear, NOT_SEALED)
        self._forget(doubt)

    # Handing over

    def batch(self, link_key, terminal, first, most):
        """The batch from position `first` on, at most `most` entries; empty bytes when there is nothing new."""
        last = min(self.count, first + most - 1)
        if not 1 <= first <= last:
            return b""
        previous_mac = FIRST_MAC if first == 1 else self._entry(first - 1)[-MAC_BYTES:]
        entries = [self._entry(position) for position in range(first, last + 1)]
        return build_batch(link_key, terminal, first, previous_mac, entries)

    def _entry(self, position):
        entry = _read_slot(self._journal, position - 1, ENTRY_BYTES)
        if entry is None:
            raise FlashError("entry %d of the journal cannot be read" % position)
        return entry


def _sequence(clear):
    """The sequence number in a clear record, or in what begins with one."""
    return int.from_bytes(clear[6:10], "little")


def _open(path):
    try:
        os.stat(path)
    except OSError:
        open(path, "wb").close()
    return open(path, "r+b")


def _size(file):
    return file.seek(0, 2)


def _read_slot(file, slot, size):
    """The slot's content, or None when it was never written, or not to its end."""
    file.seek(slot * (size + CHECK_BYTES))
    data = file.read(size + CHECK_BYTES)
    if len(data) != size + CHECK_BYTES or data[size:] != checksum(data[:size]):
        return None
    return data[:size]
