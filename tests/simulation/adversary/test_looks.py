"""Who is poorer shows nowhere outside the desk: not on a pass, not on a screen, not in what a venue or clearing keeps."""

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


def looks(monkeypatch, **everybody):
    """All that guests and staff see, and all that others keep, in a town where everybody is the same in this."""

    def with_that(path, seed):
        write_csv(path, seed)
        head, *rows = (line.split(";") for line in path.read_text().splitlines())
        for row in rows:
            row[_BAND] = everybody.get("band", row[_BAND])
            row[_CARER] = everybody.get("carer", row[_CARER])
        path.write_text("\n".join(map(";".join, [head, *rows])) + "\n")

    monkeypatch.setattr(city, "write_csv", with_that)
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


def test_the_poorest_and_those_at_the_limit_look_the_same_to_all_but_the_desk(monkeypatch):
    poor, at_the_limit = looks(monkeypatch, band="100"), looks(monkeypatch, band="120")
    assert len(poor["screens"]) >= TAPS
    assert poor == at_the_limit


def test_what_is_left_on_a_pass_shows_who_got_more(monkeypatch):
    """The screen says what is left, to guest and staff: a carer has more."""
    carers, others = looks(monkeypatch, carer="ja"), looks(monkeypatch, carer="nee")
    assert [face.name for face in carers["faces"]] == [face.name for face in others["faces"]]
    assert carers["screens"] != others["screens"]
