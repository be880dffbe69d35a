"""The cryptography of a recorded tap, some times over, by `card/` or by the plain version; runs on MicroPython.

Usage: micropython tap_replay.py card|plain RECORDING.json TIMES   Ends with an error when a byte differs.
"""

import binascii
import gc
import json
import sys

from card.batch import COMMITTED, chain_mac
from card.cmac import Cmac
from card.commands import (
    CommitReaderID,
    CommitTransaction,
    Debit,
    GetValue,
    ReadData,
    SelectApplication,
    parse_transaction_mac,
)
from card.diversify import diversify
from card.ev2 import PassKey, authenticate_first
from card.layout import (
    FILE_MODES,
    LOOKUP_KEY,
    PASS_FILE,
    PASS_FILE_BYTES,
    TAP_KEY,
    TMAC_FILE,
    card_key_input,
)
from card.record import Proof, reader_id, seal
from card.sealing import SealingKey
from card.session import Session
from card.siv import Siv
from card.wire import read_uint
from tests.bench.plain_tap import Plain

_DAY = 2516
_PASS = ReadData(PASS_FILE, 0, PASS_FILE_BYTES)
_TMAC = ReadData(TMAC_FILE, 0, 12)
_COMMIT = CommitTransaction()


class Ours:
    """What terminal/firmware/{till,journal}.py ask of `card/` in one tap; kept from tap to tap is what they keep."""

    def __init__(self, known):
        self.known = known
        self._session = Session(None)
        scratch = self._session.scratch
        self._tags = Cmac(known["mark_key"], scratch)
        self._chain = Cmac(known["chain_key"], scratch)
        self._sealing = Siv(SealingKey([(known["sealing_state"], _DAY, _DAY)]).key(), scratch)
        self._lookup = PassKey(known["lookup_key"], scratch)
        self._tap = Cmac(known["tap_key"], scratch)
        self._pass_key = PassKey(bytes(16), scratch)
        self._select = SelectApplication(known["aid"])
        self._tap_input = bytearray(card_key_input("tap", bytes(16), known["aid"]))
        self._debit = Debit(1, 0)
        self._value = GetValue(1)
        self._reader_id = CommitReaderID(bytes(16))

    def tap(self, transmit, random):
        """As `Plain.tap`."""
        known = self.known
        session = self._session
        session.meet(transmit)
        session.run(self._select)
        authenticate_first(session, LOOKUP_KEY, self._lookup, random, FILE_MODES)
        handle = session.run(_PASS)[3:19]
        tmc, _ = parse_transaction_mac(session.run(_TMAC))
        key = self._pass_key
        self._tap_input[:16] = handle
        key.rekey(diversify(self._tap, self._tap_input))
        authenticate_first(session, TAP_KEY, key, random, FILE_MODES)
        purse, amount = known["move"][0], int.from_bytes(known["move"][1:], "little")
        session.run(self._debit.of(purse, amount))
        clear = known["clear"]
        enc_tmri = session.run(self._reader_id.of(reader_id(clear)))
        marks = self._marked(b"moment", handle, tmc) + self._marked(b"pass", handle, read_uint(clear, 6, 4))
        proof = Proof(handle, tmc + 1, bytes(8), enc_tmri)
        seal(self._sealing, clear, proof)
        proof.tmc, proof.tmv = session.run(_COMMIT)
        sealed = seal(self._sealing, clear, proof)
        mac = chain_mac(self._chain, known["position"], known["previous_mac"], COMMITTED, clear, sealed)
        marks += self._marked(b"moment", handle, proof.tmc)
        session.run(self._value.of(purse))
        session.forget()
        return marks + mac

    def _marked(self, what, handle, number):
        message = self._tags.start()
        message.write(what)
        message.write(handle)
        self._tags.scratch.put(number, 4)
        return bytes(self._tags.of_message(0, message.tell()))


class Replay:
    """The pass of the recording, and the random numbers that the terminal drew."""

    def __init__(self, recording):
        self.exchanges = [(binascii.unhexlify(sent), binascii.unhexlify(got)) for sent, got in recording["exchanges"]]
        self.drawn = [binascii.unhexlify(text) for text in recording["random"]]

    def rewind(self):
        self._at = 0
        self._drawn = 0

    def transmit(self, apdu):
        sent, answer = self.exchanges[self._at]
        if sent != apdu:
            raise ValueError("exchange %d is not the recorded one" % self._at)
        self._at += 1
        return answer

    def random(self, count):
        self._drawn += 1
        return self.drawn[self._drawn - 1]


def main(which, path, times):
    with open(path) as file:
        recording = json.load(file)
    known = {name: binascii.unhexlify(text) for name, text in recording["known"].items()}
    known["position"] = recording["position"]
    terminal = {"card": Ours, "plain": Plain}[which](known)
    replay = Replay(recording)
    left = b""
    # What is counted is the work, not how often a heap of one size or another is tidied.
    gc.collect()
    gc.disable()
    for _ in range(int(times)):
        replay.rewind()
        left = terminal.tap(replay.transmit, replay.random)
        if left[-16:] != known["mac"]:
            raise ValueError("the entry of the tap is not the recorded one")
    print(binascii.hexlify(left).decode())


main(*sys.argv[1:])
