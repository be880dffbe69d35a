"""`make world SEED=n TAPS=n` runs one city; without SEED a row of them; `REPLAY=file` tells a written story again."""

import argparse
import sys
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from tests.simulation import replay
from tests.simulation.shrink import shrink
from tests.simulation.story import Outcome, make, tell

TAPS = 2000


def main() -> int:
    """Exit 0 only with no violation."""
    parser = argparse.ArgumentParser(prog="make world", description=__doc__)
    parser.add_argument("--seed", type=int, help="which city")
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 1 on, when none is named")
    parser.add_argument("--taps", type=int, default=TAPS, help="about how often a pass is held")
    parser.add_argument("--plant", default="", help="a bug of tests/simulation/planted.py to put in")
    parser.add_argument("--replay", type=Path, help="a story that was written before")
    asked = parser.parse_args()
    if asked.replay:
        return _run(replay.read(asked.replay), is_new=False)
    seeds = [asked.seed] if asked.seed is not None else range(1, asked.seeds + 1)
    return max(_run(make(seed, asked.taps)._replace(planted=asked.plant)) for seed in seeds)


def _run(story: replay.Story, is_new: bool = True) -> int:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(f"seed {story.seed}", total=len(story.events))
        outcome = tell(story, lambda done, total: progress.update(task, completed=done))
        if outcome.violation is not None:
            print(f"seed {story.seed}: {outcome.violation}")
            if is_new:
                _keep_shortest(story, outcome, progress)
    print(_summary(story, outcome))
    return 0 if outcome.violation is None else 1


def _keep_shortest(story: replay.Story, outcome: Outcome, progress: Progress) -> None:
    assert outcome.violation is not None
    print(f"written to {replay.write(story, str(outcome.violation))}; making it shorter")
    task = progress.add_task("shorter", total=None)
    short = shrink(
        story._replace(events=story.events[: outcome.events]),
        outcome.violation.name,
        lambda runs, events: progress.update(task, description=f"{events} events left after {runs} runs"),
    )
    path = replay.write(short, str(outcome.violation))
    print(f"{len(short.events)} of {len(story.events)} events are enough: make world REPLAY={path}")


def _summary(story: replay.Story, outcome: Outcome) -> str:
    verdict = "no violation" if outcome.violation is None else f"VIOLATION of {outcome.violation.name}"
    return (
        f"seed {story.seed}: {verdict}; {outcome.taps} taps, {outcome.yeses} yes, {outcome.noes} no, "
        f"{outcome.commits} transactions, {outcome.paid} cents paid; {len(story.events)} events, digest "
        f"{outcome.digest}, {outcome.taps / outcome.seconds:.0f} taps a CPU second"
    )


if __name__ == "__main__":
    sys.exit(main())
