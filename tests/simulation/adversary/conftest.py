"""One town for all who look round in it."""

import pytest

from tests.simulation.adversary.linking import passes_of
from tests.simulation.adversary.naming import all_names
from tests.simulation.adversary.regulars import regulars
from tests.simulation.adversary.stores import stored_by
from tests.simulation.story import told

SEED = 3
# The terminal that most people go to, and one that belongs to another venue.
MUSEUM, POOL = "102", "101"


class Town:
    """A run that is over, and the truth about it."""

    def __init__(self, run):
        self.run, self.city = run, run.city
        self.passes = passes_of(run)
        self.known = all_names(run)

    def stored_by(self, *parties):
        first, *others = (stored_by(self.run, party) for party in parties)
        for other in others:
            first = first.and_of(other)
        return first


@pytest.fixture(scope="session")
def town():
    with told(regulars(SEED)) as (run, violation):
        assert violation is None, violation
        yield Town(run)
