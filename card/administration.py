"""The commands of the desk: make an application, its keys and files, and look at what is there."""

import binascii

from card.commands import FILE, FULL, Command, _Move
from card.errors import BadAnswer
from card.wire import exactly, read_uint, uint, xor

AES_KEYS = 0x80  # top bits of a key count or key number: keys of type AES


class CreateApplication(Command):
    """A new application: key settings 1, number of AES keys, ISO file id (2 bytes) and ISO DF name (1 to 16 bytes)."""

    INS = 0xCA
    _ISO_FILE_IDS = 0x20

    def __init__(self, aid, key_settings, keys, iso_file_id=b"", df_name=b""):
        self.header = exactly(aid, 3, "AID") + uint(key_settings, 1)
        self.header += uint(AES_KEYS | keys | (self._ISO_FILE_IDS if iso_file_id else 0), 1) + iso_file_id + df_name


class ChangeKeySettings(Command):
    """Replace key settings 1."""

    INS = 0x54
    protection = FULL

    def __init__(self, key_settings):
        self.data = uint(key_settings, 1)


class GetKeyVersion(Command):
    """The version byte of a key."""

    INS = 0x64

    def __init__(self, key_no):
        self.header = uint(key_no, 1)

    def parse(self, answer):
        if len(answer) != 1:
            raise BadAnswer("GetKeyVersion: %d bytes, wanted 1" % len(answer))
        return answer[0]


def key_checksum(key):
    """CRC-32 of a key as ChangeKey sends it: reflected 04C11DB7, no final inversion, LSB first (AN12343)."""
    return uint(binascii.crc32(key) & 0xFFFFFFFF ^ 0xFFFFFFFF, 4)


class ChangeKey(Command):
    """Replace a key in an EV2 session (AN12196 tables 25 and 26).

    With `old_key` another key than the session's own is changed; without, the session's own, which ends it.
    """

    INS = 0xC4
    protection = FULL

    def __init__(self, key_no, new_key, version, old_key=None):
        exactly(new_key, 16, "new key")
        self.header = uint(key_no, 1)
        if old_key is None:
            self.data = new_key + uint(version, 1)
            self.ends_session = True
        else:
            self.data = xor(new_key, old_key) + uint(version, 1) + key_checksum(new_key)


class RestoreFactoryKey(Command):
    """The session's own PICC master key becomes the factory's again: two-key triple DES of zeros. It ends the session.

    A DES key has its version in its parity bits, so none goes along.
    """

    INS = 0xC4
    protection = FULL
    ends_session = True
    _TWO_KEY_TRIPLE_DES = 0x00

    def __init__(self):
        self.header = uint(self._TWO_KEY_TRIPLE_DES, 1)
        self.data = bytes(16)


class SetConfiguration(Command):
    """A property of the card. Option 0 with bit 1 switches random identification on, for good."""

    INS = 0x5C
    protection = FULL
    PICC = 0
    RANDOM_ID = 0x02

    def __init__(self, option, data):
        self.header = uint(option, 1)
        self.data = data


class CardVersion:
    """What GetVersion tells: the hardware's major version gives the generation, `uid` is zero under random id.

    `hardware` and `software` are (major, minor), `storage` is in bytes.
    """

    # Hardware major versions (NXP type identification; real cards' logs): EV2 also as XL, EV3 in two forms.
    _GENERATIONS = {0x01: "EV1", 0x12: "EV2", 0x22: "EV2", 0x33: "EV3", 0x03: "EV3"}
    _DESFIRE = 0x01

    def __init__(self, answer):
        if len(answer) < 28:
            raise BadAnswer("GetVersion: %d bytes, wanted 28" % len(answer))
        self.generation = self._GENERATIONS.get(answer[3]) if answer[1] & 0x0F == self._DESFIRE else None
        self.hardware = answer[3], answer[4]
        self.software = answer[10], answer[11]
        # A power of two by its exponent; bit 0 says that there is a bit more.
        self.storage = 1 << (answer[5] >> 1)
        self.uid = answer[14:21]


class GetVersion(Command):
    """A CardVersion; the card sends it in three frames."""

    INS = 0x60

    def parse(self, answer):
        return CardVersion(answer)


