"""Who is poorer shows nowhere outside the desk: on no pass, on no screen, in nothing that others keep."""

import sqlite3
from contextlib import closing

import pytest

from issuer.printing.artwork import load_artwork
from issuer.printing.job import face_of
from meedoen.demo.households import write_csv
from tests.simulation import city
from tests.simulation.adversary.conftest import MUSEUM
from tests.simulation.adversary.regulars import regulars
from tests.simulation.adversary.stores import CLEARING, stored_by
from tests.simulation.story import city_of, live

pytestmark = pytest.mark.timeout(300)
SEED, TAPS = 6, 12
EXPORTS = ("export totals", "export books", "export audit", "export payments", "export statement")
_BAND, _CARER = -2, -1


def looks(**everybody):
    """All that guests and staff see, and all that others keep, in a town where everybody is the same in this."""

    def with_that(path, seed):
        write_csv(path, seed)
        head, *rows = (line.split(";") for line in path.read_text().splitlines())
        for row in rows:
            row[_BAND] = everybody.get("band", "100")
            row[_CARER] = everybody.get("carer", row[_CARER])
        path.write_text("\n".join(map(";".join, [head, *rows])) + "\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(city, "write_csv", with_that)
        return _all_of_a_town()


def _all_of_a_town():
    story = regulars(SEED, TAPS)
    with city_of(story) as run:
        live(run, story)
        rows = [run.city.row_of(guest) for guest in run.city.guests]
        clearing = stored_by(run, CLEARING)
        with closing(sqlite3.connect(clearing.databases[0])) as database:
            kept = [line for line in database.iterdump() if line.startswith("INSERT")]
        return {
            "passes, flash and books": run.city.digest(),
            "faces": [face_of(load_artwork(), row) for row in rows],
            "screens": [screen for _, screen in run.bystander.shown],
            "a venue": stored_by(run, MUSEUM).files,
            "clearing": kept,
            # A workbook has the moment in it at which it was made.
            "exports": {name: content for name, content in clearing.files.items() if name.startswith(EXPORTS)},
        }


@pytest.fixture(scope="module")
def poor():
    return looks()


def test_the_poorest_and_those_at_the_limit_look_the_same_to_all_but_the_desk(poor):
    assert len(poor["screens"]) >= TAPS
    assert looks(band="120") == poor


def test_what_is_left_on_a_pass_shows_who_got_more(poor):
    """The screen says what is left, to guest and staff: a carer has more."""
    carers = looks(carer="ja")
    assert [face.name for face in carers["faces"]] == [face.name for face in poor["faces"]]
    assert carers["screens"] != poor["screens"]
