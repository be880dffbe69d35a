"""The five ways to authenticate: D40, ISO, AES (EV1), EV2 first and EV2 non-first.

Each answers a challenge and, once the reader has answered it and proved to know the key, opens a session. An open
transaction goes on in it. EV2 first forgets it (MIFARE DESFire Light data sheet, transaction management): there is no
published log of that.
"""

from collections.abc import Callable

from hardware.emulated_pass.command import Call, Handshake
from hardware.emulated_pass.crypto import AES, TDEA2, TDEA3, Cipher, rotated
from hardware.emulated_pass.d40 import D40Channel, receive
from hardware.emulated_pass.ev1 import Ev1Channel
from hardware.emulated_pass.ev2 import Ev2Channel, session_keys
from hardware.emulated_pass.messaging import Answer
from hardware.emulated_pass.model import Key
from hardware.emulated_pass.powered import Powered, Session
from hardware.emulated_pass.status import AUTHENTICATION_ERROR, LENGTH_ERROR, Refused, require

CAPABILITIES = 6


def legacy(card: Powered, call: Call) -> Handshake:
    """0A: single or two-key DES, the pass enciphering only."""
    number = call.parameters[0]
    card.session = None
    key = _key(card, number, TDEA2)
    cipher, rnd_b = key.cipher(), card.random(8)

    def finish(reply: bytes) -> Answer:
        require(len(reply) == 16, LENGTH_ERROR)
        proof = receive(cipher, reply)
        rnd_a = _proved(proof, rnd_b)
        session = Cipher(TDEA2, _des_session_key(key, rnd_a, rnd_b))
        card.session = Session(number, D40Channel(session))
        return Answer(cipher.encrypt_block(rotated(rnd_a)))

    return Handshake(cipher.encrypt_block(rnd_b), finish)


def iso(card: Powered, call: Call) -> Handshake:
    """1A: DES keys of any kind, EV1 messaging afterwards."""
    return _ev1(card, call, (TDEA2, TDEA3))


def aes(card: Powered, call: Call) -> Handshake:
    """AA: AES keys, EV1 messaging afterwards."""
    return _ev1(card, call, (AES,))


def _ev1(card: Powered, call: Call, kinds: tuple[str, ...]) -> Handshake:
    number = call.parameters[0]
    card.session = None
    key = _key(card, number, *kinds)
    cipher = key.cipher()
    rnd_b = card.random(8 if key.kind == TDEA2 else 16)
    challenge = cipher.encrypt(bytes(cipher.block), rnd_b)

    def finish(reply: bytes) -> Answer:
        require(len(reply) == 2 * len(rnd_b), LENGTH_ERROR)
        # The IV chains through the whole handshake.
        rnd_a = _proved(cipher.decrypt(challenge[-cipher.block :], reply), rnd_b)
        session = Cipher(key.kind, _ev1_session_key(key, rnd_a, rnd_b))
        card.session = Session(number, Ev1Channel(session))
        return Answer(cipher.encrypt(reply[-cipher.block :], rotated(rnd_a)))

    return Handshake(challenge, finish)


def ev2_first(card: Powered, call: Call) -> Handshake:
    """71: opens a session with a new identifier (TI). The reader's capabilities are echoed, zero-filled."""
    number, length = call.parameters[0], call.parameters[1]
    require(length <= CAPABILITIES and len(call.parameters) == 2 + length, LENGTH_ERROR)
    reader_capabilities = call.parameters[2:].ljust(CAPABILITIES, b"\x00")
    card.drop()
    key = _key(card, number, AES)

    def opened(rnd_a: bytes, rnd_b: bytes) -> bytes:
        identifier = card.random(4)
        channel = Ev2Channel(*session_keys(key.value, rnd_a, rnd_b), identifier)
        card.session = Session(number, channel)
        return identifier + rotated(rnd_a) + card.picc.capabilities + reader_capabilities

    return _ev2(card, key, opened)


def ev2_non_first(card: Powered, call: Call) -> Handshake:
    """77: another key in the same session. TI, command counter and the open transaction go on."""
    number, session = call.parameters[0], card.session
    # That it is refused outside an EV2 session is stated; the status is our choice.
    if session is None or not isinstance(session.channel, Ev2Channel):
        raise Refused(AUTHENTICATION_ERROR)
    before = session.channel
    key = _key(card, number, AES)

    def opened(rnd_a: bytes, rnd_b: bytes) -> bytes:
        channel = Ev2Channel(*session_keys(key.value, rnd_a, rnd_b), before.identifier, before.counter)
        card.session = Session(number, channel)
        return rotated(rnd_a)

    return _ev2(card, key, opened)


def _ev2(card: Powered, key: Key, opened: Callable[[bytes, bytes], bytes]) -> Handshake:
    cipher, rnd_b, zero = key.cipher(), card.random(16), bytes(16)

    def finish(reply: bytes) -> Answer:
        require(len(reply) == 32, LENGTH_ERROR)
        rnd_a = _proved(cipher.decrypt(zero, reply), rnd_b)
        return Answer(cipher.encrypt(zero, opened(rnd_a, rnd_b)))

    return Handshake(cipher.encrypt(zero, rnd_b), finish)


def _key(card: Powered, number: int, *kinds: str) -> Key:
    key = card.key(number)
    require(key.kind in kinds, AUTHENTICATION_ERROR)
    return key


def _proved(proof: bytes, rnd_b: bytes) -> bytes:
    """RndA out of the reader's proof, which must end with our own challenge rotated."""
    require(proof[len(rnd_b) :] == rotated(rnd_b), AUTHENTICATION_ERROR)
    return proof[: len(rnd_b)]


def _des_session_key(key: Key, rnd_a: bytes, rnd_b: bytes) -> bytes:
    first = rnd_a[0:4] + rnd_b[0:4]
    # A key whose halves are equal (but for the parity bits, which carry the version) is single DES, and stays it.
    if all(left & 0xFE == right & 0xFE for left, right in zip(key.value[:8], key.value[8:16], strict=True)):
        return first + first
    return first + rnd_a[4:8] + rnd_b[4:8]


def _ev1_session_key(key: Key, rnd_a: bytes, rnd_b: bytes) -> bytes:
    if key.kind == TDEA2:
        return _des_session_key(key, rnd_a, rnd_b)
    first, last = rnd_a[0:4] + rnd_b[0:4], rnd_a[12:16] + rnd_b[12:16]
    middle = rnd_a[6:10] + rnd_b[6:10] if key.kind == TDEA3 else b""
    return first + middle + last
