"""Commands that create, describe and delete files."""

from hardware.emulated_pass.command import Call
from hardware.emulated_pass.crypto import AES
from hardware.emulated_pass.memory_size import FILES_PER_APPLICATION, file_size, reserve
from hardware.emulated_pass.messaging import Answer
from hardware.emulated_pass.model import (
    FREE,
    NEVER,
    Application,
    DataFile,
    File,
    Key,
    Mode,
    RecordFile,
    Rights,
    TransactionMacFile,
    ValueFile,
)
from hardware.emulated_pass.powered import MAY_CREATE, MAY_LIST, Powered
from hardware.emulated_pass.status import (
    DUPLICATE_ERROR,
    LENGTH_ERROR,
    OUT_OF_EEPROM,
    PARAMETER_ERROR,
    Refused,
    require,
)

MODES = {0: Mode.PLAIN, 1: Mode.MAC, 2: Mode.PLAIN, 3: Mode.FULL}
LIMIT_CONFIGURED = 0x20
LIMITED_CREDIT, FREE_GET_VALUE = 0x01, 0x02
AES_KEY_OPTION = 0x02


class Fields:
    """The parameters of a command, taken from the front. 7E when they run out or something is left over."""

    def __init__(self, parameters: bytes) -> None:
        self._rest = parameters

    def take(self, length: int) -> bytes:
        require(len(self._rest) >= length, LENGTH_ERROR)
        taken, self._rest = self._rest[:length], self._rest[length:]
        return taken

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def amount(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def end(self) -> None:
        require(not self._rest, LENGTH_ERROR)


def get_file_ids(card: Powered, call: Call) -> Answer:
    files = card.application.files
    card.require_setting(MAY_LIST)
    return Answer(bytes(files))


def get_iso_file_ids(card: Powered, call: Call) -> Answer:
    files = card.application.files.values()
    card.require_setting(MAY_LIST)
    return Answer(b"".join(file.fid for file in files if file.fid is not None))


def create_standard_file(card: Powered, call: Call) -> Answer:
    return _create_data_file(card, call, backup=False)


def create_backup_file(card: Powered, call: Call) -> Answer:
    return _create_data_file(card, call, backup=True)


def _create_data_file(card: Powered, call: Call, backup: bool) -> Answer:
    application, fields = card.application, _fields(card.application, call, 7)
    card.require_setting(MAY_CREATE)
    number, fid = _number_and_fid(application, fields)
    mode, rights = _mode(fields.number(1)), _rights(application, fields.take(2))
    size = fields.number(3)
    require(size > 0, PARAMETER_ERROR)
    require(size <= card.picc.capacity, OUT_OF_EEPROM)
    return _add(card, number, DataFile(mode, rights, fid, backup, bytes(size)))


def create_value_file(card: Powered, call: Call) -> Answer:
    application, fields = card.application, Fields(call.parameters)
    card.require_setting(MAY_CREATE)
    number, mode, rights = fields.number(1), _mode(fields.number(1)), _rights(application, fields.take(2))
    lower, upper, value, flags = fields.amount(), fields.amount(), fields.amount(), fields.number(1)
    fields.end()
    require(lower <= value <= upper and flags <= LIMITED_CREDIT | FREE_GET_VALUE, PARAMETER_ERROR)
    limited, free = bool(flags & LIMITED_CREDIT), bool(flags & FREE_GET_VALUE)
    return _add(card, number, ValueFile(mode, rights, None, lower, upper, value, limited, free))


def create_linear_file(card: Powered, call: Call) -> Answer:
    return _create_record_file(card, call, cyclic=False)


def create_cyclic_file(card: Powered, call: Call) -> Answer:
    return _create_record_file(card, call, cyclic=True)


def _create_record_file(card: Powered, call: Call, cyclic: bool) -> Answer:
    application, fields = card.application, _fields(card.application, call, 10)
    card.require_setting(MAY_CREATE)
    number, fid = _number_and_fid(application, fields)
    mode, rights = _mode(fields.number(1)), _rights(application, fields.take(2))
    size, maximum = fields.number(3), fields.number(3)
    # A cyclic file always has one record in the making, so it needs two to keep one.
    require(size > 0 and maximum >= (2 if cyclic else 1), PARAMETER_ERROR)
    return _add(card, number, RecordFile(mode, rights, fid, cyclic, size, maximum))


def create_transaction_mac_file(card: Powered, call: Call) -> Answer:
    """One per application; from then on every transaction of the application is counted and sealed."""
    application, fields = card.application, Fields(call.parameters)
    card.require_master_key()
    number, mode, rights = fields.number(1), _mode(fields.number(1)), _rights(application, fields.take(2))
    option, key, version = fields.number(1), fields.take(16), fields.number(1)
    fields.end()
    require(option == AES_KEY_OPTION and rights.write == NEVER, PARAMETER_ERROR)
    require(application.transaction_mac() is None, DUPLICATE_ERROR)
    # A transaction that began uncounted cannot end counted.
    card.abort_transaction()
    return _add(card, number, TransactionMacFile(mode, rights, None, Key(AES, key, version)))


def delete_file(card: Powered, call: Call) -> Answer:
    """The memory is not given back. An open transaction is forgotten: it may have meant this file."""
    number = call.parameters[0]
    card.file(number)
    card.require_setting(MAY_CREATE)
    card.abort_transaction()
    with card.memory.writing():
        del card.application.files[number]
    return Answer()


def get_file_settings(card: Powered, call: Call) -> Answer:
    file = card.file(call.parameters[0])
    card.require_setting(MAY_LIST)
    return Answer(_settings(file))


def _settings(file: File) -> bytes:
    mode, rights = int(file.mode), file.rights.to_bytes()
    match file:
        case DataFile():
            return bytes([int(file.backup), mode]) + rights + _u24(len(file.data))
        case ValueFile():
            flags = LIMITED_CREDIT * file.limited_enabled | FREE_GET_VALUE * file.free_get_value
            amounts = file.lower, file.upper, file.limited_credit
            return bytes([2, mode]) + rights + b"".join(map(_i32, amounts)) + bytes([flags])
        case RecordFile():
            sizes = file.record_size, file.maximum, len(file.records)
            return bytes([4 if file.cyclic else 3, mode]) + rights + b"".join(map(_u24, sizes))
        case TransactionMacFile():
            limited = file.limit is not None
            settings = (
                bytes([5, mode | LIMIT_CONFIGURED * limited]) + rights + bytes([AES_KEY_OPTION, file.key.version])
            )
            return settings + (b"" if file.limit is None else file.limit.to_bytes(4, "little"))
    raise AssertionError("a kind of file without settings")


def change_file_settings(card: Powered, call: Call) -> Answer:
    """Mode and rights; for the transaction MAC file also the limit of its counter (option bit 5)."""
    fields = Fields(call.parameters)
    file = card.file(fields.number(1))
    option = fields.number(1)
    rights = _rights(card.application, fields.take(2))
    limit: int | None = None
    if isinstance(file, TransactionMacFile):
        require(rights.write == NEVER, PARAMETER_ERROR)
        if option & LIMIT_CONFIGURED:
            option, limit = option & ~LIMIT_CONFIGURED, fields.number(4)
            require(limit > file.counter, PARAMETER_ERROR)
    fields.end()
    mode = _mode(option)
    with card.memory.writing():
        file.mode, file.rights = mode, rights
        if isinstance(file, TransactionMacFile):
            file.limit = limit
    return Answer()


def _fields(application: Application, call: Call, length: int) -> Fields:
    """An application with ISO file identifiers wants one for each of its files, any other wants none (7E)."""
    require(len(call.parameters) == length + (2 if application.iso_files else 0), LENGTH_ERROR)
    return Fields(call.parameters)


def _number_and_fid(application: Application, fields: Fields) -> tuple[int, bytes | None]:
    return fields.number(1), fields.take(2) if application.iso_files else None


def _mode(option: int) -> Mode:
    """Mirroring (bit 6) and further sets of rights (bit 7) are not imitated: 9E."""
    mode = MODES.get(option)
    if mode is None:
        raise Refused(PARAMETER_ERROR)
    return mode


def _rights(application: Application, two: bytes) -> Rights:
    rights = Rights.from_bytes(two)
    require(all(right in (FREE, NEVER) or right < len(application.keys) for right in rights.nibbles()), PARAMETER_ERROR)
    return rights


def _add(card: Powered, number: int, file: File) -> Answer:
    files = card.application.files
    require(number < FILES_PER_APPLICATION, PARAMETER_ERROR)
    require(number not in files, DUPLICATE_ERROR)
    require(file.fid is None or all(file.fid != other.fid for other in files.values()), DUPLICATE_ERROR)
    with card.memory.writing() as picc:
        reserve(picc, file_size(file))
        card.application.files[number] = file
    return Answer()


def _u24(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _i32(number: int) -> bytes:
    return number.to_bytes(4, "little", signed=True)
