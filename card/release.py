"""A package of firmware, which custodians approve by its hash and a terminal takes whole.

`"MF" | 1 | 0 | version (4) | number of files (2)`, for each file `length of its name (1) | name | size (4) | content`,
and the SHA-256 of all before it. Files stand in order of their names, so that the same firmware is the same package.
"""

import hashlib

from card.errors import BadAnswer
from card.wire import read_uint, uint

HEAD_BYTES = 10
DIGEST_BYTES = 32
MOST_FILES = 128
_MOST_NAME = 63
_MAGIC = b"MF\x01\x00"
_NAMED = "abcdefghijklmnopqrstuvwxyz0123456789_./"


def build_package(version, files):
    """The package, from `{name: content}`."""
    package = _MAGIC + uint(version, 4) + uint(len(files), 2)
    for name in sorted(files):
        if not is_name(name):
            raise BadAnswer("a package cannot hold a file named %s" % name)
        package += uint(len(name), 1) + name.encode() + uint(len(files[name]), 4) + files[name]
    return package + hashlib.sha256(package).digest()


def read_head(head):
    """`(version, number of files)`; raises BadAnswer."""
    if len(head) < HEAD_BYTES or head[:4] != _MAGIC or not 1 <= read_uint(head, 8, 2) <= MOST_FILES:
        raise BadAnswer("this is not a package of firmware")
    return read_uint(head, 4, 4), read_uint(head, 8, 2)


def is_name(name):
    """Whether a file of a package may be called this: it stays inside the folder that it goes to."""
    if not 1 <= len(name) <= _MOST_NAME or not all(sign in _NAMED for sign in name):
        return False
    return all(part not in ("", ".", "..") for part in name.split("/"))


def version_of(package):
    """The version of a whole package; raises BadAnswer when it is damaged."""
    version, _ = read_head(package)
    if hashlib.sha256(package[:-DIGEST_BYTES]).digest() != package[-DIGEST_BYTES:]:
        raise BadAnswer("this package is damaged")
    return version


def files_of(package):
    """`{name: content}` of a package that is not damaged; raises BadAnswer."""
    version_of(package)
    _, count = read_head(package)
    files, at, last = {}, HEAD_BYTES, ""
    for _ in range(count):
        begins = at + 1 + read_uint(package, at, 1)
        # Whatever its bytes are, only those of a name pass.
        name, size = "".join([chr(byte) for byte in package[at + 1 : begins]]), read_uint(package, begins, 4)
        at = begins + 4 + size
        if not is_name(name) or name <= last or at > len(package) - DIGEST_BYTES:
            raise BadAnswer("this package holds a file that does not belong in one")
        files[name] = package[begins + 4 : at]
        last = name
    if at != len(package) - DIGEST_BYTES:
        raise BadAnswer("this package holds more than its files")
    return files
