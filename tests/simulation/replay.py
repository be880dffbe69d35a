"""Events are data: what happens on which day, as a line of JSON. A file of them, with its seed, is a story."""

import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path("var/world")


class Event(NamedTuple):
    """`number` is its own for ever, `day` counts from the opening. `about`: numbers and words, by name."""

    number: int
    day: int
    kind: str
    about: dict[str, int | str]


class Story(NamedTuple):
    """All that a run depends on. `planted`: the bug that was put in, or ""."""

    seed: int
    guests: int
    events: list[Event]
    planted: str = ""


def write(story: Story, violation: str, folder: Path = FOLDER) -> Path:
    """Keep a story that went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"seed-{story.seed}{'-' + story.planted.replace(' ', '-') if story.planted else ''}.json"
    lines = ",\n".join(f"  {json.dumps(event)}" for event in story.events)
    head = json.dumps({"seed": story.seed, "guests": story.guests, "planted": story.planted, "violation": violation})
    path.write_text(f'{head[:-1]}, "events": [\n{lines}\n]}}\n')
    return path


def read(path: Path) -> Story:
    """A story from its file."""
    found = json.loads(path.read_text())
    return Story(found["seed"], found["guests"], [Event(*each) for each in found["events"]], found["planted"])