class GetCardUID(Command):
    """The real 7-byte UID, also under random identification; needs a session, the answer is encrypted."""

    INS = 0x51
    protection = FULL

    def parse(self, answer):
        if len(answer) != 7:
            raise BadAnswer("GetCardUID: %d bytes, wanted 7" % len(answer))
        return answer


class FreeMemory(Command):
    """How many bytes are free for applications and files."""

    INS = 0x6E

    def parse(self, answer):
        if len(answer) != 3:
            raise BadAnswer("FreeMemory: %d bytes, wanted 3" % len(answer))
        return read_uint(answer, 0, 3)


class FormatPICC(Command):
    """Take every application away and give their memory back, in a session with the PICC key. All keys stay."""

    INS = 0xFC


class GetApplicationIDs(Command):
    """The AIDs on the card, each 3 bytes least significant first."""

    INS = 0x6A

    def parse(self, answer):
        if len(answer) % 3:
            raise BadAnswer("GetApplicationIDs: %d bytes, wanted threes" % len(answer))
        return [answer[at : at + 3] for at in range(0, len(answer), 3)]


class GetFileIDs(Command):
    """The file numbers of the current application."""

    INS = 0x6F

    def parse(self, answer):
        return list(answer)


class CreateStdDataFile(Command):
    """A data file of `size` bytes; writes to it take effect at once."""

    INS = 0xCD

    def __init__(self, file_no, mode, rights, size, iso_file_id=b""):
        self.header = uint(file_no, 1) + iso_file_id + uint(mode, 1) + rights + uint(size, 3)


class CreateValueFile(Command):
    """A purse between `lower` and `upper`; `limited_credit` allows reversals with less than the Credit right."""

    INS = 0xCC

    def __init__(self, file_no, mode, rights, lower, upper, value, limited_credit):
        self.header = uint(file_no, 1) + uint(mode, 1) + rights
        self.header += uint(lower, 4) + uint(upper, 4) + uint(value, 4) + uint(1 if limited_credit else 0, 1)


class CreateTransactionMACFile(Command):
    """The file that makes the card sign each commit, with the key it signs with."""

    INS = 0xCE
    protection = FULL
    _AES = b"\x02"

    def __init__(self, file_no, mode, rights, key, version):
        self.header = uint(file_no, 1) + uint(mode, 1) + rights + self._AES
        self.data = exactly(key, 16, "transaction MAC key") + uint(version, 1)


class DeleteFile(Command):
    """Take a file away, and what is in it."""

    INS = 0xDF

    def __init__(self, file_no):
        self.header = uint(file_no, 1)


class FileSettings:
    """Type, mode, rights and limits of a file. Fields that a type lacks are None."""

    STANDARD = 0
    VALUE = 2
    TRANSACTION_MAC = 5

    def __init__(self, answer):
        if len(answer) < 4:
            raise BadAnswer("GetFileSettings: %d bytes, wanted 4 or more" % len(answer))
        self.type = answer[0]
        self.mode = answer[1] & 0x03
        self.rights = answer[2:4]
        self.size = self.lower = self.upper = self.refundable = self.flags = self.key_version = None
        if self.type == self.STANDARD:
            self.size = read_uint(answer, 4, 3)
        elif self.type == self.VALUE:
            self.lower = read_uint(answer, 4, 4)
            self.upper = read_uint(answer, 8, 4)
            self.refundable = read_uint(answer, 12, 4)
            self.flags = read_uint(answer, 16, 1)
        elif self.type == self.TRANSACTION_MAC:
            self.key_version = read_uint(answer, 5, 1)


class GetFileSettings(Command):
    """A file's FileSettings."""

    INS = 0xF5

    def __init__(self, file_no):
        self.header = uint(file_no, 1)

    def parse(self, answer):
        return FileSettings(answer)


class ChangeFileSettings(Command):
    """Replace mode and rights of a file."""

    INS = 0x5F
    protection = FULL

    def __init__(self, file_no, mode, rights):
        self.header = uint(file_no, 1)
        self.data = uint(mode, 1) + rights


class WriteData(Command):
    """Write into a data file from `offset`."""

    INS = 0x3D
    protection = FILE

    def __init__(self, file_no, offset, content):
        self.header = uint(file_no, 1) + uint(offset, 3) + uint(len(content), 3)
        self.data = content


class Credit(_Move):
    """Put into a purse; the card refuses above its upper limit."""

    INS = 0x0C
