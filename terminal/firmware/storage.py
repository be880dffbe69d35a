"""Raw flash for a journal, as NOR flash is: erased bytes read FF and are written once, and a block is erased whole."""

import os

BLOCK_BYTES = 4096
ERASED = 0xFF
# Small pieces: a board has few large ones.
_ERASED_PART = bytes([ERASED]) * 128


def wipe(storage):
    """Erase all that was ever written."""
    head = bytearray(1)
    for block in range(storage.blocks):
        storage.read_into(block * storage.block_bytes, head)
        if head[0] != ERASED:
            storage.erase(block)


class FileStorage:
    """A file of this machine in place of raw flash, `blocks` long; what was never written takes no room."""

    block_bytes = BLOCK_BYTES

    def __init__(self, path, blocks):
        self.blocks = blocks
        try:
            self._file = open(path, "r+b")
        except OSError:
            open(path, "wb").close()
            self._file = open(path, "r+b")

    def read_into(self, at, buffer):
        """Fill the buffer with the bytes from `at` on."""
        self._file.seek(at)
        for end in range(self._file.readinto(buffer) or 0, len(buffer)):
            buffer[end] = ERASED

    def write(self, at, data):
        """Write to bytes that were erased; on disk when this returns. Raises OSError."""
        self._fill_up_to(at)
        self._file.seek(at)
        self._file.write(data)
        self._sync()

    def erase(self, block):
        """Raises OSError."""
        self._fill_up_to(block * BLOCK_BYTES)
        self._file.seek(block * BLOCK_BYTES)
        for _ in range(BLOCK_BYTES // len(_ERASED_PART)):
            self._file.write(_ERASED_PART)
        self._sync()

    def _fill_up_to(self, at):
        end = self._file.seek(0, 2)
        while end < at:
            end += self._file.write(_ERASED_PART[: at - end])

    def _sync(self):
        self._file.flush()
        # On MicroPython flushing does it.
        if hasattr(os, "fsync"):
            os.fsync(self._file.fileno())
