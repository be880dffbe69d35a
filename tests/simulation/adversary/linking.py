"""Tries to tell which taps are of one pass, from all columns that there are and all pairs of them.

The baseline knows venue, offer, amount and day of each tap. An attacker looks at pairs of taps that are alike to the
baseline and asks whether something else that is stored of them tells more often than by chance that they are of one
pass. By chance is what it tells when the passes are dealt out anew among the same taps, many times over; the best of
all attackers is held against the best of all attackers then. So a city has no threshold of its own, and a column that
nobody thought of is an attacker as soon as it is there.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np

from card.record import TAP, ClearRecord
from tests.simulation.adversary.columns import TapName, columns_of, records_in
from tests.simulation.adversary.questions import Numbers, Pairs, answers_to_all
from tests.simulation.adversary.stores import Stored
from tests.simulation.run import Run

DEALS = 300
# How far above the best of all deals the best attacker has to be, to be no accident of one city in very many.
BEYOND = 1.25
FEWEST_TAPS, MOST_TAPS = 5, 160
# Days between two taps, in so many steps.
_DAYS_APART = (1, 2, 4, 8, 15, 32)


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
    columns = columns_of(stored, set(passes))
    records = {tap: record for tap, record in records_in(columns).items() if record.kind in kinds}
    taps = sorted(records, key=lambda tap: (records[tap].kind, tap))[:MOST_TAPS]
    if sum(records[tap].kind == TAP for tap in taps) < FEWEST_TAPS:
        return Attack("nothing that is stored", 0, 0, 0, 0)
    pairs = [(one, other) for one, other in combinations(range(len(taps)), 2) if records[taps[one]].kind == TAP]
    first, second = np.array(pairs, np.intp).T
    labels = np.unique([passes[tap] for tap in taps], return_inverse=True)[1]
    alike = _baseline([records[tap] for tap in taps], first, second)
    questions, answers = answers_to_all(columns, taps, first, second)
    return _strongest(questions, answers, labels, alike, first, second)


def _strongest(
    questions: list[str], answers: Numbers, labels: Pairs, alike: Pairs, first: Pairs, second: Pairs
) -> Attack:
    chance = np.random.default_rng(0)
    deals = [labels, *(chance.permutation(labels) for _ in range(DEALS))]
    same = np.stack([deal[first] == deal[second] for deal in deals], axis=1).astype(np.float64)
    sizes = np.bincount(alike).astype(np.float64)
    share = np.stack([np.bincount(alike, column) for column in same.T], axis=1) / sizes[:, None]
    scores = answers @ (same - share[alike])
    by_chance = scores[:, 1:]
    # What is rare is lucky more easily: half a pair more of spread than it shows.
    spread = np.sqrt(by_chance.var(axis=1) + 0.25)
    strength = np.abs(scores - by_chance.mean(axis=1, keepdims=True)) / spread[:, None]
    best = int(strength[:, 0].argmax())
    advantage = strength[best, 0] / max(BEYOND * strength[:, 1:].max(), 1)
    truth, guesses = same[:, 0], int(same[:, 0].sum())
    sure = answers[best] * np.sign(scores[best, 0] - by_chance[best].mean())
    hits = truth[np.lexsort((share[alike, 0], sure))[-guesses:]].sum()
    baseline_hits = truth[np.argsort(share[alike, 0], kind="stable")[-guesses:]].sum()
    return Attack(questions[best], float(advantage), guesses, int(hits), int(baseline_hits))


def _baseline(records: list[ClearRecord], first: Pairs, second: Pairs) -> Pairs:
    """By pair, a number for all that venue (here: terminal), offer, amount and day say about it."""
    told = np.array([(each.terminal, each.offer, each.amount1 + each.price, each.day) for each in records], np.int64)
    apart = np.abs(told[first] - told[second])
    apart[:, :3] = apart[:, :3] > 0
    apart[:, 3] = np.digitize(apart[:, 3], _DAYS_APART)
    return np.unique(apart, axis=0, return_inverse=True)[1].reshape(-1)
