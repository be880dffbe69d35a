"""EV2 authentication and secure messaging (NT4H2421Gx section 9.1; AN12343; AN12196)."""

from card.aes import BLOCK, ZERO_BLOCK, Ecb, cbc_decrypt, cbc_encrypt
from card.cmac import Cmac, pad
from card.commands import FILE, FULL, MAC, PLAIN
from card.errors import BadAnswer, BadMac
from card.session import MORE, OK
from card.wire import same, uint, xor

_FIRST = 0x71
_NON_FIRST = 0x77
_MAC_BYTES = 8


def authenticate_first(session, key_no, key, random, file_modes):
    """Open a new secure channel; drops whatever session and transaction there was.

    `random(n)` gives n random bytes. `file_modes`: protection of each file by number (PLAIN, MAC, FULL); a file that
    is not named travels in full. Raises NotAuthenticated when the pass does not know the key, BadMac when the
    other side does not.
    """
    rnd_a, rnd_b, answer = _challenge(session, _FIRST, uint(key_no, 1) + b"\x00", key, random)
    if len(answer) != 2 * BLOCK:
        raise BadAnswer("EV2First: %d bytes, wanted 32" % len(answer))
    plain = cbc_decrypt(key, ZERO_BLOCK, answer)
    if not same(plain[4:20], _rotated(rnd_a)):
        raise BadMac("the pass does not know the key that it was asked for")
    session.channel = Channel(session_keys(key, rnd_a, rnd_b), plain[:4], 0, file_modes)


def authenticate_non_first(session, key_no, key, random):
    """Another key within the open channel: identifier, counter and pending transaction go on."""
    before = session.channel
    rnd_a, rnd_b, answer = _challenge(session, _NON_FIRST, uint(key_no, 1), key, random)
    if len(answer) != BLOCK:
        raise BadAnswer("EV2NonFirst: %d bytes, wanted 16" % len(answer))
    if not same(cbc_decrypt(key, ZERO_BLOCK, answer), _rotated(rnd_a)):
        raise BadMac("the pass does not know the key that it was asked for")
    session.channel = Channel(session_keys(key, rnd_a, rnd_b), before.ti, before.counter, before.file_modes)


def _challenge(session, ins, parameters, key, random):
    session.channel = None
    status, enc_rnd_b = session.exchange(ins, parameters)
    if status != MORE or len(enc_rnd_b) != BLOCK:
        raise BadAnswer("the pass did not answer with a challenge")
    rnd_b = cbc_decrypt(key, ZERO_BLOCK, enc_rnd_b)
    rnd_a = random(BLOCK)
    status, answer = session.exchange(MORE, cbc_encrypt(key, ZERO_BLOCK, rnd_a + _rotated(rnd_b)))
    if status != OK:
        raise BadAnswer("the authentication did not end")
    return rnd_a, rnd_b, answer


def _rotated(block):
    return block[1:] + block[:1]


def session_keys(key, rnd_a, rnd_b):
    """`(encryption key, MAC key)` of a session (NT4H2421Gx section 9.1.7)."""
    context = rnd_a[:2] + xor(rnd_a[2:8], rnd_b[:6]) + rnd_b[6:] + rnd_a[8:]
    mac = Cmac(key)
    return mac.full(b"\xa5\x5a\x00\x01\x00\x80" + context), mac.full(b"\x5a\xa5\x00\x01\x00\x80" + context)


class Counting:
    """Plain in a session: nothing is added, the channel still counts."""

    def __init__(self, channel):
        self.channel = channel

    def command(self, command, data):
        return data

    def answer(self, data):
        return data


class Enciphering(Counting):
    """Data travel encrypted; the header stays readable."""

    def command(self, command, data):
        if not data:
            return data
        return cbc_encrypt(self.channel.enc_key, self._iv(b"\xa5\x5a"), pad(data))

    def answer(self, data):
        if not data:
            return data
        if len(data) % BLOCK:
            raise BadAnswer("encrypted answer of %d bytes" % len(data))
        return _unpad(cbc_decrypt(self.channel.enc_key, self._iv(b"\x5a\xa5"), data))

    def _iv(self, label):
        channel = self.channel
        return Ecb(channel.enc_key).encrypt(label + channel.ti + uint(channel.counter, 2) + bytes(8))


class Authenticating(Counting):
    """A MAC over command, counter and transaction identifier ends each message."""

    def command(self, command, data):
        channel = self.channel
        message = uint(command.INS, 1) + uint(channel.counter, 2) + channel.ti + command.header + data
        return data + channel.mac.short(message)

    def answer(self, data):
        channel = self.channel
        if len(data) < _MAC_BYTES:
            raise BadMac("the answer carries no MAC")
        body, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if not same(mac, channel.mac.short(b"\x00" + uint(channel.counter, 2) + channel.ti + body)):
            raise BadMac("the answer is not this pass's, or was altered")
        return body


class Channel:
    """An open secure channel: keys, transaction identifier, command counter, and one stack per protection."""

    def __init__(self, keys, ti, counter, file_modes):
        self.enc_key, mac_key = keys
        self.mac = Cmac(mac_key)
        self.ti = ti
        self.counter = counter
        self.file_modes = file_modes
        macs = Authenticating(self)
        self._stacks = {PLAIN: (Counting(self),), MAC: (macs,), FULL: (Enciphering(self), macs)}

    def wrap(self, command):
        """Header and data as they go into the frame."""
        data = command.data
        for processor in self._stack(command):
            data = processor.command(command, data)
        return command.header + data

    def unwrap(self, command, data):
        """The answer in clear; the counter stands one higher than for the command."""
        # At FFFF the card treats the next command as a MAC error; uint refuses 10000 before it is sent.
        self.counter += 1
        for processor in reversed(self._stack(command)):
            data = processor.answer(data)
        return data

    def _stack(self, command):
        if command.protection == FILE:
            return self._stacks[self.file_modes.get(command.header[0], FULL)]
        return self._stacks[command.protection]


def _unpad(data):
    end = len(data) - 1
    while end >= 0 and data[end] == 0:
        end -= 1
    if end < len(data) - BLOCK or end < 0 or data[end] != 0x80:
        raise BadAnswer("encrypted answer without its padding")
    return data[:end]
