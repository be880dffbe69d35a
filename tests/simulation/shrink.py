"""Makes a story that went wrong as short as it can be, and still wrong in the same way (delta debugging).

Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002: leave out larger parts first, then
smaller ones, as long as what is left breaks the same invariant.
"""

import time
from collections.abc import Callable

from tests.simulation.replay import Story
from tests.simulation.story import tell

MOST_RUNS = 60
# A story is told until it breaks each time; when that takes long, fewer tries must do.
MOST_SECONDS = 300.0
Heard = Callable[[int, int], None]


def shrink(story: Story, name: str, heard: Heard = lambda runs, events: None, most_runs: int = MOST_RUNS) -> Story:
    """The shortest story found in `most_runs` runs that breaks the invariant of that name; `heard` after each."""
    events, runs, parts = story.events, 0, 2
    ends = time.process_time() + MOST_SECONDS
    while len(events) > 1 and runs < most_runs:
        size = -(-len(events) // parts)
        for at in range(0, len(events), size):
            left = events[:at] + events[at + size :]
            runs += 1
            heard(runs, len(events))
            if _breaks(story._replace(events=left), name):
                events, parts = left, max(parts - 1, 2)
                break
            if runs == most_runs or time.process_time() > ends:
                return story._replace(events=events)
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(events))
    return story._replace(events=events)


def _breaks(story: Story, name: str) -> bool:
    try:
        violation = tell(story).violation
    except Exception:  # a story with parts left out may stop the city in another way: that is another fault
        return False
    return violation is not None and violation.name == name
