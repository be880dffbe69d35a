"""What a terminal must not forget: the intent of each tap before its commit, and the chained entries for the backend.

A log on raw flash, in slots of one size that are written once: `kind, number, body, CRC-32`. The first slot of a block
holds the serial number of the block; blocks follow each other round the flash, so they wear evenly. A block is erased
when the backend said that it holds all of its entries, and only when its place is needed. A tap costs two writes: its
intent and its outcome. A slot that the power cut in half is passed over.

What tells a pass again is not its handle: each intent has a mark of its own, which says nothing without the pass and
the key of its day. When the day is over that key is gone, and what is still in doubt is left to the vault's audit.
"""

from card.aes import BLOCK, Scratch
from card.batch import (
    COMMITTED,
    ENTRY_BYTES,
    FIRST_MAC,
    IN_DOUBT,
    MAC_BYTES,
    NOT_SEALED,
    VOID,
    build_batch,
    chain_mac,
)
from card.cmac import Cmac
from card.record import CLEAR_BYTES, SEALED_BYTES, ClearRecord
from card.wire import put_uint, read_uint, same, uint
from terminal.firmware.errors import FlashError
from terminal.firmware.flash import CHECK_BYTES, crc
from terminal.firmware.storage import ERASED

_SLOT = 128
_HEAD = 5
_BODY = _SLOT - _HEAD - CHECK_BYTES

# Kinds of slot. `number` is the serial number of the block, the position of the entry, or the position of the next one.
_BLOCK = 1
_ENTRY = 2
_INTENT = 3
_HONOURED = 4
_MOST_NUMBER = (1 << 31) - 1

_MARK_AT = CLEAR_BYTES + SEALED_BYTES
_TAG = 8
_MARK = _TAG + 4
_MOST_DOUBTS = 16
# Of slots that cannot be read between two entries; more of them in a row are a part of the flash that is worn out.
_MOST_SPOILT = 4
# How far back an interrupted tap, a doubt that is still of use, or the last tap can stand.
_BLOCKS_BACK = 16
# A tap takes two slots, and one more when a pass that came back settles it.
_SLOTS_OF_A_TAP = 3


class Doubt:
    """A tap of which it is not known whether the pass committed it; `mark` knows that pass again."""

    def __init__(self, at, sequence, day, mark):
        self.at = at
        self.sequence = sequence
        self.day = day
        self.mark = mark


