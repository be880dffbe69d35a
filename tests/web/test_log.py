"""The line that a server writes for a call: six fields, whatever happens."""

import io
import json

import pytest

from web.log import FIELDS, EventLog

LINE = {"action": "GET x", "object": "/x", "result": "200", "origin": "here", "actor": "finance"}


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_six_fields():
    stream = io.StringIO()
    EventLog(stream).add(**LINE)
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == LINE
    assert line.keys() == FIELDS


@pytest.mark.parametrize("wrong", [{"actor": None}, {"nullifier": "ab"}])
def test_a_line_with_more_or_less_is_not_written(wrong):
    stream, given = io.StringIO(), {**LINE, **wrong}
    with pytest.raises(ValueError, match="a line has"):
        EventLog(stream).add(**{name: value for name, value in given.items() if value is not None})
    assert lines(stream) == []
