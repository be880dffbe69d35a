"""Tries to tell which taps are of one pass, from all columns that there are and all pairs of them.

The baseline knows venue, offer, amount and day of each tap. An attacker looks at pairs of taps that are alike to the
baseline and asks whether something else that is stored of them tells more often than by chance that they are of one
pass. By chance is what it tells when the passes are dealt out anew among the same taps, many times over; the best of
all attackers is held against the best of all attackers then. So a city has no threshold of its own, and a column that
nobody thought of is an attacker as soon as it is there.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from card.record import TAP, ClearRecord
from tests.simulation.adversary.columns import TapName, columns_of, records_in
from tests.simulation.adversary.questions import Answers, Pairs, answers_to_all
from tests.simulation.adversary.stores import Stored
from tests.simulation.run import Run

DEALS = 300
# How far above the best of all deals the best attacker has to be, to be no accident of one city in very many.
BEYOND = 1.25
FEWEST_TAPS, MOST_TAPS = 5, 160
# Days between two taps, in so many steps.
_DAYS_APART = (1, 2, 4, 8, 15, 32)
# Among what the baseline knows of a tap.
_PURSE = 2
# Of all pairs.
_FEW = 1 / 32
Numbers = npt.NDArray[np.float64]


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


def best_attack(stored: Stored, passes: dict[TapName, bytes], kinds: tuple[int, ...] = (TAP,)) -> Attack:
    """Of those on what is stored; `passes` is the truth, to hold its guesses against.

    With loads among `kinds` it has to tell of which taps a pass that was loaded was; two loads are not its question.
    """
    records = {tap: record for tap, record in records_in(stored, set(passes)).items() if record.kind in kinds}
    taps = sorted(records, key=lambda tap: (records[tap].kind, tap))[:MOST_TAPS]
    if sum(records[tap].kind == TAP for tap in taps) < FEWEST_TAPS:
        return Attack("nothing that is stored", 0, 0, 0, 0)
    pairs = [(one, other) for one, other in combinations(range(len(taps)), 2) if records[taps[one]].kind == TAP]
    first, second = np.array(pairs, np.intp).T
    labels = np.unique([passes[tap] for tap in taps], return_inverse=True)[1]
    alike = _baseline([records[tap] for tap in taps], first, second)
    return _strongest(answers_to_all(columns_of(stored, set(taps)), taps, first, second), labels, alike, first, second)


def _strongest(
    questions: Iterator[tuple[str, Answers]], labels: Pairs, alike: Pairs, first: Pairs, second: Pairs
) -> Attack:
    chance = np.random.default_rng(0)
    deals = _Deals([labels, *(chance.permutation(labels) for _ in range(DEALS))], alike, first, second)
    strongest, luckiest, by, sure = -1.0, 1.0, "", alike
    for name, answers in questions:
        scores = deals.scores(answers)
        by_chance = scores[1:]
        mean = by_chance.mean()
        # What is rare is lucky more easily: half a pair more of spread than it shows.
        strength = np.abs(scores - mean) / np.sqrt(by_chance.var() + 0.25)
        luckiest = max(luckiest, float(strength[1:].max()))
        if strength[0] > strongest:
            strongest, by, sure = float(strength[0]), name, answers * np.sign(scores[0] - mean)
    truth, guesses = deals.of_one_pass(0), len(deals.same[0])
    hits = truth[np.lexsort((deals.share[0, alike], sure))[-guesses:]].sum()
    baseline_hits = truth[np.argsort(deals.share[0, alike], kind="stable")[-guesses:]].sum()
    return Attack(by, strongest / (BEYOND * luckiest), guesses, int(hits), int(baseline_hits))


class _Deals:
    """By deal, `same`: the pairs of one pass; `share`: of those that the baseline finds alike, how many are of one."""

    def __init__(self, deals: list[Pairs], alike: Pairs, first: Pairs, second: Pairs) -> None:
        self._alike = alike
        self.same = [np.flatnonzero(deal[first] == deal[second]) for deal in deals]
        sizes = np.bincount(alike)
        self.share = np.stack([np.bincount(alike[pairs], minlength=len(sizes)) for pairs in self.same]) / sizes
        groups = [alike == group for group in range(len(sizes))]
        counted = np.stack([*map(self.of_one_pass, range(len(deals))), *groups])
        # The same twice: fast for many answers of yes, and for few.
        self._bits, self._rows = _bits(counted), np.ascontiguousarray(counted.T, np.float32)

    def of_one_pass(self, deal: int) -> npt.NDArray[np.bool_]:
        """By pair."""
        is_one = np.zeros(len(self._alike), np.bool_)
        is_one[self.same[deal]] = True
        return is_one

    def scores(self, answers: Answers) -> Numbers:
        """By deal: the answers about pairs of one pass, less what the baseline says of them; no answer weighs more than
        1. What they are counted from makes no difference: the baseline says of as many pairs as there are."""
        if answers.dtype == np.bool_:
            yes = np.count_nonzero(answers)
            if yes < _FEW * len(answers):
                counts = self._rows[np.flatnonzero(answers)].sum(axis=0)
            else:
                counts = np.bitwise_count(_bits(answers) & self._bits).sum(axis=1, dtype=np.uint16)
            within, alike = counts[: len(self.same)], counts[len(self.same) :]
            middle = yes / len(answers)
            largest = max(1 - middle, middle)
        else:
            within = np.array([answers[pairs].sum() for pairs in self.same])
            alike = np.bincount(self._alike, answers)
            middle = answers.mean()
            largest = max(answers.max() - middle, middle - answers.min())
        scores: Numbers = (within - self.share @ alike) / largest
        return scores


def _bits(answers: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Those of yes and no, 64 in a number."""
    packed = np.packbits(answers, axis=-1)
    whole = np.zeros((*packed.shape[:-1], -(-packed.shape[-1] // 8) * 8), np.uint8)
    whole[..., : packed.shape[-1]] = packed
    return whole.view(np.uint64)


def _baseline(records: list[ClearRecord], first: Pairs, second: Pairs) -> Pairs:
    """By pair, a number for all that venue (here: terminal), offer (which says the purse), amount and day tell.

    Which two purses, and not only whether they are one: some purses are given to the same people.
    """
    told = np.array(
        [(each.terminal, each.offer, each.purse1, each.amount1 + each.price, each.day) for each in records], np.int64
    )
    apart = np.abs(told[first] - told[second])
    apart[:, :-1] = apart[:, :-1] > 0
    apart[:, -1] = np.digitize(apart[:, -1], _DAYS_APART)
    purses = told[:, _PURSE]
    apart[:, _PURSE] = np.minimum(purses[first], purses[second]) << 8 | np.maximum(purses[first], purses[second])
    return np.unique(apart, axis=0, return_inverse=True)[1].reshape(-1)
