"""Systems of linear equations over GF(2), each with its coefficients close together, so that they are soon solved.

"Ribbon": Dillinger and Walzer, 2021. A row is a block of 16 pseudo-random bytes, as card/hotlist.py says: three bytes
for the place, twelve for the coefficients.
"""

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from card.hotlist import BAND_AT, BAND_BYTES

Bytes = NDArray[np.uint8]
# A band of 96 coefficients finds a place for its rows with 3 % more unknowns than rows; a few are for the ends.
_ROOM = 1.03
_ENDS = BAND_BYTES // 2
_BAND = 8 * BAND_BYTES


def column_bytes(rows: int, attempt: int = 0) -> int:
    """How long a column is for so many equations; a little longer with each attempt that had no solution."""
    return max(BAND_BYTES, _ENDS + int(rows * (_ROOM + attempt / 200) / 8) + 1) if rows else 0


def solution(
    blocks: Bytes, results: Sequence[int] | None, size: int, columns: int, fill: random.Random
) -> bytes | None:
    """Columns of `size` bytes, the first byte of each, then the second of each, and so on; None when there are none.

    Every row of `blocks` (n, 16) gives its result, 0 or 1, in each of the columns. Unknowns that are free are filled at
    random, so that columns tell as little as they can of another row. With no results it is 0 for all, and the rows
    must not depend on each other: where they do there are too many of them, and other rows there would give 0 too.
    """
    rows, held = [0] * (8 * size), [0] * (8 * size)
    starts, bands = _starts(blocks, size), blocks[:, BAND_AT:]
    # By place: rows meet their neighbours soon.
    for number in np.argsort(starts, kind="stable"):
        at, row = 8 * int(starts[number]), int.from_bytes(bands[number].tobytes(), "little")
        result = results[number] if results else 0
        while row:
            zeros = (row & -row).bit_length() - 1
            at, row = at + zeros, row >> zeros
            if not rows[at]:
                rows[at], held[at] = row, result
                break
            row, result = row ^ rows[at], result ^ held[at]
        else:
            if result or not results:
                return None
    bits = np.array([_column(rows, held, fill) for _ in range(columns)], dtype=np.uint8)
    return np.packbits(bits, axis=1, bitorder="little").T.tobytes()


def _column(rows: list[int], held: list[int], fill: random.Random) -> list[int]:
    """From the last unknown back: `window` has those that a row can reach."""
    bits, window, reach = [0] * len(rows), 0, (1 << _BAND) - 1
    for at in range(len(rows) - 1, -1, -1):
        row = rows[at]
        bits[at] = held[at] ^ ((row >> 1 & window).bit_count() & 1) if row else fill.getrandbits(1)
        window = (window << 1 | bits[at]) & reach
    return bits


def values(blocks: Bytes, system: bytes, columns: int) -> Bytes:
    """What each row (n, 16) gives in each column: (n, columns) of 0 and 1."""
    size = len(system) // columns
    laid_out = np.frombuffer(system, np.uint8).reshape(size, columns)
    starts, bands = _starts(blocks, size), blocks[:, BAND_AT:]
    mixed: Bytes = np.zeros((len(blocks), columns), np.uint8)
    for at in range(BAND_BYTES):
        mixed ^= laid_out[starts + at] & bands[:, at, None]
    return np.bitwise_count(mixed) & np.uint8(1)


def _starts(blocks: Bytes, size: int) -> NDArray[np.int64]:
    place = blocks[:, :3].astype(np.int64)
    starts: NDArray[np.int64] = (place[:, 0] | place[:, 1] << 8 | place[:, 2] << 16) % (size - BAND_BYTES + 1)
    return starts
