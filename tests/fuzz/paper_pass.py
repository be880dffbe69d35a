"""A pass that knows its keys and may say anything: in the right form, under a right MAC, or not at all. Both Pythons.

It is no card to test against (that is hardware/emulated_pass): it is an adversary, and small enough for MicroPython.
"""

import sys

from card.diversify import diversify
from card.layout import PASS_FILE, TMAC_FILE, PassFile, card_key_input
from terminal.firmware.errors import PassGone, ReaderError
from tests.plain_crypto import ZERO, cbc_decrypted, cbc_encrypted, cmac, odd_bytes, padded, session_keys

_MORE, _OK = 0xAF, 0x00
_LOOKUP_KEY, _TAP_KEY = 2, 3
_TI = b"\x01\x02\x03\x04"
# More than a small heap has: no reader on a small board can hand over as much.
_LONG = 65536 if sys.implementation.name == "cpython" else 2048

HONEST = 0
PLAIN, MACED, FULL = 0, 1, 2


class PaperPass:
    """`purses` {number: amount}. `draw` chooses what becomes of each answer; None is a pass that is honest."""

    def __init__(self, kit, handle, valid, purses):
        self._aid = kit.aid
        self._keys = {
            _LOOKUP_KEY: kit.lookup_key,
            _TAP_KEY: diversify(kit.tap_key, card_key_input("tap", handle, kit.aid)),
        }
        self.file = PassFile(kit.issuer, handle, valid[0], valid[1], 1, 0).to_bytes()
        self.purses = purses
        self.tmc, self._tmv = 3, bytes(8)
        self._took = {}
        self.draw = None
        self.leave()

    def leave(self):
        """Out of the field: session and transaction are gone."""
        self._mac = None
        self._pending = {}
        self._handshake = None
        self._endless = False

    def transmit(self, apdu):
        """The answer to one wrapped command."""
        length = apdu[4] if len(apdu) > 5 else 0
        ins, body = apdu[1], apdu[5 : 5 + length]
        how, draw = HONEST, self.draw
        if draw is not None:
            how = draw.below(24)
        if self._endless:
            return draw.piece() + b"\x91\xaf"
        if how == 12:
            self.leave()
            raise PassGone("the pass left")
        if how == 13:
            raise ReaderError("the reader does not answer")
        answer = self._answer(ins, body, how)
        return answer if how == HONEST else self._spoilt(how, answer)

    def _spoilt(self, how, answer):
        draw = self.draw
        if how == 1:
            return draw.piece()
        if how == 2:
            return draw.piece() + b"\x91\x00"
        if how == 3:
            return answer[:-1] + draw.exactly(1)
        if how == 4:
            at = draw.below(len(answer))
            return answer[:at] + bytes([answer[at] ^ (draw.byte() or 1)]) + answer[at + 1 :]
        if how == 5:
            return answer[: draw.below(len(answer))]
        if how == 6:
            return draw.piece() + answer
        if how == 7:
            self._endless = True
            return answer[:-2] + b"\x91\xaf"
        if how == 8:
            return bytes(_LONG) + b"\x91\x00"
        if how == 9:
            return answer[:-2] + b"\x91\xaf"
        if how == 14:
            self.leave()
            raise PassGone("the pass left after it did as it was told")
        return answer

    def _answer(self, ins, body, how):
        if ins == 0x5A:
            self.leave()
            return self._plain(b"") if body == self._aid else b"\x91\xa0"
        if ins == 0x71:
            return self._challenge(body)
        if ins == _MORE:
            return self._prove(body)
        if self._mac is None:
            return b"\x91\xae"
        self._counter += 1
        mac = self._mac
        return self._close(mac, *self._run(ins, body), how=how)

    def _plain(self, data):
        return data + b"\x91\x00"

    def _challenge(self, body):
        self._mac = None
        self._pending = {}
        key = self._keys.get(body[0]) if body else None
        if key is None:
            return b"\x91\x40"
        self._handshake = key, bytes(range(16))
        return cbc_encrypted(key, ZERO, self._handshake[1]) + b"\x91\xaf"

    def _prove(self, body):
        if self._handshake is None or len(body) != 32:
            return b"\x91\xca"
        key, rnd_b = self._handshake
        self._handshake = None
        plain = cbc_decrypted(key, ZERO, body)
        if plain[16:] != rnd_b[1:] + rnd_b[:1]:
            return b"\x91\xae"
        rnd_a = plain[:16]
        self._enc_key, mac_key = session_keys(key, rnd_a, rnd_b)
        self._mac = mac_key
        self._counter = 0
        return self._plain(cbc_encrypted(key, ZERO, _TI + rnd_a[1:] + rnd_a[:1] + bytes(12)))

    def _run(self, ins, body):
        """`(status, data, protection)` of a command in a session; takes MACs of commands for granted."""
        if ins == 0xBD:
            if body[0] == PASS_FILE:
                return _OK, self.file, FULL
            return (_OK, self._transaction_mac(), MACED) if body[0] == TMAC_FILE else (0xF0, b"", PLAIN)
        if ins in (0xDC, 0x1C):
            return self._move(body[0], self._opened(body[1:17]), ins == 0xDC)
        if ins == 0x6C:
            held = self.purses.get(body[0])
            return (0xF0, b"", PLAIN) if held is None else (_OK, held.to_bytes(4, "little"), FULL)
        if ins == 0xC8:
            return _OK, bytes(16), MACED
        if ins == 0xC7:
            self._commit()
            return _OK, self._transaction_mac(), MACED
        return 0x1C, b"", PLAIN

    def _transaction_mac(self):
        return self.tmc.to_bytes(4, "little") + self._tmv

    def _opened(self, sealed):
        # The command that is being answered was sent under the counter before.
        plain = cbc_decrypted(self._enc_key, self._iv(b"\xa5\x5a", self._counter - 1), sealed)
        return int.from_bytes(plain[:4], "little")

    def _move(self, purse, amount, debit):
        held = self.purses.get(purse)
        if held is None:
            return 0xF0, b"", PLAIN
        most = held if debit else self._took.get(purse, 0)
        if amount > most:
            self._pending = {}
            self._mac = None
            return 0xBE, b"", PLAIN
        self._pending[purse] = -amount if debit else amount
        return _OK, b"", MACED

    def _commit(self):
        for purse, amount in self._pending.items():
            self.purses[purse] += amount
        self._took = {purse: -amount for purse, amount in self._pending.items() if amount < 0}
        self._pending = {}
        self.tmc += 1
        self._tmv = bytes([self.tmc & 0xFF]) * 8

    def _close(self, mac, status, data, protection, how):
        """The answer under its MAC; a fuzzer may put anything under that."""
        if how == 10:
            status, data = _OK, self.draw.piece()
        elif how == 11 and data:
            at = self.draw.below(len(data))
            data = data[:at] + self.draw.piece() + data[at:]
            data = data[: max(len(self.file), at)] if self.draw.below(2) else data
        elif how == 15 and data:
            at = self.draw.below(len(data))
            data = data[:at] + self.draw.exactly(1) + data[at + 1 :]
        elif how == 16:
            status = self.draw.byte()
        if status != _OK:
            return bytes([0x91, status])
        if protection == FULL and data:
            data = data + bytes(-len(data) % 16) if how == 17 else padded(data)
            data = cbc_encrypted(self._enc_key, self._iv(b"\x5a\xa5", self._counter), data)
        head = b"\x00" + self._counter.to_bytes(2, "little") + _TI
        return self._plain(data + odd_bytes(cmac(mac, head + data)))

    def _iv(self, label, counter):
        return cbc_encrypted(self._enc_key, ZERO, label + _TI + counter.to_bytes(2, "little") + bytes(8))
