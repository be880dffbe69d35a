"""A PC terminal on the command line: what somebody types, and what comes back with which exit code."""

import json

import httpx
import pytest
from typer.testing import CliRunner

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pass.stored import to_json
from hardware.errors import ReaderError
from terminal.cli import app
from terminal.errors import BackendUnreachable
from terminal.host import Backend
from tests.city import CENTS, DAY, TERMINAL, VAULT, PcTerminal, make_pass, purses_of


@pytest.fixture
def command():
    """Runs a command: `(exit code, all that is said)`."""

    def run(*words):
        answer = CliRunner().invoke(app, [str(word) for word in words])
        assert not answer.exception or isinstance(answer.exception, SystemExit), answer.exception
        return answer.exit_code, answer.output

    return run


@pytest.fixture
def flash(tmp_path):
    """The flash of a terminal that has keys and lists."""
    return PcTerminal(tmp_path / "flash").flash


@pytest.fixture
def keypad(monkeypatch):
    """What is typed before the terminal is closed."""

    def type_keys(keys):
        monkeypatch.setattr("terminal.cli._typed_keys", lambda: iter([*keys, None]))

    return type_keys


@pytest.fixture
def pass_file(tmp_path):
    """A pass in a file, as the desk leaves it there."""
    path = tmp_path / "pass.json"
    path.write_bytes(to_json(make_pass()[0].memory.picc))
    return path


def test_a_pass_in_a_file_is_charged_by_hand(command, flash, keypad, pass_file):
    keypad("1#")
    code, said = command("run", "--flash", flash, "--emulated", pass_file)
    assert code == 0
    assert "Ja, akkoord (00)\nOver: € 16,00\nTerminal closed." in said
    assert purses_of(EmulatedPass(Memory.load(pass_file)))[CENTS] == 1600


def test_a_screen_that_stays_is_said_once(command, flash, monkeypatch, pass_file):
    monkeypatch.setattr("terminal.cli._typed_keys", lambda: iter(["1", "#", *[None] * 5]))
    monkeypatch.setattr("hardware.in_process.InProcessReader.find_pass", _broken)
    _, said = command("run", "--flash", flash, "--emulated", pass_file)
    assert said.count("De lezer werkt niet") == 1


def _broken(_reader):
    raise ReaderError("unplugged")


def test_a_reader_that_is_not_there_is_said_before_the_first_guest(command, flash, monkeypatch):
    monkeypatch.setattr("hardware.pcsc.PcscReader.find_pass", _broken)
    assert command("run", "--flash", flash) == (1, "unplugged\n")


def test_what_is_no_emulated_pass_is_refused(command, flash, tmp_path):
    (tmp_path / "note").write_text("hello")
    code, said = command("run", "--flash", flash, "--emulated", tmp_path / "note")
    assert (code, "not an emulated pass" in said) == (1, True)
    assert command("run", "--flash", flash, "--emulated", tmp_path / "nothing")[0] == 2
    assert command("run", "--flash", flash, "--emulated", tmp_path / "note", "--reader", "acr")[0] == 2


def test_a_terminal_says_what_it_needs_first(command, tmp_path, pass_file):
    flash, keys = tmp_path / "new", tmp_path / "terminal.json"
    keys.write_text(json.dumps(VAULT.terminal_keys(TERMINAL, DAY)))
    for verb in ("run", "sync", "diagnose"):
        code, said = command(verb, "--flash", flash)
        assert (code, "provision it first" in said) == (1, True)
    assert not flash.exists()
    assert command("provision", keys, "--flash", flash)[0] == 0
    code, said = command("run", "--flash", flash, "--emulated", pass_file)
    assert (code, "sync it first" in said) == (1, True)


def test_diagnose_says_the_day_as_people_write_it_and_machines_count_it(command, flash):
    assert "day: 2026-11-21\n" in command("diagnose", "--flash", flash)[1]
    assert json.loads(command("diagnose", "--flash", flash, "--json")[1])["day"] == DAY


def test_wrong_use_ends_with_two(command, tmp_path):
    assert command("diagnose")[0] == 2
    assert command("diagnose", "--flash", tmp_path, "--port", "/dev/null")[0] == 2
    assert command("provision", tmp_path / "nothing", "--flash", tmp_path)[0] == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(404, json={"title": "Not Found", "detail": "There is no terminal 101."}), "no terminal 101"),
        (httpx.Response(503, json={"title": "Busy"}), r"Busy \(503\)"),
        (httpx.Response(502, text="<h1>Bad gateway</h1>"), r"not a backend \(502\)"),
    ],
)
def test_a_backend_that_refuses_is_quoted(answer, said):
    backend = Backend("http://backend", httpx.MockTransport(lambda request: answer))
    with pytest.raises(BackendUnreachable, match=said):
        backend.next_position(101)
    with pytest.raises(BackendUnreachable, match=said):
        backend.hand_in(101, b"")
