"""How fast a simulated city lives, with every fault and every invariant."""

from statistics import median

from tests.simulation.story import make, tell

SEEDS = (1, 2, 3)


def simulation(taps: int) -> dict[str, object]:
    """Whole runs of cities of so many taps: from making the city to the last look of its adversary."""
    rates = []
    for seed in SEEDS:
        outcome = tell(make(seed, taps))
        assert outcome.violation is None, f"seed {seed}: {outcome.violation}"
        rates.append(outcome.taps / outcome.seconds)
    ranked = sorted(round(rate, 1) for rate in rates)
    return {
        "taps_per_second": {
            "median": round(median(ranked), 1),
            "from": ranked[0],
            "to": ranked[-1],
            "seeds": len(ranked),
            "how": f"{taps} taps, over the seconds of CPU of the whole run",
        }
    }
