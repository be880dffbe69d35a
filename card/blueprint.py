"""The application that a scheme puts on a pass, as the commands that make it."""

from card.administration import (
    CreateApplication,
    CreateStdDataFile,
    CreateTransactionMACFile,
    CreateValueFile,
    FileSettings,
)
from card.commands import FULL, MAC, Command
from card.errors import OutOfRange
from card.layout import (
    APPLICATION_KEY,
    FIRST_PURSE,
    KEYS,
    LAST_PURSE,
    LOAD_KEY,
    LOOKUP_KEY,
    PASS_FILE,
    PASS_FILE_BYTES,
    TAP_KEY,
    TMAC_FILE,
    aid_bytes,
)
from card.wire import uint

NEVER = 0x0F

# Master key changeable, settings changeable; listing, creating and every key change ask for the application key.
APPLICATION_SETTINGS = 0x09
# The same at PICC level: nobody adds or removes an application without the PICC key.
PICC_SETTINGS = 0x09


def rights(read, write, read_write, change):
    """Access rights as two bytes: wire byte 0 is Read&Write and Change, byte 1 Read and Write."""
    return uint(read_write << 4 | change, 1) + uint(read << 4 | write, 1)


PASS_FILE_RIGHTS = rights(LOOKUP_KEY, LOAD_KEY, NEVER, APPLICATION_KEY)
# On a value file the Read right also allows Debit, so the lookup key gets none; only the load key can make money.
PURSE_RIGHTS = rights(NEVER, TAP_KEY, LOAD_KEY, APPLICATION_KEY)
# Read&Write of this file steers who may send CommitReaderID.
TMAC_RIGHTS = rights(LOOKUP_KEY, NEVER, TAP_KEY, APPLICATION_KEY)


class Blueprint:
    """A municipality's application: `aid` as printed, DF name in ASCII, `purses` {file number: ceiling in its unit}."""

    def __init__(self, aid, df_name, purses):
        self.aid = aid_bytes(aid)
        self.df_name = df_name.encode()
        self.purses = purses
        if not 1 <= len(self.df_name) <= 16:
            raise OutOfRange("an ISO DF name has 1 to 16 characters")
        for number in purses:
            if not FIRST_PURSE <= number <= LAST_PURSE:
                raise OutOfRange("purse %d: a purse has a number from 1 to 14" % number)

    def create_application(self):
        return CreateApplication(self.aid, APPLICATION_SETTINGS, KEYS, b"\x10\xe1", self.df_name)

    def create_files(self, transaction_mac_key, key_version):
        """`{file number: command}` for every file of the pass, to be run in order of number."""
        files: dict[int, Command] = {
            PASS_FILE: CreateStdDataFile(PASS_FILE, FULL, PASS_FILE_RIGHTS, PASS_FILE_BYTES, b"\x01\xe1")
        }
        for number, ceiling in self.purses.items():
            files[number] = CreateValueFile(number, FULL, PURSE_RIGHTS, 0, ceiling, 0, True)
        files[TMAC_FILE] = CreateTransactionMACFile(TMAC_FILE, MAC, TMAC_RIGHTS, transaction_mac_key, key_version)
        return files

    def describes(self, number, settings):
        """Whether a file's FileSettings are those of this blueprint."""
        if number == PASS_FILE:
            wanted = FileSettings.STANDARD, FULL, PASS_FILE_RIGHTS, PASS_FILE_BYTES, None
        elif number == TMAC_FILE:
            wanted = FileSettings.TRANSACTION_MAC, MAC, TMAC_RIGHTS, None, None
        else:
            wanted = FileSettings.VALUE, FULL, PURSE_RIGHTS, None, self.purses.get(number)
        return (settings.type, settings.mode, settings.rights, settings.size, settings.upper) == wanted
