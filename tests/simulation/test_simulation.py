"""A few small cities, the bugs that they find, and that a story is the same each time it is told."""

import json
import subprocess
import sys

import pytest

from tests.simulation import replay
from tests.simulation.planted import BUGS
from tests.simulation.shrink import shrink
from tests.simulation.story import make, tell

TAPS = 150


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, 6))
def test_no_invariant_of_a_city_with_faults_is_broken(seed):
    outcome = tell(make(seed, TAPS))
    assert outcome.violation is None, f"seed {seed}: {outcome.violation}"
    assert outcome.yeses > 20
    assert outcome.noes > 20
    assert outcome.paid > 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", BUGS.values(), ids=lambda bug: bug.what)
def test_a_planted_bug_is_found(bug):
    outcome = tell(make(bug.seed, TAPS)._replace(planted=bug.what))
    assert outcome.violation is not None
    assert outcome.violation.name in bug.found_by


@pytest.mark.timeout(600)
def test_the_same_seed_gives_the_same_bytes_in_another_process():
    story = "from tests.simulation.story import make, tell; print(tell(make(3, 20)).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", story],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert digests != {""}


@pytest.mark.timeout(600)
def test_a_story_that_goes_wrong_is_made_shorter_and_tells_the_same_from_its_file(tmp_path):
    bug = BUGS["a percentage rounded up"]
    story = make(bug.seed, TAPS)._replace(planted=bug.what)
    outcome = tell(story)
    short = shrink(story._replace(events=story.events[: outcome.events]), outcome.violation.name, most_runs=12)
    assert len(short.events) < len(story.events) / 2
    again = replay.read(replay.write(short, str(outcome.violation), tmp_path))
    assert again == json.loads(json.dumps(short)) or again == short
    assert tell(again).violation.name == outcome.violation.name
