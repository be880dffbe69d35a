"""Tries to tell which taps are of one pass, from all columns that there are and all pairs of them.

The baseline knows venue, offer, amount and day of each tap. An attacker looks at pairs of taps that are alike to the
baseline and asks whether something else that is stored of them tells more often than by chance that they are of one
pass. By chance is what it tells when the passes are dealt out anew among the same taps, many times over; the best of
all attackers is held against the best of all attackers then. So a city has no threshold of its own, and a column that
nobody thought of is an attacker as soon as it is there.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations, combinations_with_replacement, pairwise, product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from card.record import TAP, ClearRecord
from tests.simulation.adversary.columns import Columns, TapName, Value, columns_of, records_in
from tests.simulation.adversary.stores import Stored
from tests.simulation.run import Run

# Columns that are known to tell the hour of a tap (docs/privacy.md), left out where something else is looked for.
MOMENTS = ("recorded_at", "decided_at")
DEALS = 300
# How far above the best of all deals the best attacker has to be, to be no accident of one city in very many.
BEYOND = 1.25
FEWEST_TAPS, MOST_TAPS = 5, 160
# Two values that share so many bytes, which few other taps have, have something to do with each other.
_SHARED_BYTES, _FEW_TAPS = 4, 12
# Days between two taps, in so many steps.
_DAYS_APART = (1, 2, 4, 8, 15, 32)
Numbers = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.intp]


class Attack(NamedTuple):
    """The best attacker. `advantage`: its strength as a multiple of the most that chance explains; above 1 it links.

    `hits` of `guesses`: how many of the pairs it is surest of are of one pass, and `baseline_hits`, as many pairs that
    venue, offer, amount and day are surest of.
    """

    by: str
    advantage: float
    guesses: int
    hits: int
    baseline_hits: int

    @property
    def links(self) -> bool:
        """Whether it does better than the baseline, beyond chance."""
        return self.advantage > 1

    def __str__(self) -> str:
        return (
            f"by {self.by}: {self.advantage:.2f} times the strongest accident; {self.hits} of {self.guesses} guesses "
            f"right, by venue, offer, amount and day {self.baseline_hits}"
        )


def passes_of(run: Run) -> dict[TapName, bytes]:
    """The truth: which pass did what is known by that name."""
    return {TapName(*name[:2]): done.uid for name, done in run.city.truth.items()}


def best_attack(
    stored: Stored, passes: dict[TapName, bytes], kinds: tuple[int, ...] = (TAP,), blind_to: tuple[str, ...] = ()
) -> Attack:
    """Of those on what is stored; `passes` is the truth, to hold its guesses against.

    With loads among `kinds` it has to tell of which taps a pass that was loaded was; two loads are not its question.
    It does not look at columns with a name that has one of `blind_to` in it.
    """
    stores = columns_of(stored, set(passes)).items()
    columns = {name: values for name, values in stores if not any(each in name for each in blind_to)}
    records = {tap: record for tap, record in records_in(columns).items() if record.kind in kinds}
    taps = sorted(records, key=lambda tap: (records[tap].kind, tap))[:MOST_TAPS]
    if sum(records[tap].kind == TAP for tap in taps) < FEWEST_TAPS:
        return Attack("nothing that is stored", 0, 0, 0, 0)
    pairs = [(one, other) for one, other in combinations(range(len(taps)), 2) if records[taps[one]].kind == TAP]
    first, second = np.array(pairs, np.intp).T
    labels = np.unique([passes[tap] for tap in taps], return_inverse=True)[1]
    alike = _baseline([records[tap] for tap in taps], first, second)
    names, features = _features(columns, taps, first, second)
    return _strongest(names, features, labels, alike, first, second)


def _strongest(names: list[str], features: Numbers, labels: Pairs, alike: Pairs, first: Pairs, second: Pairs) -> Attack:
    chance = np.random.default_rng(0)
    deals = [labels, *(chance.permutation(labels) for _ in range(DEALS))]
    same = np.stack([deal[first] == deal[second] for deal in deals], axis=1).astype(np.float64)
    sizes = np.bincount(alike).astype(np.float64)
    share = np.stack([np.bincount(alike, column) for column in same.T], axis=1) / sizes[:, None]
    scores = features @ (same - share[alike])
    by_chance = scores[:, 1:]
    # What is rare is lucky more easily: half a pair more of spread than it shows.
    spread = np.sqrt(by_chance.var(axis=1) + 0.25)
    strength = np.abs(scores - by_chance.mean(axis=1, keepdims=True)) / spread[:, None]
    best = int(strength[:, 0].argmax())
    advantage = strength[best, 0] / max(BEYOND * strength[:, 1:].max(), 1)
    truth, guesses = same[:, 0], int(same[:, 0].sum())
    sure = features[best] * np.sign(scores[best, 0] - by_chance[best].mean())
    hits = truth[np.lexsort((share[alike, 0], sure))[-guesses:]].sum()
    baseline_hits = truth[np.argsort(share[alike, 0], kind="stable")[-guesses:]].sum()
    return Attack(names[best], float(advantage), guesses, int(hits), int(baseline_hits))


def _baseline(records: list[ClearRecord], first: Pairs, second: Pairs) -> Pairs:
    """By pair, a number for all that venue (here: terminal), offer, amount and day say about it."""
    told = np.array([(each.terminal, each.offer, each.amount1 + each.price, each.day) for each in records], np.int64)
    apart = np.abs(told[first] - told[second])
    apart[:, :3] = apart[:, :3] > 0
    apart[:, 3] = np.digitize(apart[:, 3], _DAYS_APART)
    return np.unique(apart, axis=0, return_inverse=True)[1].reshape(-1)


# What an attacker can ask of two taps


def _features(columns: Columns, taps: list[TapName], first: Pairs, second: Pairs) -> tuple[list[str], Numbers]:
    """A row for each question, of zero mean over the pairs and of length 1; the same question twice is one."""
    seen: dict[bytes, str] = {}
    rows = []
    for name, answers in _questions(columns, taps, first, second):
        row = answers.astype(np.float64)
        row -= row.mean()
        length = np.sqrt((row**2).sum())
        if length > 1e-9:
            row /= np.abs(row).max()
            key = np.round(row, 6).tobytes()
            if key not in seen:
                seen[key] = name
                rows.append(row)
    return list(seen.values()), np.array(rows)


def _questions(columns: Columns, taps: list[TapName], first: Pairs, second: Pairs) -> Iterator[tuple[str, Numbers]]:
    held = {name: [values.get(tap) for tap in taps] for name, values in columns.items()}
    held |= {f"{name} (size)": [_size(value) for value in values] for name, values in held.items()}
    held |= {f"{name} (step)": _steps(values, taps) for name, values in held.items() if name in columns}
    for name, values in _apart(held).items():
        yield from _of_bytes(name, values, first, second)
    codes = _apart(_codes(held))
    there = {name: set(code.tolist()) - {-1} for name, code in codes.items()}
    for (one, code), (other, code2) in combinations_with_replacement(codes.items(), 2):
        if there[one].isdisjoint(there[other]):
            continue
        equal = (code[first] == code2[second]) & (code[first] >= 0)
        yield f"{one} = {other}", equal | ((code2[first] == code[second]) & (code2[first] >= 0))
    near = {}
    for name, order in _apart(_orders(held)).items():
        apart = np.where(np.minimum(order[first], order[second]) < 0, len(taps), np.abs(order[first] - order[second]))
        yield f"{name} (near)", -apart
        near[name] = apart == 1
    for (one, is_near), (other, is_near_too) in product(near.items(), repeat=2):
        yield f"{one} (next, and not by {other})", is_near & (~is_near_too | (one == other))
    yield "bytes that both have anywhere", _shared([_whole(held, at) for at in range(len(taps))], first, second)


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
        name: np.array([-1 if value is None else numbers.setdefault(value, len(numbers)) for value in values])
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


def _of_bytes(name: str, values: list[Value | None], first: Pairs, second: Pairs) -> Iterator[tuple[str, Numbers]]:
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


def _shared(rows: list[bytes], first: Pairs, second: Pairs) -> Numbers:
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
