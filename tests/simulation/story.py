"""Makes a story of a seed and runs it: a fold of events over a city, with the invariants after each."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation import cheap, faults, people, planted
from tests.simulation.city import NOON, City
from tests.simulation.ending import finish
from tests.simulation.invariants import Violation
from tests.simulation.replay import Event, Story
from tests.simulation.run import Deed, Run

DEEDS: dict[str, Deed] = {**people.DEEDS, **faults.DEEDS}
# Its files are written often and never needed again.
_IN_MEMORY = Path("/dev/shm")
Heard = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """`violation` is None when all invariants held; else `events`, `taps` (passes held) and all else count up to it.

    Seconds of CPU.
    """

    violation: Violation | None
    events: int
    taps: int
    yeses: int
    noes: int
    commits: int
    paid: int
    digest: str
    seconds: float


def make(seed: int, taps: int) -> Story:
    """The story of a seed: the same every time."""
    chance = random.Random(seed)
    planned = faults.spoil(chance, people.plan(chance, taps), people.days_for(taps))
    events = [Event(number, *each) for number, each in enumerate(planned)]
    return Story(seed, people.guests_for(taps), events)


def tell(story: Story, heard: Heard = lambda done, total: None) -> Outcome:
    """Run it, up to the first violation."""
    begun = time.process_time()
    with told(story, heard) as (run, violation):
        return Outcome(
            violation,
            run.events,
            run.taps,
            run.bystander.yeses,
            sum(run.bystander.noes.values()),
            len(run.city.truth),
            sum(run.books.paid.values()),
            run.city.digest(),
            time.process_time() - begun,
        )


@contextmanager
def told(story: Story, heard: Heard = lambda done, total: None) -> Iterator[tuple[Run, Violation | None]]:
    """The same, for who wants to look round in the city after."""
    with city_of(story) as run:
        yield run, _fold(run, story, heard)


@contextmanager
def city_of(story: Story) -> Iterator[Run]:
    """The city of a story, before anything happened in it."""
    folder = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with cheap.in_place(), planted.in_place(story.planted), TemporaryDirectory(dir=folder) as place:
        city = City(story.seed, Path(place), story.guests)
        try:
            yield Run(city)
        finally:
            city.close()


def live(run: Run, story: Story, heard: Heard = lambda done, total: None) -> None:
    """All events but the end; raises Violation."""
    run.books.agree()
    for run.events, event in enumerate(story.events, 1):
        run.city.pass_days(event.day)
        run.city.hour = int(event.about.get("hour", NOON))
        run.city.chance.begin(event.number)
        DEEDS[event.kind](run, event.about)
        if event.kind != "tap":
            run.books.agree()
        heard(run.events, len(story.events))


def _fold(run: Run, story: Story, heard: Heard) -> Violation | None:
    try:
        live(run, story, heard)
        run.city.chance.begin("the end")
        finish(run)
    except Violation as violation:
        return violation
    return None
