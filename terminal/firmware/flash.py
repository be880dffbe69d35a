"""Files on the flash: each is replaced whole, so that a power cut leaves the old content or the new one."""

import binascii
import os

from card.wire import uint
from terminal.firmware.errors import FlashError

CHECK_BYTES = 4


class Flash:
    """The files of a terminal, in `folder`. What is sealed proves itself; the rest is kept with a checksum."""

    def __init__(self, folder):
        self.folder = folder

    def read(self, name):
        """The content, or None when there is no such file."""
        try:
            with open(self.folder + "/" + name, "rb") as file:
                return file.read()
        except OSError:
            return None

    def replace(self, name, content):
        """Raises FlashError, and then the old content is still there."""
        path = self.folder + "/" + name
        try:
            with open(path + ".new", "wb") as file:
                file.write(content)
        except OSError:
            raise FlashError("the flash does not take what is written")
        self.move(path + ".new", name)

    def remove(self, name):
        """After this the file is not there; raises FlashError."""
        try:
            if name in os.listdir(self.folder):
                os.remove(self.folder + "/" + name)
        except OSError:
            raise FlashError("the flash does not take what is written")

    def move(self, path, name):
        """Put the file at `path` in place of `name`; raises FlashError, and then the old content is still there."""
        try:
            os.rename(path, self.folder + "/" + name)
        except OSError:
            raise FlashError("the flash does not take what is written")

    def read_checked(self, name):
        """The content, or None when there is none that is as it was written."""
        kept = self.read(name)
        if kept is None or kept[-CHECK_BYTES:] != checksum(kept[:-CHECK_BYTES]):
            return None
        return kept[:-CHECK_BYTES]

    def replace_checked(self, name, content):
        """As `replace`, for `read_checked`."""
        self.replace(name, content + checksum(content))


def checksum(content):
    """CRC-32, against what a power cut or a worn flash leaves; not against people."""
    return uint(binascii.crc32(content) & 0xFFFFFFFF, 4)
