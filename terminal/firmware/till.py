"""The tap: from a pass in the field to a yes that is journaled, or a no with its reason.

Exchanges of a tap of one purse, up to the yes: select 1, lookup authentication 2, pass file 1, transaction MAC file 1,
tap authentication 2, debit 1, reader id 1, commit 1: ten. A second purse costs one more.
"""

from card.cmac import Cmac
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
from card.ev2 import PassKey, authenticate_first
from card.layout import (
    FILE_MODES,
    FIRST_PURSE,
    LOOKUP_KEY,
    PASS_FILE,
    PASS_FILE_BYTES,
    TAP_KEY,
    TMAC_FILE,
    PassFile,
    card_key_input,
)
from card.record import CLEAR_BYTES, REVERSAL, TAP, ClearRecord, Proof, reader_id, seal, unseal
from card.session import Session
from card.wire import same
from terminal.firmware.errors import PassGone, ReaderError
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
    SAME_AGAIN,
    TERMINAL_FULL,
    WRONG_VENUE,
    YES,
    Result,
)

NO_TMV = bytes(8)
_HANDLE_BYTES = 16
_READ_PASS = ReadData(PASS_FILE, 0, PASS_FILE_BYTES)
_READ_TMAC = ReadData(TMAC_FILE, 0, 12)
_COMMIT = CommitTransaction()
# A pass that taps twice in a row for the same within this time did so by accident; of so many passes it is known.
AGAIN_WITHIN_S = 60
_MOST_RECENT = 8


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
        self._session = Session(None)
        self._pass_key = PassKey(bytes(16), self._session.scratch)  # of one pass after the other
        # Filled in for one tap after the other: what is made anew each time fills a small heap.
        self._clear = bytearray(CLEAR_BYTES)
        self._debit, self._credit = Debit(FIRST_PURSE, 0), LimitedCredit(FIRST_PURSE, 0)
        self._value, self._reader_id = GetValue(FIRST_PURSE), CommitReaderID(bytes(16))
        self.keys_changed(keys)
        self._days = days
        self.journal = journal
        self._random = random
        self.lists_changed(bundle, hotlist)
        self._begun_s = 0  # when it was switched on, or lost what it remembered
        self._recent = []  # (mark of the pass as the tap left it, moment in seconds, result) of the last taps

    def keys_changed(self, keys):
        """`keys`: terminal.firmware.keys.Keys; or only the keys for cards in them changed."""
        self._keys = keys
        self._select = SelectApplication(keys.aid)
        self._tap_input = bytearray(card_key_input("tap", bytes(_HANDLE_BYTES), keys.aid))
        self._lookup_keys = [PassKey(key, self._session.scratch) for key in keys.lookup_keys]
        self._tap_keys = [Cmac(key, self._session.scratch) for key in keys.tap_keys]
        self._pass_key.rekey(bytes(16))

    def lists_changed(self, bundle, hotlist):
        """Either may be None: not there yet."""
        self.bundle = bundle
        self.hotlist = hotlist

    def read_back(self, now_s):
        """After a tap that stopped half-way: begin as if the terminal was just switched on."""
        self._begun_s = now_s
        self.journal.read_back()

    def tap(self, transmit, order, day, now_s):
        """Charge an Order to the pass behind `transmit`; the Result says also what went wrong with pass or lists.

        `now_s` counts seconds. A pass that was charged the same a moment ago is not charged again, and shows the same
        result; unless the order says `once_more`.
        """

        return self._with_pass(transmit, self._charge, day, order, now_s)

    def reverse(self, transmit, day):
        """Give back the last tap of this terminal to the pass that made it, if that pass did nothing since."""
        return self._with_pass(transmit, self._give_back, day, None, 0)

    def _charge(self, handle, tmc, tmv, day, order, now_s):
        paid = self._settle(handle, tmc, tmv, order)
        if paid is not None:
            return self._remembered(handle, tmc, now_s, Result(YES, paid))
        again = None if order.once_more else self._just_now(handle, tmc, order, day, now_s)
        if again is not None:
            return Result(SAME_AGAIN, again.record, again.left)
        for purse, _ in order.moves:
            if purse not in self.bundle.allowed:
                raise _No(WRONG_VENUE)
        result = self._move(handle, tmc, order.record(self._keys.terminal, self.journal.next_sequence, day))
        return self._remembered(handle, tmc + 1, now_s, result)

    def _remembered(self, handle, tmc, now_s, result):
        """So that the pass, which now counts `tmc`, is not charged the same by accident."""
        if len(self._recent) == _MOST_RECENT:
            self._recent.pop(0)
        self._recent.append((bytes(self.journal.moment(handle, tmc)), now_s, result))
        return result

    def _give_back(self, handle, tmc, tmv, day, _order, _now_s):
        given = self._settle(handle, tmc, tmv, None)
        if given is not None:
            return Result(REVERSED, given)
        last = self.journal.last_move(handle, tmc)
        if last is None or last.kind != TAP:
            raise _No(NOTHING_TO_REVERSE)
        sequence = self.journal.next_sequence
        return self._move(handle, tmc, ClearRecord(REVERSAL, self._keys.terminal, sequence, day, **_fields(last)))

    def _just_now(self, handle, tmc, order, day, now_s):
        """The Result of the same order for this pass a moment ago, if it did nothing since."""
        moment = self.journal.moment(handle, tmc) if self._recent else None
        for mark, at_s, result in self._recent:
            if same(mark, moment) and now_s - at_s <= AGAIN_WITHIN_S and _is_of(result.record, order, day):
                return result
        if now_s - self._begun_s <= AGAIN_WITHIN_S:
            # The plug may have been pulled before anybody saw the result of the last tap.
            last = self.journal.last_move(handle, tmc)
            if last is not None and last.kind == TAP and _is_of(last, order, day):
                return Result(YES, last)
        return None

    def _with_pass(self, transmit, action, day, order, now_s):
        if self.bundle is None or not self.bundle.valid_from <= day <= self.bundle.valid_until or self.hotlist is None:
            return Result(LIST_TOO_OLD)
        if self._days.sealing is None:
            return Result(LIST_TOO_OLD)
        if not self.journal.has_room:
            return Result(TERMINAL_FULL)
        self.journal.mark_with(self._days.sealing)
        try:
            handle, tmc, tmv = self._look(transmit, day)
            return action(handle, tmc, tmv, day, order, now_s)
        except _No as no:
            return Result(no.code, left=no.left)
        except PassGone:
            return Result(AGAIN)
        except NoSuchApplication:
            return Result(OTHER_MUNICIPALITY)
        except CardError:
            return Result(NOT_A_PASS)
        finally:
            self._session.forget()

    def _look(self, transmit, day):
        """Open the pass with the lookup key: `(handle, TMC, TMV)`; refuses a pass that does not count."""
        session = self._session
        session.meet(transmit)
        session.run(self._select)
        self._authenticate(LOOKUP_KEY, self._lookup_keys)
        found = PassFile.from_bytes(session.run(_READ_PASS))
        if found.issuer != self._keys.issuer:
            raise _No(OTHER_MUNICIPALITY)
        if self.hotlist.blocks(found.handle, found.issued):
            raise _No(BLOCKED)
        if day < found.valid_from:
            raise _No(NOT_YET_VALID)
        if day > found.valid_until:
            raise _No(EXPIRED)
        tmc, tmv = parse_transaction_mac(session.run(_READ_TMAC))
        return found.handle, tmc, tmv

    def _open_purses(self, handle):
        # EV2First, not NonFirst: it aborts the pending transaction, so that what was read to get here does not enter
        # the Transaction MAC.
        self._tap_input[: len(handle)] = handle
        self._authenticate(TAP_KEY, self._tap_keys, self._tap_input)

    def _authenticate(self, key_no, keys, message=None):
        """With the first of the keys, newest first, that the pass knows: it may be from before a rotation.

        With a `message` these are master keys, and the key of the pass is made from it.
        """
        for kept in keys:
            key = kept
            if message:
                key = self._pass_key
                key.rekey(diversify(kept, message))
            try:
                authenticate_first(self._session, key_no, key, self._random, FILE_MODES)
                return
            except NotAuthenticated:
                if kept is keys[-1]:
                    raise

    def _settle(self, handle, tmc, tmv, order):
        """Clear up what was torn between this pass and this terminal; the record, when it was for what is asked now.

        `order`: None for a reversal. A record of another day stays in doubt: the keys that marked and sealed it are
        gone, so the vault's audit has the last word. So it has when another terminal used the pass since: then nobody
        here can tell, and the guest has the benefit of the doubt, once.
        """
        found = self.journal.doubt_of(handle)
        if found is None:
            return None
        doubt, tmc_before = found
        clear, sealed = self.journal.intent_of(doubt)
        record = ClearRecord.from_bytes(clear)
        asked = record.kind == REVERSAL if order is None else record.kind == TAP and order.same_as(record)
        if tmc == tmc_before or (tmc == tmc_before + 1 and not self._was_last(handle, record)):
            self.journal.settle_void(doubt, clear)
            return None
        if tmc == tmc_before + 1:
            intended = unseal(self._days.sealing.siv(), clear, sealed)
            self.journal.settle_committed(doubt, clear, self._sealed(clear, Proof(handle, tmc, tmv, intended.enc_tmri)))
        elif asked:
            self.journal.honour(doubt)
        else:
            return None
        return record if asked else None

    def _was_last(self, handle, record):
        """Whether the last transaction of the pass can have been this one: it left what may be credited back.

        LimitedCredit is allowed up to what the last transaction of a purse debited, so one cent more must be refused,
        and the amount itself must not. Nothing is committed, so nothing changes.
        """
        for purse, amount in record.debits():
            debited = amount if record.kind == TAP else 0
            if self._may_give_back(handle, purse, debited + 1):
                return False
            if debited and not self._may_give_back(handle, purse, debited):
                return False
        return True

    def _may_give_back(self, handle, purse, amount):
        self._open_purses(handle)
        try:
            self._session.run(self._credit.of(purse, amount))
        except (BoundaryReached, NoSuchFile):
            return False
        return True

    def _sealed(self, clear, proof):
        return seal(self._days.sealing.siv(), clear, proof)

    def _move(self, handle, tmc, record):
        """Move, commit and journal."""
        session, clear = self._session, self._clear
        record.write_to(clear)
        move = self._debit if record.kind == TAP else self._credit
        self._open_purses(handle)
        try:
            for purse, amount in record.debits():
                session.run(move.of(purse, amount))
        except (BoundaryReached, NoSuchFile):
            if record.kind == REVERSAL:
                raise _No(NOTHING_TO_REVERSE)
            self._open_purses(handle)
            raise _No(PURSE_TOO_SMALL, self._left(record.purse1))
        enc_tmri = session.run(self._reader_id.of(reader_id(clear)))

        # Nothing on the pass has changed up to here. From the commit on it may have, so the intent comes first, and it
        # already holds all that the vault needs to tell later whether the pass did commit.
        proof = Proof(handle, tmc + 1, NO_TMV, enc_tmri)
        intent = self.journal.intend(clear, self._sealed(clear, proof), handle, tmc)
        try:
            proof.tmc, proof.tmv = session.run(_COMMIT)
        except Refused:
            self.journal.void(clear)
            raise _No(AGAIN)
        except (ReaderError, CardError):
            # A reader that fails now says as little of the pass as a pass that left.
            self.journal.in_doubt(intent)
            raise _No(AGAIN)
        self.journal.committed(clear, self._sealed(clear, proof))
        return Result(YES if record.kind == TAP else REVERSED, record, self._left(record.purse1))

    def _left(self, purse):
        """After the commit, so that it neither slows the yes nor enters the MAC; None when the pass has gone."""
        try:
            return self._session.run(self._value.of(purse))
        except (ReaderError, CardError):
            return None


def _is_of(record, order, day):
    return record.day == day and order.same_as(record)


def _fields(record):
    """The fields of a record that undoes another."""
    names = ("offer", "purse1", "amount1", "purse2", "amount2", "price", "discount", "copayment")
    return {name: getattr(record, name) for name in names}
