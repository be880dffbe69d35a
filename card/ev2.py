"""EV2 authentication and secure messaging (NT4H2421Gx section 9.1; AN12343; AN12196).

A message is protected, and opened, where it stands in the scratch of the session: from FRONT up to its position.
"""

from card.aes import BLOCK, PADDING, ZERO_BLOCK, cbc_decrypt, cbc_encrypt, decryption, encryption
from card.bytewise import odd_bytes, same, xor_into
from card.cmac import Cmac
from card.commands import FILE, FULL, MAC, PLAIN
from card.errors import BadAnswer, BadMac
from card.session import FRONT, MORE, OK
from card.wire import put_uint

_FIRST = 0x71
_NON_FIRST = 0x77
_STATUS_BYTES = 2
_MAC_BYTES = 8


class PassKey:
    """A key that passes are authenticated with, scheduled once. `scratch` must be that of the sessions."""

    def __init__(self, key, scratch):
        self.mac = Cmac(key, scratch)
        self.decipher = decryption(key)

    @classmethod
    def of(cls, key, scratch):
        """Of 16 bytes; or the PassKey itself, that somebody made of them once and kept."""
        return key if isinstance(key, cls) else cls(key, scratch)

    def rekey(self, key):
        """Go on with another key, in the same memory."""
        self.mac.rekey(key)
        self.decipher = decryption(key)


def authenticate_first(session, key_no, key, random, file_modes):
    """Open a new secure channel; drops whatever session and transaction there was.

    `key`: 16 bytes, or their PassKey. `random(n)` gives n random bytes. `file_modes`: protection of each file by number
    (PLAIN, MAC, FULL); a file that is not named travels in full. Raises NotAuthenticated when the pass does not know
    the key, BadMac when the other side does not.
    """
    session.channel = None
    channel = session.kept_channel or Channel(session.scratch)
    _authenticate(session, _FIRST, key_no, b"\x00", key, random, channel)
    channel.begin(0, file_modes)
    session.channel = session.kept_channel = channel


def authenticate_non_first(session, key_no, key, random):
    """Another key within the open channel: identifier, counter and pending transaction go on."""
    channel, session.channel = session.channel, None
    _authenticate(session, _NON_FIRST, key_no, b"", key, random, channel)
    session.channel = channel


def _authenticate(session, ins, key_no, capabilities, key, random, channel):
    """Give the channel its keys; the first time, when there are capabilities to tell, also the pass's identifier."""
    scratch = session.scratch
    message = scratch.message
    key = PassKey.of(key, scratch)
    message.seek(FRONT)
    scratch.put(key_no, 1)
    message.write(capabilities)
    answer = session.ask(ins)
    if answer[-1] != MORE or len(answer) != BLOCK + _STATUS_BYTES:
        raise BadAnswer("the pass did not answer with a challenge")
    rnd_a, rnd_b = random(BLOCK), channel.rnd_b
    message.seek(FRONT)
    message.readinto(scratch.spare)
    key.decipher.decrypt(scratch.spare, rnd_b)
    _rotate(message, rnd_b, scratch.spare)
    message.seek(FRONT)
    message.write(rnd_a)
    message.write(scratch.spare)
    xor_into(scratch.state, scratch.state)
    cbc_encrypt(key.mac.cipher, scratch, FRONT, 2)
    answer = session.ask(MORE)
    if answer[-1] != OK:
        raise BadAnswer("the authentication did not end")
    blocks = 2 if capabilities else 1
    if len(answer) != blocks * BLOCK + _STATUS_BYTES:
        raise BadAnswer("EV2 authentication: %d bytes, wanted %d" % (len(answer) - _STATUS_BYTES, blocks * BLOCK))
    xor_into(scratch.state, scratch.state)
    cbc_decrypt(key.decipher, scratch, FRONT, blocks)
    message.seek(FRONT)
    if capabilities:
        message.readinto(channel.ti)
    message.readinto(scratch.mac)
    _rotate(message, rnd_a, scratch.spare)
    if not same(scratch.mac, scratch.spare):
        raise BadMac("the pass does not know the key that it was asked for")
    channel.take_keys(key.mac, rnd_a)


def _rotate(message, number, rotated):
    """Put the number, rotated to the left by one byte, into `rotated`."""
    message.seek(0)
    message.write(number)
    message.write(number)
    message.seek(1)
    message.readinto(rotated)


def _labelled(mac, message, label):
    message.seek(0)
    message.write(label)
    return mac.of_message(0, 2 * BLOCK)


class Counting:
    """Plain in a session: nothing is added, the channel still counts."""

    def command(self, channel, command, data_at):
        """Protect what stands from `data_at` on; the header of the command stands before it."""

    def answer(self, channel):
        """Open what stands from FRONT on, or raise BadMac or BadAnswer."""


