"""A recorded tap with the plainest cryptography there is (tests/plain_crypto.py): only what that tap asks for."""

import hashlib

from tests.plain_crypto import (
    ZERO,
    cbc_decrypted,
    cbc_encrypted,
    cmac,
    encrypted,
    odd_bytes,
    padded,
    session_keys,
    siv_encrypted,
)


class Plain:
    """One terminal, for one recorded tap after the other. Everything but the keys is read from the recording."""

    def __init__(self, recording):
        self.keys = recording

    def tap(self, transmit, random):
        """What the tap leaves behind: the marks that know the pass again, and the MAC of its entry."""
        keys = self.keys
        self.transmit = transmit
        self.plain(0x5A, keys["aid"])
        self.authenticate(2, keys["lookup_key"], random)
        found = self.full(0xBD, b"\x00\x00\x00\x00\x20\x00\x00", b"")
        handle = found[3:19]
        tmc = int.from_bytes(self.maced(0xBD, b"\x0f\x00\x00\x00\x0c\x00\x00")[:4], "little")
        message = b"\x01" + handle + keys["aid"] + b"MEEDOEN TAP"
        self.authenticate(3, cmac(keys["tap_key"], message), random)
        self.full(0xDC, keys["move"][:1], keys["move"][1:])
        clear = keys["clear"]
        enc_tmri = self.maced(0xC8, clear[2:10] + hashlib.sha256(clear).digest()[:8])
        marks = self.marked(b"moment", handle, tmc) + self.marked(
            b"pass", handle, int.from_bytes(clear[6:10], "little")
        )
        self.sealed(handle, tmc + 1, bytes(8), enc_tmri)
        answer = self.maced(0xC7, b"\x01")
        sealed = self.sealed(handle, int.from_bytes(answer[:4], "little"), answer[4:], enc_tmri)
        entry = keys["position"].to_bytes(4, "little") + keys["previous_mac"] + b"\x01" + clear + sealed
        mac = cmac(keys["chain_key"], entry)
        marks += self.marked(b"moment", handle, tmc + 1)
        self.full(0x6C, keys["move"][:1], b"")
        return marks + mac

    def marked(self, what, handle, number):
        return cmac(self.keys["mark_key"], what + handle + number.to_bytes(4, "little"))

    def sealed(self, handle, tmc, tmv, enc_tmri):
        state = self.keys["sealing_state"]
        key = cmac(state, b"seal 1") + cmac(state, b"seal 2")
        return siv_encrypted(key, [self.keys["clear"]], handle + tmc.to_bytes(4, "little") + tmv + enc_tmri)

    def plain(self, ins, parameters):
        length = bytes([len(parameters)]) if parameters else b""
        return self.transmit(bytes([0x90, ins, 0, 0]) + length + parameters + b"\x00")[:-2]

    def authenticate(self, key_no, key, random):
        rnd_b = cbc_decrypted(key, ZERO, self.plain(0x71, bytes([key_no, 0])))
        rnd_a = random(16)
        answer = self.plain(0xAF, cbc_encrypted(key, ZERO, rnd_a + rnd_b[1:] + rnd_b[:1]))
        answer = cbc_decrypted(key, ZERO, answer)
        if answer[4:20] != rnd_a[1:] + rnd_a[:1]:
            raise ValueError("another pass than the recorded one")
        self.enc_key, self.mac_key = session_keys(key, rnd_a, rnd_b)
        self.ti = answer[:4]
        self.counter = 0

    def counted(self):
        return self.counter.to_bytes(2, "little") + self.ti

    def odd(self, message):
        return odd_bytes(cmac(self.mac_key, message))

    def maced(self, ins, parameters):
        answer = self.plain(ins, parameters + self.odd(bytes([ins]) + self.counted() + parameters))
        self.counter += 1
        if answer[-8:] != self.odd(b"\x00" + self.counted() + answer[:-8]):
            raise ValueError("an answer without its MAC")
        return answer[:-8]

    def full(self, ins, header, data):
        if data:
            data = cbc_encrypted(self.enc_key, self.iv(b"\xa5\x5a"), padded(data))
        answer = self.maced(ins, header + data)
        if answer:
            answer = cbc_decrypted(self.enc_key, self.iv(b"\x5a\xa5"), answer)
        return answer

    def iv(self, label):
        return encrypted(self.enc_key, label + self.ti + self.counter.to_bytes(2, "little") + bytes(8))
