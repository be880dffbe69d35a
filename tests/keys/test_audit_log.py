"""The audit log shows every line that was changed, taken out, put in or cut off, and survives a power cut."""

import json
import multiprocessing
from datetime import UTC, datetime

import pytest

from keys.audit_log import FILE_NAME, AuditLog
from keys.errors import KeyStoreError

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def log_in(folder):
    return AuditLog(folder, lambda: NOON)


@pytest.fixture
def log(tmp_path):
    made = log_in(tmp_path)
    for number in range(1, 5):
        made.add("backend", "local socket", "prove", "record", number, "200")
    return made


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE_NAME


def test_a_line_says_who_what_how_often_when_and_with_what_result(log, path):
    line = json.loads(path.read_text().splitlines()[2])
    assert line.pop("before")
    assert line == {
        "number": 3,
        "at": "2026-11-21T12:00:00+00:00",
        "actor": "backend",
        "origin": "local socket",
        "action": "prove",
        "object": "record",
        "count": 3,
        "result": "200",
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_untouched_log_is_whole_also_after_a_restart(log, tmp_path):
    count, head = log.verify()
    assert count == 4
    log_in(tmp_path).add("issuer", "local socket", "derive", "keys of a pass", 1, "200")
    again, new_head = log_in(tmp_path).verify(noted=head)
    assert (again, new_head != head) == (5, True)


def test_an_empty_log_is_whole(tmp_path):
    assert log_in(tmp_path).verify()[0] == 0


@pytest.mark.parametrize("line", range(4))
@pytest.mark.parametrize("how", ["changed", "taken out", "doubled", "swapped"])
def test_what_was_done_to_a_line_shows(log, path, line, how):
    _, head = log.verify()
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "changed":
        lines[line] = lines[line].replace(b'"count":', b'"count":1')
    elif how == "taken out":
        del lines[line]
    elif how == "doubled":
        lines.insert(line, lines[line])
    else:
        lines[line], lines[line - 1] = lines[line - 1], lines[line]
    path.write_bytes(b"".join(lines))
    with pytest.raises(KeyStoreError):
        log.verify(noted=head)


def test_a_line_that_was_cut_off_shows_to_who_noted_the_last(log, path):
    _, head = log.verify()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert log.verify()[0] == 3
    with pytest.raises(KeyStoreError, match="gone"):
        log.verify(noted=head)


@pytest.mark.parametrize("content", [b"hello\n", b"{}\n", b'{"number": 1}\n'])
def test_what_is_no_log_is_refused(path, tmp_path, content):
    path.write_bytes(content)
    with pytest.raises(KeyStoreError, match="line 1"):
        log_in(tmp_path).verify()


def test_a_line_that_the_power_cut_in_half_was_never_there(log, path):
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for left in range(1, last):
        path.write_bytes(whole[: len(whole) - left])
        log.add("backend", "local socket", "prove", "record", 9, "200")
        assert log.verify()[0] == 4
        assert path.read_bytes().startswith(whole[:-last])


def _write(folder, count):
    for _ in range(count):
        log_in(folder).add("backend", "local socket", "prove", "record", 1, "200")


def test_two_processes_write_one_chain(tmp_path):
    workers = [multiprocessing.get_context("spawn").Process(target=_write, args=(tmp_path, 40)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert log_in(tmp_path).verify()[0] == 80
