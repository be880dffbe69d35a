"""What a terminal or a desk hands to the backend: numbered entries in a MAC chain, sealed for the road.

Whoever carries a batch can neither read nor change it, and no entry can be left out, added or moved: each MAC
covers the one before it. All numbers little-endian.
"""

from card.cmac import Cmac, cmac, cmacs
from card.errors import BadBatch, BadMac, BadRecord
from card.record import CLEAR_BYTES, SEALED_BYTES, ClearRecord
from card.siv import OVERHEAD_BYTES, siv_decrypt, siv_encrypt
from card.wire import read_uint, same, uint

COMMITTED = 1
VOID = 2
IN_DOUBT = 3

MAC_BYTES = 16
CHALLENGE_BYTES = 16
NONCE_BYTES = 8
BODY_BYTES = 1 + CLEAR_BYTES + SEALED_BYTES
ENTRY_BYTES = BODY_BYTES + MAC_BYTES
NOT_SEALED = bytes(SEALED_BYTES)
FIRST_MAC = bytes(MAC_BYTES)

MOST_ENTRIES = 1024
_HEADER_BYTES = 30
_MAGIC = b"MB"
_VERSION = 1


def link_key(link_root, terminal):
    """The key that a terminal shares with the backend."""
    return cmac(link_root, b"meedoen link" + uint(terminal, 4))


def siv_key(key):
    """From a link key: the key that seals batches and bundles for the road."""
    return cmac(key, b"road 1") + cmac(key, b"road 2")


def chain_key(key):
    """From a link key: the key of the MAC chain over the journal."""
    return cmac(key, b"chain")


def link_keys(key):
    """Both at once: `(siv key of 32 bytes, chain key of 16 bytes)`."""
    return siv_key(key), chain_key(key)


def statement_mac(key, challenge, said):
    """From a link key: proves to the backend that this terminal said this, after the challenge was made."""
    return cmac(cmac(key, b"hello"), challenge + said)


def freshness_mac(key, nonce, sealed):
    """From a link key: proves to the terminal that a bundle was made after it chose the nonce.

    The synthetic IV at the beginning of what is sealed stands for all of it.
    """
    return cmac(cmac(key, b"fresh"), nonce + sealed[:OVERHEAD_BYTES])


def chain_mac(mac_key, position, previous_mac, outcome, clear, sealed):
    """The MAC that ties an entry to its position and to the entry before it. `mac_key`: 16 bytes, or their Cmac."""
    mac = Cmac.of(mac_key)
    message = mac.start()
    mac.scratch.put(position, 4)
    message.write(previous_mac)
    mac.scratch.put(outcome, 1)
    message.write(clear)
    message.write(sealed)
    return bytes(mac.of_message(0, message.tell()))


def entry_bytes(mac_key, position, previous_mac, outcome, clear, sealed):
    """One entry as it stands in a batch, 119 bytes; its last 16 bytes are the next entry's `previous_mac`."""
    return uint(outcome, 1) + clear + sealed + chain_mac(mac_key, position, previous_mac, outcome, clear, sealed)


def build_batch(key, terminal, first, previous_mac, entries):
    """A batch on the wire, from the link key and entries of 119 bytes that begin at position `first`."""
    header = _MAGIC + uint(_VERSION, 1) + b"\x00" + uint(terminal, 4) + uint(first, 4) + uint(len(entries), 2)
    header += previous_mac
    return header + siv_encrypt(siv_key(key), [header], b"".join(entries))


class Entry:
    """One opened entry. `clear_bytes` is what was signed, `clear` its parsed form."""

    def __init__(self, position, outcome, clear, clear_bytes, sealed, mac):
        self.position = position
        self.outcome = outcome
        self.clear = clear
        self.clear_bytes = clear_bytes
        self.sealed = sealed
        self.mac = mac


class Batch:
    """An opened batch: entries at positions `first`, `first` + 1, ..., each MAC checked."""

    def __init__(self, terminal, first, previous_mac, entries):
        self.terminal = terminal
        self.first = first
        self.previous_mac = previous_mac
        self.entries = entries

    @property
    def last_mac(self):
        return self.entries[-1].mac


def open_batch(body, link_keys_of):
    """Checks and opens a batch; raises BadBatch with the reason.

    `link_keys_of(terminal)` gives its link keys, none for a terminal that is not ours. There are two while keys are
    being renewed: a terminal may have a new one and entries in its journal from before.
    """
    if len(body) < _HEADER_BYTES or body[:2] != _MAGIC or body[2] != _VERSION or body[3] != 0:
        raise BadBatch("format", "this is not a batch of version %d" % _VERSION)
    header = body[:_HEADER_BYTES]
    terminal = read_uint(header, 4, 4)
    first = read_uint(header, 8, 4)
    count = read_uint(header, 12, 2)
    if len(body) != _HEADER_BYTES + OVERHEAD_BYTES + count * ENTRY_BYTES:
        raise BadBatch("format", "the batch is %d bytes, which does not fit its %d entries" % (len(body), count))
    if not 1 <= count <= MOST_ENTRIES or first < 1:
        raise BadBatch("format", "a batch has 1 to %d entries from position 1 on" % MOST_ENTRIES)
    keys = link_keys_of(terminal)
    if not keys:
        raise BadBatch("terminal", "terminal %d is not known here" % terminal)
    plain = _opened(keys, header, body[_HEADER_BYTES:])
    if plain is None:
        raise BadBatch("mac", "the batch was not made, or was altered, outside terminal %d" % terminal)
    macs = [cmacs(chain_key(key)) for key in keys]
    return Batch(terminal, first, header[14:], _entries(plain, macs, terminal, first, header[14:]))


def _opened(keys, header, sealed):
    for key in keys:
        try:
            return siv_decrypt(siv_key(key), [header], sealed)
        except BadMac:
            pass
    return None


def _follows(macs, mac, message):
    for mac_of in macs:
        if same(mac, mac_of(message)):
            return True
    return False


def _entries(plain, macs, terminal, first, previous_mac):
    entries: list[Entry] = []
    for at in range(0, len(plain), ENTRY_BYTES):
        position = first + len(entries)
        part = plain[at : at + ENTRY_BYTES]
        outcome, clear = part[0], part[1 : 1 + CLEAR_BYTES]
        sealed, mac = part[1 + CLEAR_BYTES : BODY_BYTES], part[BODY_BYTES:]
        # What `chain_mac` writes, in one piece: there is memory for it here.
        if not _follows(macs, mac, uint(position, 4) + previous_mac + part[:BODY_BYTES]):
            raise BadBatch("chain", "entry %d does not follow the one before it" % position)
        try:
            record = ClearRecord.from_bytes(clear)
        except BadRecord as error:
            raise BadBatch("record", "entry %d: %s" % (position, error))
        if outcome not in (COMMITTED, VOID, IN_DOUBT) or record.terminal != terminal:
            raise BadBatch("record", "entry %d is not a record of terminal %d" % (position, terminal))
        entries.append(Entry(position, outcome, record, clear, sealed, mac))
        previous_mac = mac
    return entries
