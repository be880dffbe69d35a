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
            with open(self.path(name), "rb") as file:
                return file.read()
        except OSError:
            return None

    def replace(self, name, content):
        """Raises FlashError, and then the old content is still there."""
        path = self.path(name)
        try:
            with open(path + ".new", "wb") as file:
                file.write(content)
        except OSError:
            raise FlashError("the flash does not take what is written")
        self.move(path + ".new", name)

    def move(self, path, name):
        """Put the file at `path` in place of `name`; raises FlashError, and then the old content is still there."""
        try:
            os.rename(path, self.folder + "/" + name)
        except OSError:
            raise FlashError("the flash does not take what is written")

    def append(self, name, content):
        """Write behind what is there. Raises FlashError; how much of it is there then `size` says."""
        try:
            with open(self.path(name), "ab") as file:
                file.write(content)
        except OSError:
            raise FlashError("the flash does not take what is written")

    def remove(self, name):
        """After this the file is not there; raises FlashError."""
        try:
            os.remove(self.path(name))
        except OSError:
            if self.size(name) is not None:
                raise FlashError("the flash does not take what is written")

    def size(self, name):
        """The bytes in a file, or None when there is no such file."""
        try:
            return os.stat(self.path(name))[6]
        except OSError:
            return None

    def room(self):
        """The bytes that are still free."""
        found = os.statvfs(self.folder)
        return found[1] * found[4]

    def path(self, name):
        """Where a file is."""
        return self.folder + "/" + name

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
    """The four bytes of the CRC-32."""
    return uint(crc(content), 4)


def crc(content):
    """CRC-32, against what a power cut or a worn flash leaves; not against people."""
    return binascii.crc32(content) & 0xFFFFFFFF