class Journal:
    """`storage` is raw flash; `chain_key` follows from the link key. Before a pass is told again there is `mark_with`.

    When the flash is full of what the backend does not hold, `has_room` is False and no tap is accepted.
    """

    def __init__(self, storage, chain_key):
        self._scratch = Scratch()
        self._chain = Cmac(chain_key, self._scratch)
        self._tags = Cmac(bytes(BLOCK), self._scratch)
        self._storage = storage
        self._slots = storage.block_bytes // _SLOT
        self._buffer = bytearray(_SLOT)
        self._checked = memoryview(self._buffer)[:-CHECK_BYTES]
        self._written = bytearray(_SLOT)
        self._outcome = bytearray(1)
        self._tag = bytearray(BLOCK)
        self._mark_in_tag = memoryview(self._tag)[:_MARK]
        self._held = 0
        self._failed = False
        self.read_back()

    # Reading back after a stop

    def read_back(self):
        """Learn from the flash how far everything came that was begun."""
        self.count = 0
        self.last_mac = FIRST_MAC
        self.last_sequence = 0
        self._doubts: list[Doubt] = []
        self._interrupted: list[Doubt] = []
        self._marked_with = None
        self._serial, self._next = self._end_of_log()
        self._recover()

    def _end_of_log(self):
        """`(serial number of the newest block, first slot in it that was never written)`; no block is -1."""
        newest = -1
        for block in range(self._storage.blocks):
            serial = self._serial_of(block)
            if serial is not None:
                newest = max(newest, serial)
        if newest < 0:
            return -1, self._slots
        slot = self._slots
        while slot > 1 and self._is_erased(newest, slot - 1):
            slot -= 1
        return newest, slot

    def _recover(self):
        """Learn from the newest blocks where the chain stands and which taps the power interrupted."""
        outcomes: dict[int, int] = {}
        honoured = []
        intents = []
        spoilt = False
        for at in self._backwards(_BLOCKS_BACK):
            kind = self._read(at)
            if kind == _ENTRY:
                if not self.count:
                    self.count = read_uint(self._buffer, 1, 4)
                    self.last_mac = bytes(self._buffer[_HEAD + ENTRY_BYTES - MAC_BYTES : _HEAD + ENTRY_BYTES])
                sequence = self._sequence_at(_HEAD + 1)
                # Backwards: the first that is met is the last word.
                outcomes.setdefault(sequence, self._buffer[_HEAD])
            elif kind == _INTENT:
                sequence = self._sequence_at(_HEAD)
                if outcomes.get(sequence, IN_DOUBT) == IN_DOUBT and sequence not in honoured:
                    intents.append((sequence not in outcomes, self._doubt_at(at, sequence)))
            elif kind == _HONOURED:
                sequence = read_uint(self._buffer, _HEAD, 4)
                honoured.append(sequence)
            else:
                spoilt = spoilt or kind is None
                continue
            self.last_sequence = max(self.last_sequence, sequence)
        for interrupted, doubt in reversed(intents):
            said = self._said_of(doubt) if spoilt else None
            if said in (COMMITTED, VOID):
                continue
            if interrupted and said is None:
                self._interrupted.append(doubt)
            else:
                self._keep(doubt)
        self._enter_interrupted()

    def _said_of(self, doubt):
        """The last outcome of a tap that is handed over, also when its entry rotted beside what it says; or None."""
        self._fetch(doubt.at)
        found = None
        for _, _, entry in self._provable(self._place_before(read_uint(self._buffer, 1, 4) - 1)):
            if read_uint(entry, 7, 4) == doubt.sequence:
                found = entry[0]
        return found

    def _enter_interrupted(self):
        """No tap is accepted before this is done, which may need flash that the backend has yet to set free."""
        while self._interrupted:
            try:
                self.in_doubt(self._interrupted[0].at)
            except FlashError:
                return
            self._interrupted.pop(0)

    def _backwards(self, blocks):
        """The places of the slots in the newest blocks, the newest first."""
        for serial in range(self._serial, max(-1, self._serial - min(blocks, self._storage.blocks)), -1):
            if self._serial_of(serial % self._storage.blocks) != serial:
                return
            last = self._next if serial == self._serial else self._slots
            for slot in range(last - 1, 0, -1):
                yield serial * self._slots + slot

    def _forwards(self, at):
        """The places of the slots from `at` to the newest."""
        while at < self._serial * self._slots + self._next:
            if at % self._slots:
                yield at
            at += 1

    def _doubt_at(self, at, sequence):
        """From the intent in the buffer."""
        return Doubt(at, sequence, read_uint(self._buffer, _HEAD + 10, 2), self._mark_here())

    def _mark_here(self):
        """Of the intent in the buffer."""
        mark_at = _HEAD + _MARK_AT
        return bytes(self._buffer[mark_at : mark_at + _MARK])

    def _sequence_at(self, clear_at):
        return read_uint(self._buffer, clear_at + 6, 4)

    # Slots

    def _address(self, at):
        serial, slot = at // self._slots, at % self._slots
        return serial % self._storage.blocks * self._storage.block_bytes + slot * _SLOT

    def _read(self, at):
        """Bring a slot into the buffer; its kind, or None when it was not written to its end, or not by a terminal."""
        self._fetch(at)
        if read_uint(self._buffer, _HEAD + _BODY, CHECK_BYTES) != crc(self._checked):
            return None
        # No terminal counts that far, and who goes on counting from there runs out of numbers.
        return None if read_uint(self._buffer, 1, 4) > _MOST_NUMBER else self._buffer[0]

    def _fetch(self, at):
        try:
            self._storage.read_into(self._address(at), self._buffer)
        except OSError:
            raise FlashError("the flash cannot be read")

    def _serial_of(self, block):
        """The serial number of a block, or None when it has none."""
        return read_uint(self._buffer, 1, 4) if self._read(block * self._slots) == _BLOCK else None

    def _is_erased(self, serial, slot):
        self._fetch(serial * self._slots + slot)
        return self._buffer == bytes([ERASED]) * _SLOT

    def _append(self, kind, number, body):
        """Write the next slot, whose body comes in parts; its place.

        After a failure nothing is accepted until a restart read back what is there.

        Raises FlashError.
        """
        if self._failed:
            raise FlashError("the flash does not take what is written")
        if self._next == self._slots:
            self._begin_block()
        at = self._serial * self._slots + self._next
        self._next += 1
        self._write(at, kind, number, body)
        return at

    def _write(self, at, kind, number, body):
        buffer = self._buffer
        buffer[0] = kind
        put_uint(buffer, 1, number, 4)
        end = _HEAD
        for part in body:
            buffer[end : end + len(part)] = part
            end += len(part)
        for index in range(end, _HEAD + _BODY):
            buffer[index] = 0
        put_uint(buffer, _HEAD + _BODY, crc(self._checked), CHECK_BYTES)
        try:
            self._storage.write(self._address(at), buffer)
            self._storage.read_into(self._address(at), self._written)
        except OSError:
            self._written[0] = ERASED
        if self._written != buffer:
            self._failed = True
            raise FlashError("the flash does not take what is written")

    def _begin_block(self):
        serial = self._serial + 1
        if not self._may_erase(serial - self._storage.blocks):
            raise FlashError("the flash is full")
        try:
            self._storage.erase(serial % self._storage.blocks)
        except OSError:
            self._failed = True
            raise FlashError("the flash does not take what is written")
        self._write(serial * self._slots, _BLOCK, serial, ())
        self._serial, self._next = serial, 1

    def tidy(self):
        """Between two guests: erase what the next tap may need, so that no guest waits for it."""
        if self._slots - self._next < _SLOTS_OF_A_TAP and not self._failed:
            try:
                self._begin_block()
            except FlashError:
                pass  # the next tap says so

    # Room

    def backend_holds(self, position):
        """The backend said that it has all entries up to this position: their place may be used again."""
        self._held = max(self._held, position)
        self._enter_interrupted()

    def _may_erase(self, serial):
        """Whether all that is in a block is with the backend. What is in doubt in it is left to the vault's audit."""
        # The last of them stays: the MAC of the one after it covers it.
        return serial < 0 or self._first_number(serial + 1) <= self._held

    def _first_number(self, serial):
        """The lowest position that a block, or what came after it, speaks of."""
        for at in self._forwards(serial * self._slots):
            if self._read(at) in (_ENTRY, _INTENT):
                return read_uint(self._buffer, 1, 4)
        return self.count + 1

    @property
    def has_room(self):
        """Whether a tap can be recorded to its end, also if it ends in doubt and is settled later.

        One block more is kept for what a start after a power cut has to write.
        """
        blocks = 1 if self._slots - self._next >= _SLOTS_OF_A_TAP else 2
        return not self._failed and not self._interrupted and self._free_blocks(blocks) == blocks

    @property
    def room(self):
        """How many more taps can be recorded so."""
        blocks = 0 if self._failed else self._free_blocks(self._storage.blocks)
        return max(0, (blocks - 1) * (self._slots - 1) + self._slots - self._next) // _SLOTS_OF_A_TAP

    def _free_blocks(self, most):
        """How many blocks after the newest may be erased, as far as it matters."""
        for ahead in range(1, min(most + 1, self._storage.blocks)):
            if not self._may_erase(self._serial + ahead - self._storage.blocks):
                return ahead - 1
        return min(most, self._storage.blocks - 1)

    # Writing

    def chain_with(self, chain_key):
        """The key for the entries that are written from now on."""
        self._chain = Cmac(chain_key, self._scratch)

    def mark_with(self, sealing):
        """Know the passes of the day at which this SealingKey stands again; those of other days are strangers."""
        if sealing is not self._marked_with:
            self._tags.rekey(sealing.mark_key())
            self._doubts = [doubt for doubt in self._doubts if doubt.day == sealing.day]
            self._marked_with = sealing

    @property
    def next_sequence(self):
        return self.last_sequence + 1

    def intend(self, clear, sealed, handle, tmc):
        """Write down what a pass at counter `tmc` is about to commit; its place, for `in_doubt`.

        Raises FlashError; then nothing may be sent.
        """
        sequence = read_uint(clear, 6, 4)
        full = self._mark(handle, sequence)
        put_uint(full, _TAG, tmc ^ read_uint(full, _TAG, 4), 4)
        at = self._append(_INTENT, self.count + 1, (clear, sealed, self._mark_in_tag))
        self.last_sequence = sequence
        return at

    def committed(self, clear, sealed):
        """The pass committed, and this is its proof."""
        self._enter(COMMITTED, clear, sealed)

    def void(self, clear):
        """The sequence was used and the pass did not commit."""
        self._enter(VOID, clear, NOT_SEALED)

    def in_doubt(self, at):
        """The pass left before it answered; the intent at this place tells the outcome when it returns."""
        self._read(at)
        doubt = self._doubt_at(at, self._sequence_at(_HEAD))
        self._enter(IN_DOUBT, *self.intent_of(doubt))
        self._keep(doubt)

    def _keep(self, doubt):
        """Where there are too many the oldest gives way: it is handed in, and left to the vault's audit."""
        self._doubts = (self._doubts + [doubt])[-_MOST_DOUBTS:]

    def _enter(self, outcome, clear, sealed):
        mac = chain_mac(self._chain, self.count + 1, self.last_mac, outcome, clear, sealed)
        self._outcome[0] = outcome
        self._append(_ENTRY, self.count + 1, (self._outcome, clear, sealed, mac))
        self.count += 1
        self.last_mac = mac

    # Doubts

    @property
    def doubts(self):
        """How many doubts are open."""
        return len(self._doubts)

    def _mark(self, handle, sequence):
        """How the journal knows a pass again, for one tap, without keeping its handle or its counter in clear.

        In a buffer that the next mark, or moment, uses again.
        """
        return self._tagged(b"pass", handle, sequence)

    def moment(self, handle, tmc):
        """What knows a pass again that did nothing since; for the memory of a terminal only. In the buffer of marks."""
        return self._tagged(b"moment", handle, tmc)

    def _tagged(self, what, handle, number):
        message = self._tags.start()
        message.write(what)
        message.write(handle)
        self._scratch.put(number, 4)
        self._tag[:] = self._tags.of_message(0, message.tell())
        self._scratch.wipe()
        return self._tag

    def doubt_of(self, handle):
        """`(doubt, counter of the pass before it)` of the last open doubt about this pass; else None."""
        for doubt in reversed(self._doubts):
            full = self._mark(handle, doubt.sequence)
            if same(doubt.mark[:_TAG], full[:_TAG]):
                return doubt, _shown(doubt.mark, full)
        return None

    def intent_of(self, doubt):
        """`(clear record, sealed proof without its MAC)` as they were written before the commit."""
        if self._read(doubt.at) != _INTENT or self._sequence_at(_HEAD) != doubt.sequence:
            raise FlashError("what the flash held of tap %d cannot be read" % doubt.sequence)
        body = bytes(self._buffer[_HEAD : _HEAD + _MARK_AT])
        return body[:CLEAR_BYTES], body[CLEAR_BYTES:]

    def settle_committed(self, doubt, clear, sealed):
        self._enter(COMMITTED, clear, sealed)
        self._doubts.remove(doubt)

    def settle_void(self, doubt, clear):
        self._enter(VOID, clear, NOT_SEALED)
        self._doubts.remove(doubt)

    def honour(self, doubt):
        """The guest had the benefit of this doubt, once; whether the pass paid is left to the vault's audit."""
        self._append(_HONOURED, self.count + 1, (uint(doubt.sequence, 4),))
        self._doubts.remove(doubt)

    # Looking back

    def last_move(self, handle, tmc):
        """The record of the last tap or reversal here, if this pass made it and did nothing since; else None."""
        sequence = None
        for at in self._backwards(_BLOCKS_BACK):
            kind = self._read(at)
            if kind == _ENTRY and sequence is None and self._buffer[_HEAD] == COMMITTED:
                sequence = self._sequence_at(_HEAD + 1)
            elif kind == _INTENT and sequence == self._sequence_at(_HEAD):
                mark, full = self._mark_here(), self._mark(handle, sequence)
                if not same(mark[:_TAG], full[:_TAG]) or _shown(mark, full) + 1 != tmc:
                    return None
                return ClearRecord.from_bytes(bytes(self._buffer[_HEAD : _HEAD + CLEAR_BYTES]))
        return None

    def day_entries(self, day):
        """`(outcome, ClearRecord)` of what was committed on a day or is still in doubt, the newest first."""
        open_doubts = [doubt.sequence for doubt in self._doubts]
        for at in self._backwards(self._storage.blocks):
            if self._read(at) != _ENTRY:
                continue
            outcome = self._buffer[_HEAD]
            record = ClearRecord.from_bytes(bytes(self._buffer[_HEAD + 1 : _HEAD + 1 + CLEAR_BYTES]))
            if record.day < day:
                return
            if record.day == day and (outcome == COMMITTED or (outcome == IN_DOUBT and record.sequence in open_doubts)):
                yield outcome, record

    # Handing over

    @property
    def first(self):
        """The first position that can still be handed over; one past the last when there is none."""
        return self._run(1, 1)[0]

    @property
    def _oldest(self):
        return max(0, self._serial - self._storage.blocks + 1)

    def batch(self, link_key, terminal, first, most):
        """The batch from position `first` on, at most `most` entries; empty bytes when there is nothing new.

        It begins later when what stands there cannot be read any more: the backend names the gap.
        """
        start, previous_mac, entries = self._run(first, most)
        return build_batch(link_key, terminal, start, previous_mac, entries) if entries else b""

    def _run(self, first, most):
        """`(position, MAC before it, entries)`: the first entries from `first` on that follow each other unbroken."""
        start, start_mac = self.count + 1, b""
        entries: list[bytes] = []
        for position, previous_mac, entry in self._provable(self._place_before(first - 1)):
            if entries and position != start + len(entries):
                break
            if position < first:
                continue
            if not entries:
                start, start_mac = position, previous_mac
            entries.append(entry)
            if len(entries) == most:
                break
        return start, start_mac, entries

    def _provable(self, at):
        """`(position, MAC before it, entry)` of each entry from a place on that the backend can tell to be ours."""
        before = 0, FIRST_MAC
        # Cut in half, and written again behind it; or it rotted, in its body, its MAC, or beside them.
        spoilt: list[bytes] = []
        for place in self._forwards(at):
            kind = self._read(place)
            if kind not in (None, _ENTRY):
                continue
            position = read_uint(self._buffer, 1, 4)
            entry = bytes(self._buffer[_HEAD : _HEAD + ENTRY_BYTES])
            if kind is None:
                spoilt = (spoilt + [entry])[-_MOST_SPOILT:]
                continue
            if position == before[0] + 1:
                yield position, before[1], entry
            else:
                # Each covers the MAC of the one before it, so it can tell which is right.
                for mended in self._mended(spoilt, before, position, entry):
                    yield mended
            before, spoilt = (position, entry[-MAC_BYTES:]), []

    def _mended(self, spoilt, before, position, entry):
        """This entry, and the one before it when that is whole but for its MAC; none when nothing can prove it."""
        for one in spoilt:
            if before[0] == position - 2:
                outcome, clear, sealed = _parts(one)
                mac = chain_mac(self._chain, position - 1, before[1], outcome, clear, sealed)
                if self._is_after(position, mac, entry):
                    return [(position - 1, before[1], one[:-MAC_BYTES] + mac), (position, mac, entry)]
            if self._is_after(position, one[-MAC_BYTES:], entry):
                return [(position, one[-MAC_BYTES:], entry)]
        return []

    def _is_after(self, position, previous_mac, entry):
        outcome, clear, sealed = _parts(entry)
        return same(entry[-MAC_BYTES:], chain_mac(self._chain, position, previous_mac, outcome, clear, sealed))

    def _place_before(self, position):
        """Where to begin to look for an entry: the newest block that begins at it or before."""
        serial = self._serial
        while serial > self._oldest and self._first_number(serial) > position:
            serial -= 1
        return serial * self._slots


def _parts(entry):
    """`(outcome, clear record, sealed proof)` of an entry."""
    return entry[0], entry[1 : 1 + CLEAR_BYTES], entry[1 + CLEAR_BYTES : -MAC_BYTES]


def _shown(mark, full):
    return read_uint(mark, _TAG, 4) ^ read_uint(full, _TAG, 4)
