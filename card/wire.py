"""Numbers and bytes on the wire, range-checked.

MicroPython wraps silently where CPython raises, so every number that leaves us goes through `uint`.
"""

from card.bytewise import put_number, same  # noqa: F401 - the second for what came over the wire
from card.errors import BadAnswer, OutOfRange


def uint(number, size):
    """`number` as `size` bytes, little-endian; refuses what does not fit."""
    if not 0 <= number < 1 << (8 * size):
        raise OutOfRange("%d does not fit in %d bytes" % (number, size))
    return number.to_bytes(size, "little")


def put_uint(buffer, at, number, size):
    """As `uint`, of at most 4 bytes, into `buffer` from `at` on."""
    if not 0 <= number < 1 << (8 * size) or len(buffer) < at + size:
        raise OutOfRange("%d does not fit in %d bytes" % (number, size))
    put_number(buffer, at, number, size)


def read_uint(data, at, size):
    """The little-endian number of `size` bytes at `at`; refuses short input."""
    if len(data) < at + size:
        raise BadAnswer("%d bytes, wanted %d" % (len(data), at + size))
    number = 0
    # Backwards, and without a piece of the data, which would take memory.
    for place in range(at + size - 1, at - 1, -1):
        number = number << 8 | data[place]
    return number


def exactly(data, size, what):
    """`data` itself when it has `size` bytes; `what` names it in the refusal."""
    if len(data) != size:
        raise OutOfRange("%s: %d bytes, wanted %d" % (what, len(data), size))
    return data


def xor(left, right):
    """Bytewise exclusive or of two strings of one length."""
    number = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
    return number.to_bytes(len(left), "big")