class Enciphering(Counting):
    """Data travel encrypted; the header stays readable."""

    def command(self, channel, command, data_at):
        message = channel.scratch.message
        length = message.tell() - data_at
        if not length:
            return
        message.write(PADDING)
        channel.begin_cbc(0xA5, 0x5A)
        cbc_encrypt(channel.cipher, channel.scratch, data_at, length // BLOCK + 1)

    def answer(self, channel):
        scratch = channel.scratch
        message = scratch.message
        end = message.tell()
        length = end - FRONT
        if not length:
            return
        if length % BLOCK:
            raise BadAnswer("encrypted answer of %d bytes" % length)
        channel.begin_cbc(0x5A, 0xA5)
        cbc_decrypt(channel.decipher, scratch, FRONT, length // BLOCK)
        message.seek(end - BLOCK)
        message.readinto(scratch.mac)
        message.seek(end - BLOCK + _padding_at(scratch.mac))


def _padding_at(last):
    """Where the padding begins in the last block."""
    at = BLOCK - 1
    while at >= 0 and last[at] == 0:
        at -= 1
    if at < 0 or last[at] != 0x80:
        raise BadAnswer("encrypted answer without its padding")
    return at


class Authenticating(Counting):
    """A MAC over command, counter and transaction identifier ends each message."""

    def command(self, channel, command, data_at):
        channel.scratch.message.write(channel.short_mac(command.INS))

    def answer(self, channel):
        message, given = channel.scratch.message, channel.given
        end = message.tell() - _MAC_BYTES
        if end < FRONT:
            raise BadMac("the answer carries no MAC")
        message.seek(end)
        message.readinto(given)
        message.seek(end)
        if not same(given, channel.short_mac(0)):
            raise BadMac("the answer is not this pass's, or was altered")


# How a command is protected: from the first to the last, and an answer opened from the last to the first.
_STACKS = {PLAIN: (Counting(),), MAC: (Authenticating(),), FULL: (Enciphering(), Authenticating())}


class Channel:
    """A secure channel: keys, transaction identifier and command counter. It is reopened in the same memory."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.enc_key = bytearray(BLOCK)
        self.mac_key = bytearray(BLOCK)
        self.mac = Cmac(self.mac_key, scratch)
        self.ti = bytearray(4)
        self.rnd_b = bytearray(BLOCK)
        self.given = bytearray(_MAC_BYTES)
        self._short = bytearray(_MAC_BYTES)
        # Command or status, counter, identifier: what a MAC covers in front of a message.
        self._covered = bytearray(FRONT)
        # Label, identifier, counter: what an IV is the encryption of.
        self._iv = bytearray(BLOCK)

    def take_keys(self, mac, rnd_a):
        """NT4H2421Gx section 9.1.7: from both numbers, label, A[0:2], A[2:8] ^ B[0:6], B[6:16], A[8:16]."""
        message, rnd_b = self.scratch.message, self.rnd_b
        for at in range(6):
            rnd_b[at] ^= rnd_a[at + 2]
        # A at 6 and at 16, and B over the middle of both.
        message.seek(16)
        message.write(rnd_a)
        message.seek(6)
        message.write(rnd_a)
        message.seek(8)
        message.write(rnd_b)
        self.enc_key[:] = _labelled(mac, message, b"\xa5\x5a\x00\x01\x00\x80")
        self.mac_key[:] = _labelled(mac, message, b"\x5a\xa5\x00\x01\x00\x80")
        self.open()

    def open(self):
        """Schedule the keys."""
        self.cipher = encryption(self.enc_key)
        self._decipher = None
        self.mac.rekey(self.mac_key)

    def wipe(self):
        """Forget the keys."""
        self.cipher = self._decipher = None
        self.enc_key[:] = self.mac_key[:] = self.rnd_b[:] = ZERO_BLOCK
        self.mac.wipe()

    def begin(self, counter, file_modes):
        """Count from here, under the identifier that the pass gave."""
        self.file_modes = file_modes
        self._covered[3:] = self.ti
        self._iv[2:6] = self.ti
        self.count(counter)

    def count(self, counter):
        """The counter stands at this from now on. It ends at FFFF, on the pass as well: put_uint refuses 10000."""
        self.counter = counter
        put_uint(self._covered, 1, counter, 2)
        self._iv[6] = self._covered[1]
        self._iv[7] = self._covered[2]

    @property
    def decipher(self):
        """Made when a first encrypted answer comes: a session may well have none."""
        if self._decipher is None:
            self._decipher = decryption(self.enc_key)
        return self._decipher

    def wrap(self, command):
        """Put header and data into the scratch, as they go into the frame."""
        message = self.scratch.message
        message.seek(FRONT)
        message.write(command.header)
        data_at = message.tell()
        message.write(command.data)
        for processor in self._stack(command):
            processor.command(self, command, data_at)

    def unwrap(self, command):
        """Open the answer in the scratch; the counter stands one higher than for the command."""
        self.count(self.counter + 1)
        stack = self._stack(command)
        for at in range(len(stack) - 1, -1, -1):
            stack[at].answer(self)

    def begin_cbc(self, label, label_after):
        """The IV of a command or an answer, into the state of the scratch (NT4H2421Gx section 9.1.4)."""
        self._iv[0] = label
        self._iv[1] = label_after
        self.cipher.encrypt(self._iv, self.scratch.state)

    def short_mac(self, first):
        """The 8 bytes that DESFire sends of the MAC of the message in the scratch, which begins with command or status.

        The position stays at the end of the message.
        """
        message, short = self.scratch.message, self._short
        end = message.tell()
        self._covered[0] = first
        message.seek(0)
        message.write(self._covered)
        message.seek(end)
        odd_bytes(self.mac.of_message(0, end), short)
        message.seek(end)
        return short

    def _stack(self, command):
        if command.protection == FILE:
            return _STACKS[self.file_modes.get(command.header[0], FULL)]
        return _STACKS[command.protection]
