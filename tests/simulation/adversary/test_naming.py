"""Nobody but the desk stores anything that names a pass or a person."""

import pytest

from tests.simulation.adversary.conftest import MUSEUM, POOL
from tests.simulation.adversary.naming import names_in
from tests.simulation.adversary.stores import CLEARING, DESK, VAULT


@pytest.mark.timeout(300)
@pytest.mark.parametrize("parties", [(CLEARING,), (VAULT,), (MUSEUM,), (POOL, MUSEUM)], ids=" and ".join)
def test_nothing_that_a_party_stores_names_anybody(town, parties):
    stored = town.stored_by(*parties)
    assert any(stored.files.values())
    assert names_in(stored.files, town.known) == []


@pytest.mark.timeout(300)
def test_what_is_looked_for_is_what_the_desk_has(town):
    """Else the search is for something that nobody would write like that."""
    found = {each.what for each in names_in(town.stored_by(DESK).files, town.known)}
    assert found == {"a UID", "a handle", "the code on a pass", "a name", "a birthday", "a household"}
