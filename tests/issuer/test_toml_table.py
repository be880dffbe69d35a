"""A table of a TOML file that is read key by key: what a getter answers, right or wrong."""

from typing import Any

import pytest

from issuer.toml_table import Table

# How a key is asked for, what is right for it, what is not, and what stands in for that.
GETTERS = [
    (lambda table: table.whole("key", 3, 9), 9, 10, 3),
    (lambda table: table.text("key", "[a-z]+", "small letters"), "abc", "Abc", ""),
    (lambda table: table.text("key", "[a-z]+", "small letters", "none"), "abc", "a\u200bc", "none"),
    (lambda table: table.name(), "Meedoen 65+", " Meedoen", ""),
    (lambda table: table.one_of("key", ["a.b", "c"]), "c", "a-b", "a.b"),
    (lambda table: table.chosen("key", ["a", "b"], "some of these"), ("b", "a"), ["a", "a"], ()),
    (lambda table: table.wholes("key", 3, 9), (3, 9), [3, True], ()),
    (lambda table: table.flag("key"), True, "true", False),
]


def table_of(value: Any) -> Table:
    given = list(value) if isinstance(value, tuple) else value
    return Table("[table]", {"key": given, "name": given}, 7, {"key": 8, "name": 8}, [])


@pytest.mark.parametrize(("ask", "right", "wrong", "instead"), GETTERS)
def test_a_getter_answers_a_fault_with_a_harmless_value(ask: Any, right: Any, wrong: Any, instead: Any) -> None:
    good = table_of(right)
    assert ask(good) == right
    assert not good.faults
    bad = table_of(wrong)
    answer = ask(bad)
    assert (answer, type(answer)) == (instead, type(instead))
    ((line, fault),) = bad.faults
    assert line == 8
    assert fault.startswith("[table] ")
    assert [table.is_good("key") or table.is_good("name") for table in (good, bad)] == [True, False]
