"""docs/performance.md holds what was measured, and says what was not reached."""

import re

import pytest

from tests.bench.page import FIGURES, PAGE, table, written


@pytest.mark.parametrize("part", FIGURES)
def test_the_page_has_a_row_for_each_figure_and_for_no_other(part):
    found = re.search(rf"<!-- figures of {part} -->\n(.*?)<!-- end -->", PAGE.read_text(), re.DOTALL)
    rows = [line.split(" | ")[:3] for line in found[1].splitlines()[2:]]
    assert rows == [line.split(" | ")[:3] for line in table({}, part).splitlines()[2:]]


def test_what_is_not_reached_says_so_and_what_was_not_measured_too():
    figures = {
        "ingest": {"ratio_to_copy": 0.31, "verified_to_unverified": 0.8, "per_s": {"copy": [33000, 35000, 31000]}},
        "books": {"per_transaction_us": {"100000": {"median": 200, "from": 196, "to": 1300}}},
    }
    rows = dict(line[3:].split("` | ", 1) for line in table(figures, "clearing").splitlines()[2:])
    assert rows["ingest.ratio_to_copy"].endswith("| ≥ 0.35 | **0.31: not reached** |")
    assert rows["ingest.verified_to_unverified"].endswith("| ≥ 0.8 | 0.8 |")
    assert rows["ingest.per_s.copy"].endswith("|  | 33 000 (31 000 – 35 000) |")
    assert rows["books.per_transaction_us.100000"].endswith("| 200 (196 – 1 300) |")
    assert rows["books.settlement.seconds_1m"].endswith("| ≤ 60 | not measured |")


def test_a_second_run_changes_only_the_tables():
    page = PAGE.read_text()
    assert written(written(page, {"tap": {"exchanges": 10}}), {}) == written(page, {})
