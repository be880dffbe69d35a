"""The tap: from a pass in the field to a yes that is journaled, or a no with its reason.

Exchanges of a tap of one purse, up to the yes: select 1, lookup authentication 2, pass file 1, transaction MAC file 1,
tap authentication 2, debit 1, reader id 1, commit 1: ten. A second purse costs one more.
"""

from card.commands import (
    CommitReaderID,
    CommitTransaction,
    Debit,
    GetValue,
    LimitedCredit,
    ReadData,
    SelectApplication,
    parse_transaction_mac,
)
from card.diversify import diversify
from card.errors import BoundaryReached, CardError, NoSuchApplication, NoSuchFile, NotAuthenticated, Refused
from card.ev2 import authenticate_first
from card.layout import (
    FILE_MODES,
    LOOKUP_KEY,
    PASS_FILE,
    PASS_FILE_BYTES,
    TAP_KEY,
    TMAC_FILE,
    PassFile,
    card_key_input,
)
from card.record import REVERSAL, TAP, ClearRecord, Proof, reader_id, seal
from card.session import Session
from terminal.firmware.errors import PassGone
from terminal.firmware.results import (
    AGAIN,
    BLOCKED,
    EXPIRED,
    LIST_TOO_OLD,
    NOT_A_PASS,
    NOT_YET_VALID,
    NOTHING_TO_REVERSE,
    OTHER_MUNICIPALITY,
    PURSE_TOO_SMALL,
    REVERSED,
    TERMINAL_FULL,
    WRONG_VENUE,
    YES,
    Result,
)

NO_TMV = bytes(8)


class _No(Exception):
    """Ends a tap with a code. `left`: what the purse holds that was too small."""

    def __init__(self, code, left=None):
        self.code = code
        self.left = left


