"""The commands of a tap: each is a value with its name, bytes and parser. No reader, no keys, no clock.

Those that differ from tap to tap can be made once: `of` gives the same one for another purse, in the same memory.

`header` stays readable under full protection, `data` does not. `protection` says how a command travels once a
session is open (MIFARE DESFire data sheet; NT4H2421Gx section 9.1): PLAIN, MAC, FULL, or FILE for the mode of the
file in `header[0]`.
"""

from card.errors import BadAnswer, OutOfRange
from card.wire import exactly, put_uint, read_uint, uint

PLAIN = 0
MAC = 1
FULL = 3
FILE = 4


class Command:
    """What all commands share. `ends_session`: after it the keys of the session are worth nothing."""

    INS = 0
    protection = MAC
    ends_session = False
    header = b""
    data = b""

    def parse(self, answer):
        """The answer as a value; by default there must be none."""
        if answer:
            raise BadAnswer("command %02X: %d bytes of answer, wanted none" % (self.INS, len(answer)))


class SelectApplication(Command):
    """Make one application current, AID as 3 bytes least significant first; drops session and transaction."""

    INS = 0x5A
    protection = PLAIN
    ends_session = True

    def __init__(self, aid):
        self.header = exactly(aid, 3, "AID")


class ReadData(Command):
    """`length` bytes of a data file, from `offset`."""

    INS = 0xBD
    protection = FILE

    def __init__(self, file_no, offset, length):
        self.length = length
        self.header = uint(file_no, 1) + uint(offset, 3) + uint(length, 3)

    def parse(self, answer):
        if len(answer) != self.length:
            raise BadAnswer("ReadData: %d bytes, wanted %d" % (len(answer), self.length))
        return answer


class GetValue(Command):
    """What a purse holds, in its unit. Enters the Transaction MAC, so a tap asks after its commit."""

    INS = 0x6C
    protection = FILE

    def __init__(self, file_no):
        self.header = bytearray(1)
        self.of(file_no)

    def of(self, file_no):
        """Itself, for this purse from now on."""
        put_uint(self.header, 0, file_no, 1)
        return self

    def parse(self, answer):
        if len(answer) != 4:
            raise BadAnswer("GetValue: %d bytes, wanted 4" % len(answer))
        return read_uint(answer, 0, 4)


class _Move(Command):
    """Move an amount in a value file; takes effect at the commit. The amount is signed on the card: 31 bits."""

    protection = FILE

    def __init__(self, file_no, amount):
        self.header = bytearray(1)
        self.data = bytearray(4)
        self.of(file_no, amount)

    def of(self, file_no, amount):
        """Itself, for this purse and amount from now on."""
        if amount >> 31:
            raise OutOfRange("%d does not fit in 31 bits" % amount)
        put_uint(self.header, 0, file_no, 1)
        put_uint(self.data, 0, amount, 4)
        return self


class Debit(_Move):
    """Take from a purse; the card refuses below its lower limit."""

    INS = 0xDC


class LimitedCredit(_Move):
    """Give back at most what the last committed transaction took from this purse."""

    INS = 0x1C


class CommitReaderID(Command):
    """Tell the pass who is reading; answers the previous reader id, encrypted for the vault."""

    INS = 0xC8

    def __init__(self, reader_id):
        self.of(reader_id)

    def of(self, reader_id):
        """Itself, for this reader id from now on."""
        self.header = exactly(reader_id, 16, "reader id")
        return self

    def parse(self, answer):
        if len(answer) != 16:
            raise BadAnswer("CommitReaderID: %d bytes, wanted 16" % len(answer))
        return answer


class CommitTransaction(Command):
    """Make all moves since the authentication final, all or none; answers `(TMC, TMV)`."""

    INS = 0xC7
    header = b"\x01"  # return the counter and the MAC

    def parse(self, answer):
        return parse_transaction_mac(answer)


class AbortTransaction(Command):
    """Forget all moves since the authentication."""

    INS = 0xA7


def parse_transaction_mac(content):
    """`(TMC, TMV)` from the 12 bytes that a commit returns and the transaction MAC file holds."""
    if len(content) != 12:
        raise BadAnswer("transaction MAC: %d bytes, wanted 12" % len(content))
    return read_uint(content, 0, 4), content[4:]
