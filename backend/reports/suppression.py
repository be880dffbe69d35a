"""Which counts of a set of tables may be shown, so that nobody computes a small one from the others.

A count from 1 up to the minimum is not shown. Others are left out with it until no sum or difference of all that is
shown, over all tables together, is a small count of any kind: of one venue, category and month, or of any of these
added up. Who looks is taken to know what everybody can see, which venue has offers of which category, and to know no
other count. Nothing shown is ever changed or rounded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# A set of finest cells, as their numbers; a count is the sum over one.
Members = tuple[int, ...]
_EXACT = 1e-6
_AT_ONCE = 2000


@dataclass(frozen=True)
class Counts:
    """`values` of the finest cells; `shown`: the sums that are to be published, by name; `lines`: a sum with the sums
    that add up to it; `secret`: further sums of which no small one may be found out."""

    values: Sequence[int]
    shown: Mapping[str, Members]
    lines: Sequence[tuple[str, tuple[str, ...]]]
    secret: Iterable[Members]

    def value(self, members: Members) -> int:
        return sum(self.values[each] for each in members)


def suppressed(counts: Counts, minimum: int) -> set[str]:
    """The names of the sums that are not shown."""
    values = {name: counts.value(members) for name, members in counts.shown.items()}
    hidden = {name for name, value in values.items() if 0 < value < minimum}
    small = {members for members in (*counts.secret, *counts.shown.values()) if 0 < counts.value(members) < minimum}
    while True:
        more = _thin_lines(counts, values, hidden, minimum) or _found_out(counts, values, hidden, sorted(small))
        if not more:
            return hidden
        hidden |= more


def _thin_lines(counts: Counts, values: Mapping[str, int], hidden: set[str], minimum: int) -> set[str]:
    """One more of each line whose hidden sums are together still small, so that they are not known to be."""
    more = set()
    for whole, parts in counts.lines:
        together = sum(values[part] for part in parts if part in hidden)
        if whole not in hidden and 0 < together < minimum:
            others = [part for part in parts if part not in hidden and values[part]]
            more.add(min(others, key=lambda part: (values[part], part)) if others else whole)
    return more


def _found_out(counts: Counts, values: Mapping[str, int], hidden: set[str], small: Sequence[Members]) -> set[str]:
    """For each small sum that is a combination of those shown, the smallest of the shown ones that it takes."""
    shown = [name for name, value in values.items() if value and name not in hidden]
    # Who sees a zero knows that all in it are zero.
    known = {each for name, value in values.items() if not value for each in counts.shown[name]}
    if not shown or not small:
        return set()
    matrix = np.zeros((len(shown), len(counts.values)))
    for place, name in enumerate(shown):
        matrix[place, [each for each in counts.shown[name] if each not in known]] = 1
    inverse = np.linalg.pinv(matrix @ matrix.T, rcond=1e-10, hermitian=True)
    more = set()
    for at in range(0, len(small), _AT_ONCE):
        sets = [[each for each in members if each not in known] for members in small[at : at + _AT_ONCE]]
        overlap = np.stack([matrix[:, members].sum(axis=1) for members in sets], axis=1)
        weights = inverse @ overlap
        rest = np.array([len(members) for members in sets]) - np.einsum("ij,ij->j", overlap, weights)
        for column in np.flatnonzero(rest < _EXACT):
            taken = [shown[place] for place in np.flatnonzero(np.abs(weights[:, column]) > _EXACT)]
            more.add(min(taken, key=lambda name: (values[name], name)))
    return more
