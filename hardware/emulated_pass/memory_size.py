"""How much of the chip each thing takes. Blocks of 32 bytes as on the real chip; the overheads are our estimate."""

from hardware.emulated_pass.model import Application, DataFile, File, Picc, RecordFile
from hardware.emulated_pass.status import OUT_OF_EEPROM, require

BLOCK = 32
APPLICATION_LIMIT_EV1 = 28
FILES_PER_APPLICATION = 32


def application_size(application: Application) -> int:
    return 2 * BLOCK + sum(len(key.value) + 1 for key in application.keys)


def file_size(file: File) -> int:
    match file:
        case DataFile():
            return BLOCK + len(file.data) * (2 if file.backup else 1)
        case RecordFile():
            return BLOCK + file.record_size * file.maximum
        case _:
            return 2 * BLOCK


def reserve(picc: Picc, size: int) -> None:
    """Take `size` bytes, in whole blocks, or refuse with 0E. They come back only when the chip is formatted."""
    blocks = -(-size // BLOCK) * BLOCK
    require(picc.memory_used + blocks <= picc.capacity, OUT_OF_EEPROM)
    picc.memory_used += blocks
