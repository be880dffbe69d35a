"""Every command this pass knows, one line each. Where to look first, and where to add one.

`exactly(n)` and `from_to(a, b)` count all parameters together, unprotected.
"""

from hardware.emulated_pass import (
    authentication,
    data_commands,
    file_commands,
    key_commands,
    picc_commands,
    transaction_commands,
)
from hardware.emulated_pass import value_commands as values
from hardware.emulated_pass.access import changing, full_control, reading, reading_or_writing, writing
from hardware.emulated_pass.command import Command
from hardware.emulated_pass.messaging import Guard

NONE, MAC, FULL, KEY, FILE, CHANGE = Guard.NONE, Guard.MAC, Guard.FULL, Guard.KEY, Guard.FILE, Guard.CHANGE

# No command is longer than the whole memory; what a file can take is checked against the file.
LONGEST = 8192 + 7


def exactly(length: int) -> range:
    return range(length, length + 1)


def from_to(shortest: int, longest: int) -> range:
    return range(shortest, longest + 1)


COMMANDS = (
    # Authentication
    Command(0x0A, "AuthenticateD40", authentication.legacy, NONE, exactly(1)),
    Command(0x1A, "AuthenticateISO", authentication.iso, NONE, exactly(1)),
    Command(0xAA, "AuthenticateAES", authentication.aes, NONE, exactly(1)),
    Command(0x71, "AuthenticateEV2First", authentication.ev2_first, NONE, from_to(2, 8), since="EV2"),
    Command(0x77, "AuthenticateEV2NonFirst", authentication.ev2_non_first, NONE, exactly(1), since="EV2"),
    # The chip and its applications
    Command(0x5A, "SelectApplication", picc_commands.select_application, NONE, exactly(3)),
    Command(0xCA, "CreateApplication", picc_commands.create_application, MAC, from_to(5, 23)),
    Command(0xDA, "DeleteApplication", picc_commands.delete_application, MAC, exactly(3)),
    Command(0x6A, "GetApplicationIDs", picc_commands.get_application_ids, MAC, exactly(0)),
    Command(0x6D, "GetDFNames", picc_commands.get_df_names, MAC, exactly(0)),
    Command(0xFC, "FormatPICC", picc_commands.format_picc, MAC, exactly(0)),
    Command(0x60, "GetVersion", picc_commands.get_version, MAC, exactly(0)),
    Command(0x51, "GetCardUID", picc_commands.get_card_uid, FULL, exactly(0)),
    Command(0x6E, "FreeMemory", picc_commands.free_memory, MAC, exactly(0)),
    Command(0x5C, "SetConfiguration", picc_commands.set_configuration, FULL, from_to(2, 33), clear=1),
    # Keys
    Command(0x45, "GetKeySettings", key_commands.get_key_settings, MAC, exactly(0)),
    Command(0x54, "ChangeKeySettings", key_commands.change_key_settings, FULL, exactly(1)),
    Command(0x64, "GetKeyVersion", key_commands.get_key_version, MAC, exactly(1)),
    Command(0xC4, "ChangeKey", key_commands.change_key, KEY, from_to(17, 49), clear=1),
    # Files
    Command(0x6F, "GetFileIDs", file_commands.get_file_ids, MAC, exactly(0)),
    Command(0x61, "GetISOFileIDs", file_commands.get_iso_file_ids, MAC, exactly(0)),
    Command(0xF5, "GetFileSettings", file_commands.get_file_settings, MAC, exactly(1)),
    Command(
        0x5F, "ChangeFileSettings", file_commands.change_file_settings, CHANGE, from_to(4, 8), clear=1, needs=changing
    ),
    Command(0xCD, "CreateStdDataFile", file_commands.create_standard_file, MAC, from_to(7, 9)),
    Command(0xCB, "CreateBackupDataFile", file_commands.create_backup_file, MAC, from_to(7, 9)),
    Command(0xCC, "CreateValueFile", file_commands.create_value_file, MAC, exactly(17)),
    Command(0xC1, "CreateLinearRecordFile", file_commands.create_linear_file, MAC, from_to(10, 12)),
    Command(0xC0, "CreateCyclicRecordFile", file_commands.create_cyclic_file, MAC, from_to(10, 12)),
    Command(
        0xCE,
        "CreateTransactionMACFile",
        file_commands.create_transaction_mac_file,
        FULL,
        exactly(22),
        clear=5,
        since="EV2",
    ),
    Command(0xDF, "DeleteFile", file_commands.delete_file, MAC, exactly(1)),
    # Data, with the twins that use ISO chaining
    Command(0xBD, "ReadData", data_commands.read_data, FILE, exactly(7), clear=7, needs=reading),
    Command(
        0xAD, "ReadData ISO", data_commands.read_data, FILE, exactly(7), clear=7, since="EV2", needs=reading, whole=True
    ),
    Command(
        0x3D, "WriteData", data_commands.write_data, FILE, from_to(7, LONGEST), clear=7, needs=writing, chained=True
    ),
    Command(
        0x8D,
        "WriteData ISO",
        data_commands.write_data,
        FILE,
        from_to(7, LONGEST),
        clear=7,
        since="EV2",
        needs=writing,
        whole=True,
    ),
    # Records
    Command(
        0x3B, "WriteRecord", data_commands.write_record, FILE, from_to(7, LONGEST), clear=7, needs=writing, chained=True
    ),
    Command(
        0x8B,
        "WriteRecord ISO",
        data_commands.write_record,
        FILE,
        from_to(7, LONGEST),
        clear=7,
        since="EV2",
        needs=writing,
        whole=True,
    ),
    Command(0xBB, "ReadRecords", data_commands.read_records, FILE, exactly(7), clear=7, needs=reading),
    Command(
        0xAB,
        "ReadRecords ISO",
        data_commands.read_records,
        FILE,
        exactly(7),
        clear=7,
        since="EV2",
        needs=reading,
        whole=True,
    ),
    Command(0xEB, "ClearRecordFile", data_commands.clear_record_file, MAC, exactly(1), needs=full_control),
    # Values
    Command(0x6C, "GetValue", values.get_value, FILE, exactly(1), clear=1, needs=reading_or_writing),
    Command(0x0C, "Credit", values.credit, FILE, exactly(5), clear=1, needs=full_control),
    Command(0xDC, "Debit", values.debit, FILE, exactly(5), clear=1, needs=reading_or_writing),
    Command(0x1C, "LimitedCredit", values.limited_credit, FILE, exactly(5), clear=1, needs=writing),
    # Transactions
    Command(0xC7, "CommitTransaction", transaction_commands.commit_transaction, MAC, from_to(0, 1)),
    Command(0xA7, "AbortTransaction", transaction_commands.abort_transaction, MAC, exactly(0)),
    Command(0xC8, "CommitReaderID", transaction_commands.commit_reader_id, MAC, exactly(16), since="EV2"),
)

BY_INS = {command.ins: command for command in COMMANDS}
