"""Whatever the flash makes of the marks of the slots, `boot` starts one of the two."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.firmware.boot import choose

marks = st.one_of(st.none(), st.sampled_from([b"a 1", b"b 2"]), st.binary(max_size=40))


@settings(max_examples=300, derandomize=True, database=None)
@given(st.fixed_dictionaries({name: marks for name in ("good", "trial", "tried", "failed")}))
def test_spoilt_marks_start_a_slot(contents):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            if content is not None:
                (Path(folder) / name).write_bytes(content)
        assert [choose(folder) in ("a", "b") for _ in range(3)] == [True] * 3