class Till:
    """A terminal's keys, lists and journal, and what it does with a pass.

    `random(n)` gives n random bytes; `days` is the terminal.firmware.days.Days that hold the sealing key of the day.
    `keys_changed` and `lists_changed` bring what is new after a sync.
    """

    def __init__(self, keys, days, journal, random, bundle=None, hotlist=None):
        self.keys_changed(keys)
        self._days = days
        self.journal = journal
        self._random = random
        self.lists_changed(bundle, hotlist)
        self._last = None  # (tag of the pass, record) of the last tap of this shift, for its reversal

    def keys_changed(self, keys):
        """`keys`: terminal.firmware.keys.Keys."""
        self._keys = keys

    def lists_changed(self, bundle, hotlist):
        """Either may be None: not there yet."""
        self.bundle = bundle
        self.hotlist = hotlist

    def tap(self, transmit, order, day):
        """Charge an Order to the pass behind `transmit`; the Result says also what went wrong with pass or lists."""

        def charge(session, handle, tmc, tmv):
            paid = self._settle(handle, tmc, tmv, day)
            if paid is not None and paid.kind == TAP and order.same_as(paid):
                return Result(YES, paid)
            for purse, _ in order.moves:
                if purse not in self.bundle.allowed:
                    raise _No(WRONG_VENUE)
            return self._move(session, handle, tmc, TAP, order.fields(), day)

        return self._with_pass(transmit, day, charge)

    def reverse(self, transmit, day):
        """Give back the last tap of this terminal to the pass that made it, if that pass did nothing since."""

        def give_back(session, handle, tmc, tmv):
            given = self._settle(handle, tmc, tmv, day)
            if given is not None and given.kind == REVERSAL:
                return Result(REVERSED, given)
            if self._last is None or self._last[0] != self.journal.tag(handle, tmc):
                raise _No(NOTHING_TO_REVERSE)
            last = self._last[1]
            return self._move(session, handle, tmc, REVERSAL, _fields(last), day)

        return self._with_pass(transmit, day, give_back)

    def _with_pass(self, transmit, day, action):
        if self.bundle is None or not self.bundle.valid_from <= day <= self.bundle.valid_until or self.hotlist is None:
            return Result(LIST_TOO_OLD)
        if self._days.sealing is None:
            return Result(LIST_TOO_OLD)
        if not self.journal.has_room:
            return Result(TERMINAL_FULL)
        try:
            session, handle, tmc, tmv = self._look(transmit, day)
            return action(session, handle, tmc, tmv)
        except _No as no:
            return Result(no.code, left=no.left)
        except PassGone:
            return Result(AGAIN)
        except NoSuchApplication:
            return Result(OTHER_MUNICIPALITY)
        except CardError:
            return Result(NOT_A_PASS)

    def _look(self, transmit, day):
        """Open the pass with the lookup key: `(session, handle, TMC, TMV)`; refuses a pass that does not count."""
        session = Session(transmit)
        session.run(SelectApplication(self._keys.aid))
        self._authenticate(session, LOOKUP_KEY, self._keys.lookup_keys)
        found = PassFile.from_bytes(session.run(ReadData(PASS_FILE, 0, PASS_FILE_BYTES)))
        if found.issuer != self._keys.issuer:
            raise _No(OTHER_MUNICIPALITY)
        if self.hotlist.blocks(found.handle):
            raise _No(BLOCKED)
        if day < found.valid_from:
            raise _No(NOT_YET_VALID)
        if day > found.valid_until:
            raise _No(EXPIRED)
        tmc, tmv = parse_transaction_mac(session.run(ReadData(TMAC_FILE, 0, 12)))
        return session, found.handle, tmc, tmv

    def _open_purses(self, session, handle):
        # EV2First, not NonFirst: it aborts the pending transaction, so that what was read to get here does not enter
        # the Transaction MAC.
        message = card_key_input("tap", handle, self._keys.aid)
        self._authenticate(session, TAP_KEY, [diversify(key, message) for key in self._keys.tap_keys])

    def _authenticate(self, session, key_no, keys):
        """With the first of the keys, newest first, that the pass knows: it may be from before a rotation."""
        for key in keys[:-1]:
            try:
                return authenticate_first(session, key_no, key, self._random, FILE_MODES)
            except NotAuthenticated:
                pass
        return authenticate_first(session, key_no, keys[-1], self._random, FILE_MODES)

    def _settle(self, handle, tmc, tmv, day):
        """Clear up what was torn between this pass and this terminal; the record, if the pass did commit it.

        A record of another day stays in doubt: its sealing key is gone, so the vault's audit has the last word.
        """
        found = self.journal.doubt_of(handle, tmc)
        if found is None:
            return None
        doubt, committed = found
        if not committed:
            self.journal.resolve_void(doubt)
            return None
        if doubt.record.day != day:
            return None
        self.journal.resolve_committed(doubt, self._sealed(doubt.clear, Proof(handle, tmc, tmv, doubt.enc_tmri)))
        self._remember(handle, tmc, doubt.record)
        return doubt.record

    def _remember(self, handle, tmc, record):
        """What can be put back: the last tap, while its pass did nothing since."""
        self._last = (self.journal.tag(handle, tmc), record) if record.kind == TAP else None

    def _sealed(self, clear, proof):
        return seal(self._days.sealing.key(), clear, proof)

    def _move(self, session, handle, tmc, kind, fields, day):
        """Move, commit and journal."""
        record = ClearRecord(kind, self._keys.terminal, self.journal.next_sequence, day, **fields)
        clear = record.to_bytes()
        move = Debit if kind == TAP else LimitedCredit
        self._open_purses(session, handle)
        try:
            for purse, amount in record.debits():
                session.run(move(purse, amount))
        except (BoundaryReached, NoSuchFile):
            if kind == REVERSAL:
                raise _No(NOTHING_TO_REVERSE)
            self._open_purses(session, handle)
            raise _No(PURSE_TOO_SMALL, _left(session, record.purse1))
        enc_tmri = session.run(CommitReaderID(reader_id(clear)))

        # Nothing on the pass has changed up to here. From the commit on it may have, so the intent comes first, and it
        # already holds all that the vault needs to tell later whether the pass did commit.
        tag_before, tag_after = self.journal.tag(handle, tmc), self.journal.tag(handle, tmc + 1)
        in_doubt = self._sealed(clear, Proof(handle, tmc + 1, NO_TMV, enc_tmri))
        doubt = self.journal.intend(clear, in_doubt, tag_before, tag_after, enc_tmri)
        try:
            new_tmc, tmv = session.run(CommitTransaction())
        except Refused:
            self.journal.void(clear)
            raise _No(AGAIN)
        except (PassGone, CardError):
            self.journal.in_doubt(doubt)
            raise _No(AGAIN)
        self.journal.committed(clear, self._sealed(clear, Proof(handle, new_tmc, tmv, enc_tmri)))
        self._remember(handle, new_tmc, record)
        return Result(YES if kind == TAP else REVERSED, record, _left(session, record.purse1))


def _left(session, purse):
    """After the commit, so that it neither slows the yes nor enters the MAC; None when the pass has gone already."""
    try:
        return session.run(GetValue(purse))
    except (PassGone, CardError):
        return None


def _fields(record):
    """The fields of a record that undoes another."""
    names = ("offer", "purse1", "amount1", "purse2", "amount2", "price", "discount", "copayment")
    return {name: getattr(record, name) for name in names}
