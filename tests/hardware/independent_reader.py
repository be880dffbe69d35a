"""A small DESFire reader for testing the emulated pass: it shares no code with the pass, nor with the real reader side.

Knows no policy. It sends what a test tells it to, protects it as asked and checks every answer it gets; a wrong
answer MAC is an AssertionError. `script` fixes the reader's random numbers.
"""

import zlib
from collections.abc import Callable, Iterable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

ZERO = bytes(16)
# Commands whose answer is encrypted in full mode; all others answer with a MAC only.
ANSWERS_WITH_DATA = (0x51, 0x6C, 0xAB, 0xAD, 0xBB, 0xBD)
Reply = tuple[int, bytes]


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"{status:02X}")
        self.status = status


def cbc(key: bytes, iv: bytes, data: bytes, encrypt: bool) -> bytes:
    algorithm = AES(key) if len(iv) == 16 else TripleDES((key * 3)[:24] if len(key) == 8 else (key + key[:8])[:24])
    cipher = Cipher(algorithm, modes.CBC(iv))
    return (cipher.encryptor() if encrypt else cipher.decryptor()).update(data)


def cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def short(mac: bytes) -> bytes:
    return bytes(mac[i] for i in range(1, 16, 2))


def jam(data: bytes) -> bytes:
    return (0xFFFFFFFF - zlib.crc32(data)).to_bytes(4, "little")


def crc_a(data: bytes) -> bytes:
    crc = 0x6363
    for byte in data:
        for bit in range(8):
            carry = (crc ^ (byte >> bit)) & 1
            crc = crc >> 1 ^ (0x8408 if carry else 0)
    return crc.to_bytes(2, "little")


def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def zero_pad(data: bytes, block: int) -> bytes:
    return data + bytes(-len(data) % block)


def le(number: int, size: int) -> bytes:
    return number.to_bytes(size, "little", signed=number < 0)


def chained_cmac(key: bytes, iv: bytes, message: bytes) -> bytes:
    """CMAC with an initial value, for both block sizes (EV1 messaging)."""
    block = len(iv)
    constant = 0x87 if block == 16 else 0x1B
    subkeys, value = [], int.from_bytes(cbc(key, bytes(block), bytes(block), True), "big")
    for _ in range(2):
        value <<= 1
        if value >> 8 * block:
            value = value & ((1 << 8 * block) - 1) ^ constant
        subkeys.append(value.to_bytes(block, "big"))
    whole = bool(message) and len(message) % block == 0
    text = message if whole else zero_pad(message + b"\x80", block)
    text = text[:-block] + xor(text[-block:], subkeys[0 if whole else 1])
    return cbc(key, iv, text, True)[-block:]


