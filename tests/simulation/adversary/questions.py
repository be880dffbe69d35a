"""All that can be asked of two taps: of one column, or of two, whatever they are called and whatever is in them."""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations, combinations_with_replacement, pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.simulation.adversary.columns import Columns, TapName, Value

# Two values that share so many bytes, which few other taps have, have something to do with each other.
_SHARED_BYTES, _FEW_TAPS = 4, 12
_NONE = -1
Answers = npt.NDArray[Any]
Pairs = npt.NDArray[np.intp]


def answers_to_all(columns: Columns, taps: list[TapName], first: Pairs, second: Pairs) -> Iterator[tuple[str, Answers]]:
    """The questions, and the answers to each, one a pair: yes and no, or a number. Two answered the same are one."""
    seen: set[bytes] = set()
    for name, answers in _questions(columns, taps, first, second):
        key = (np.packbits(answers) if answers.dtype == np.bool_ else answers).tobytes()
        if key not in seen and answers.min() != answers.max():
            seen.add(key)
            yield name, answers


def _questions(columns: Columns, taps: list[TapName], first: Pairs, second: Pairs) -> Iterator[tuple[str, Answers]]:
    held = {name: [values.get(tap) for tap in taps] for name, values in columns.items()}
    held |= {f"{name} (size)": [_size(value) for value in values] for name, values in held.items()}
    held |= {f"{name} (step)": _steps(values, taps) for name, values in held.items() if name in columns}
    for name, values in _apart(held).items():
        yield from _of_bytes(name, values, first, second)
    yield from _the_same(_apart(_codes(held)), first, second)
    near = {}
    for name, order in _apart(_orders(held)).items():
        one, other = order[first], order[second]
        apart = np.where(np.minimum(one, other) < 0, len(taps), np.abs(one - other))
        yield f"{name} (near)", -apart
        near.setdefault((apart == 1).tobytes(), (name, apart == 1))
    for (name, is_near), (other, is_near_too) in product(near.values(), repeat=2):
        yield f"{name} (next, and not by {other})", is_near if name == other else is_near & ~is_near_too
    yield "bytes that both have anywhere", _shared([_whole(held, at) for at in range(len(taps))], first, second)


def _the_same(codes: dict[str, Pairs], first: Pairs, second: Pairs) -> Iterator[tuple[str, Answers]]:
    """Whether one tap has in a column what the other has in that or another one."""
    there = {name: set(code.tolist()) - {_NONE} for name, code in codes.items()}
    of_first = {name: code[first] for name, code in codes.items()}
    # None is not the same as none.
    of_second = {name: np.where(code == _NONE, _NONE - 1, code)[second] for name, code in codes.items()}
    for one, other in combinations_with_replacement(codes, 2):
        if not there[one].isdisjoint(there[other]):
            yield f"{one} = {other}", (of_first[one] == of_second[other]) | (of_first[other] == of_second[one])


def _size(value: Value | None) -> int | None:
    return len(value) if isinstance(value, bytes | str) else None


def _steps(values: list[Value | None], taps: list[TapName]) -> list[Value | None]:
    """How much larger each number is than that of the tap before it at its terminal: gaps say something too."""
    made: list[Value | None] = [None]
    for (before, earlier), (value, tap) in pairwise(zip(values, taps, strict=True)):
        are_numbers = isinstance(value, int) and isinstance(before, int)
        made.append(value - before if are_numbers and earlier.terminal == tap.terminal else None)
    return made


def _apart(columns: dict[str, Any]) -> dict[str, Any]:
    """Without those that say the same of all taps, or what one before says."""
    kept: dict[tuple[Any, ...], str] = {}
    for name, values in columns.items():
        if len(set(values)) > 1:
            kept.setdefault(tuple(values), name)
    return {name: columns[name] for name in kept.values()}


def _codes(held: dict[str, list[Value | None]]) -> dict[str, Pairs]:
    """By column, a number for each value that is there, the same in all columns; -1 for none."""
    numbers: dict[object, int] = {}
    return {
        name: np.array([_NONE if value is None else numbers.setdefault(value, len(numbers)) for value in values])
        for name, values in held.items()
    }


def _orders(held: dict[str, list[Value | None]]) -> dict[str, Pairs]:
    """By column, the rank of each value among them; -1 for none."""
    made = {}
    for name, values in held.items():
        keys = [_number(value) for value in values]
        rank = {key: number for number, key in enumerate(sorted({key for key in keys if key is not None}))}
        made[name] = np.array([-1 if key is None else rank[key] for key in keys])
    return made


def _number(value: Value | None) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, bytes):
        return float(int.from_bytes(value[:8], "big"))
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        return float(int.from_bytes(value.encode()[:8], "big"))


def _of_bytes(name: str, values: list[Value | None], first: Pairs, second: Pairs) -> Iterator[tuple[str, Answers]]:
    """Of a column of bytes, or of their hex digits: which of its bytes are the same, each by itself."""
    raw = [_raw(value) for value in values]
    length = max(map(len, raw))
    if length < _SHARED_BYTES:
        return
    table = np.full((len(raw), length), -1, np.int16)
    for row, each in zip(table, raw, strict=True):
        row[: len(each)] = np.frombuffer(each, np.uint8)
    for at in range(length):
        yield f"{name} (byte {at})", (table[first, at] == table[second, at]) & (table[first, at] >= 0)
    yield f"{name} (bytes in common)", _shared(raw, first, second)


def _raw(value: Value | None) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        return str(value).encode()


def _whole(held: dict[str, list[Value | None]], at: int) -> bytes:
    return b"\0".join(_raw(values[at]) for values in held.values())


def _shared(rows: list[bytes], first: Pairs, second: Pairs) -> npt.NDArray[np.float64]:
    """By pair, how many pieces of a few bytes both have and few others do."""
    owners: dict[bytes, set[int]] = {}
    for number, row in enumerate(rows):
        for at in range(len(row) - _SHARED_BYTES + 1):
            owners.setdefault(row[at : at + _SHARED_BYTES], set()).add(number)
    counts = np.zeros((len(rows), len(rows)))
    for each in owners.values():
        if 1 < len(each) <= _FEW_TAPS:
            for one, other in combinations(sorted(each), 2):
                counts[one, other] += 1
    return np.minimum(counts, 20)[first, second]