class IndependentReader:
    def __init__(
        self, exchange: Callable[[bytes], bytes], script: Iterable[bytes] = (), native: bool = False, part: int = 0
    ) -> None:
        self._exchange = exchange
        self._script = list(script)
        self._native = native
        # How many parameter bytes go into one frame; 0: as many as fit.
        self._part = part or (59 if native else 250)
        self.session = ""
        self.frames: list[tuple[bytes, bytes]] = []

    # --- frames -----------------------------------------------------------------------------------------------

    def frame(self, ins: int, body: bytes = b"") -> Reply:
        """One frame; (status, data)."""
        if self._native:
            command = bytes([ins]) + body
        else:
            command = bytes([0x90, ins, 0, 0]) + (bytes([len(body)]) + body if body else b"") + b"\x00"
        answer = self._exchange(command)
        self.frames.append((command, answer))
        if self._native:
            return answer[0], answer[1:]
        assert answer[-2] == 0x91, answer.hex()
        return answer[-1], answer[:-2]

    def send(self, ins: int, body: bytes = b"") -> Reply:
        """A command in as many frames as it needs, and all frames of its answer."""
        parts = [body[i : i + self._part] for i in range(0, len(body), self._part)] or [b""]
        status, data = self.frame(ins, parts[0])
        for part in parts[1:]:
            if status != 0xAF:
                return status, data
            status, data = self.frame(0xAF, part)
        while status == 0xAF:
            status, more = self.frame(0xAF)
            data += more
        return status, data

    def random(self, length: int) -> bytes:
        return self._script.pop(0) if self._script else bytes(range(0x41, 0x41 + length))

    # --- authentication ---------------------------------------------------------------------------------------

    def ev2_first(self, number: int, key: bytes = ZERO, capabilities: bytes = b"") -> bytes:
        """Returns the plain last answer: TI, RndA', capabilities of both."""
        plain = self._ev2(0x71, bytes([number, len(capabilities)]) + capabilities, key)
        self.ti, self.counter = plain[:4], 0
        return plain

    def ev2_non_first(self, number: int, key: bytes = ZERO) -> None:
        self._ev2(0x77, bytes([number]), key)

    def _ev2(self, ins: int, body: bytes, key: bytes) -> bytes:
        rnd_b = cbc(key, ZERO, self._ok(self.frame(ins, body), 0xAF), False)
        rnd_a = self.random(16)
        plain = cbc(key, ZERO, self._ok(self.frame(0xAF, cbc(key, ZERO, rnd_a + rnd_b[1:] + rnd_b[:1], True))), False)
        assert rnd_a[1:] + rnd_a[:1] == (plain[4:20] if ins == 0x71 else plain)
        tail = rnd_a[:2] + xor(rnd_a[2:8], rnd_b[:6]) + rnd_b[6:] + rnd_a[8:]
        self.enc = cmac(key, bytes.fromhex("A55A00010080") + tail)
        self.mac = cmac(key, bytes.fromhex("5AA500010080") + tail)
        self.session = "EV2"
        return plain

    def ev1(self, number: int, key: bytes, ins: int = 0xAA) -> None:
        """AES (AA) or DES (1A) authentication with EV1 messaging."""
        block = 16 if ins == 0xAA else 8
        challenge = self._ok(self.frame(ins, bytes([number])), 0xAF)
        rnd_b = cbc(key, bytes(block), challenge, False)
        rnd_a = self.random(len(rnd_b))
        sent = cbc(key, challenge[-block:], rnd_a + rnd_b[1:] + rnd_b[:1], True)
        answer = self._ok(self.frame(0xAF, sent))
        assert cbc(key, sent[-block:], answer, False) == rnd_a[1:] + rnd_a[:1]
        if block == 16:
            self.key = rnd_a[:4] + rnd_b[:4] + rnd_a[12:] + rnd_b[12:]
        else:
            self.key = self._des_key(key, rnd_a, rnd_b)
        self.iv = bytes(block)
        self.session = "EV1"

    def d40(self, number: int, key: bytes) -> None:
        """Legacy authentication (0A): the reader deciphers what it sends."""
        rnd_b = cbc(key, bytes(8), self._ok(self.frame(0x0A, bytes([number])), 0xAF), False)
        rnd_a = self.random(8)
        sent = self._deciphered(key, rnd_a + rnd_b[1:] + rnd_b[:1])
        assert cbc(key, bytes(8), self._ok(self.frame(0xAF, sent)), False) == rnd_a[1:] + rnd_a[:1]
        self.key = self._des_key(key, rnd_a, rnd_b)
        self.session = "D40"

    @staticmethod
    def _des_key(key: bytes, a: bytes, b: bytes) -> bytes:
        if len(key) == 24:
            return a[:4] + b[:4] + a[6:10] + b[6:10] + a[12:] + b[12:]
        single = bytes(x & 0xFE for x in key[:8]) == bytes(x & 0xFE for x in key[8:])
        return (a[:4] + b[:4]) * 2 if single else a[:4] + b[:4] + a[4:] + b[4:]

    @staticmethod
    def _deciphered(key: bytes, plain: bytes) -> bytes:
        out, previous = b"", bytes(8)
        for i in range(0, len(plain), 8):
            previous = cbc(key, bytes(8), xor(plain[i : i + 8], previous), False)
            out += previous
        return out

    @staticmethod
    def _ok(reply: Reply, wanted: int = 0x00) -> bytes:
        if reply[0] != wanted:
            raise Refused(reply[0])
        return reply[1]

    # --- secure messaging -------------------------------------------------------------------------------------

    def call(self, ins: int, header: bytes = b"", data: bytes = b"", mode: str = "mac", bare: bool = False) -> bytes:
        """A command in the session that is open. `mode` "plain", "mac", "full"; `bare`: the answer has no MAC."""
        sealed = self.sealed(ins, header, data, mode)
        status, answer = self.send(ins, sealed)
        if status != 0x00:
            self.session = ""
            raise Refused(status)
        if bare:
            self.session = ""
            assert answer == b""
            return answer
        return self.opened(answer, mode if ins in ANSWERS_WITH_DATA or mode != "full" else "mac")

    def sealed(self, ins: int, header: bytes, data: bytes, mode: str, file_mac: bool = False) -> bytes:
        if self.session == "EV2":
            return self._ev2_sealed(ins, header, data, mode)
        if self.session == "EV1":
            return self._ev1_sealed(ins, header, data, mode)
        if self.session == "D40" and mode == "full" and data:
            return header + self._deciphered(self.key, zero_pad(data + crc_a(data), 8))
        if self.session == "D40" and mode == "filemac" and data:
            return header + data + cbc(self.key, bytes(8), zero_pad(data, 8), True)[-8:-4]
        return header + data

    def _ev2_sealed(self, ins: int, header: bytes, data: bytes, mode: str) -> bytes:
        counter, self.counter = self.counter, self.counter + 1
        if mode == "plain":
            return header + data
        if mode == "full" and data:
            iv = cbc(self.enc, ZERO, b"\xa5\x5a" + self.ti + le(counter, 2) + bytes(8), True)
            data = cbc(self.enc, iv, zero_pad(data + b"\x80", 16), True)
        return header + data + short(cmac(self.mac, bytes([ins]) + le(counter, 2) + self.ti + header + data))

    def _ev1_sealed(self, ins: int, header: bytes, data: bytes, mode: str) -> bytes:
        if mode == "full" and data:
            text = zero_pad(data + jam(bytes([ins]) + header + data), len(self.iv))
            sealed = cbc(self.key, self.iv, text, True)
            self.iv = sealed[-len(self.iv) :]
            return header + sealed
        self.iv = chained_cmac(self.key, self.iv, bytes([ins]) + header + data)
        return header + data + (self.iv[:8] if mode == "filemac" and data else b"")

    def opened(self, answer: bytes, mode: str) -> bytes:
        if self.session == "EV2":
            return self._ev2_opened(answer, mode)
        if self.session == "EV1":
            return self._ev1_opened(answer, mode)
        if self.session == "D40" and mode == "full" and answer:
            plain = cbc(self.key, bytes(8), answer, False)
            return next(plain[:n] for n in range(len(plain) - 1) if self._ends(plain, n, crc_a(plain[:n])))
        if self.session == "D40" and mode == "filemac" and answer:
            data, mac = answer[:-4], answer[-4:]
            assert mac == cbc(self.key, bytes(8), zero_pad(data, 8), True)[-8:-4]
            return data
        return answer

    def _ev2_opened(self, answer: bytes, mode: str) -> bytes:
        if mode == "plain":
            return answer
        data, mac = answer[:-8], answer[-8:]
        assert mac == short(cmac(self.mac, b"\x00" + le(self.counter, 2) + self.ti + data))
        if mode == "full" and data:
            iv = cbc(self.enc, ZERO, b"\x5a\xa5" + self.ti + le(self.counter, 2) + bytes(8), True)
            plain = cbc(self.enc, iv, data, False).rstrip(b"\x00")
            assert plain[-1:] == b"\x80"
            return plain[:-1]
        return data

    def _ev1_opened(self, answer: bytes, mode: str) -> bytes:
        block = len(self.iv)
        if mode == "full":
            plain = cbc(self.key, self.iv, answer, False)
            self.iv = answer[-block:]
            sizes = range(len(plain) - 3)
            return next(plain[:n] for n in sizes if self._ends(plain, n, jam(plain[:n] + b"\x00")))
        data, mac = answer[:-8], answer[-8:]
        self.iv = chained_cmac(self.key, self.iv, data + b"\x00")
        assert mac == self.iv[:8]
        return data

    @staticmethod
    def _ends(plain: bytes, size: int, crc: bytes) -> bool:
        rest = plain[size + len(crc) :].rstrip(b"\x00")
        return plain[size : size + len(crc)] == crc and rest in (b"", b"\x80")

    # --- ChangeKey --------------------------------------------------------------------------------------------

    def change_key(self, number: int, new: bytes, version: int | None, old: bytes | None = None) -> None:
        """`old` None: the key of the session itself, which ends it. `version` None for DES keys."""
        header = bytes([number])
        fields = (new if old is None else xor(new, old)) + (b"" if version is None else bytes([version]))
        if self.session == "EV2":
            self.call(0xC4, header, fields + (b"" if old is None else jam(new)), "full", bare=old is None)
            return
        crc = jam(b"\xc4" + header + fields) if self.session == "EV1" else crc_a(fields)
        more = b"" if old is None else jam(new) if self.session == "EV1" else crc_a(new)
        if self.session == "EV1":
            sealed = cbc(self.key, self.iv, zero_pad(fields + crc + more, len(self.iv)), True)
            self.iv = sealed[-len(self.iv) :]
        else:
            sealed = self._deciphered(self.key, zero_pad(fields + crc + more, 8))
        answer = self._ok(self.send(0xC4, header + sealed))
        if old is None:
            assert answer == b""
            self.session = ""
        else:
            assert self.opened(answer, "mac") == b""

    def select(self, aid: bytes) -> None:
        self.session = ""
        self._ok(self.send(0x5A, aid))
