"""The simulator without a browser: what it lets in, what it refuses, and what stays on the passes."""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from terminal.errors import TerminalError
from terminal.firmware import signals
from terminal.simulator.machine import Machine
from terminal.simulator.simulator import PIN
from tests.city import ROOT, purses_of


@pytest.fixture
def visitor(address):
    with httpx.Client(base_url=address) as client:
        yield client


def until(simulator, wanted):
    """The next situation that is as wanted."""
    now = simulator.situation()
    while not wanted(now):
        newer = simulator.situation(now.number, 10)
        assert newer.number > now.number, now
        now = newer
    return now


def shows(state, code=""):
    return lambda now: now.screen is not None and (now.screen.state, now.screen.code) == (state, code)


def test_the_page_is_there_for_who_has_its_address_only(visitor):
    assert visitor.get("").status_code == 200
    place = visitor.base_url
    for address in ("/", "/guess/", "/guess/situation", "/static/simulator.js"):
        assert httpx.get(place.join(address)).status_code == 404
    assert httpx.post(place.join("/guess/key"), json={"key": "1"}).status_code == 404


def test_a_browser_may_load_nothing_from_elsewhere_and_keeps_nothing(visitor):
    for part in ("", "static/simulator.js", "design/utrecht-html.css", "situation"):
        headers = visitor.get(part).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
    page = visitor.get("").text
    assert "http" not in page
    assert "<script>" not in page
    assert " style=" not in page


@pytest.mark.parametrize(
    ("part", "asked", "sentence"),
    [
        ("key", {"key": "E"}, "There is no key E."),
        ("key", {"key": "12"}, "There is no key 12."),
        ("key", {}, "There is no key ."),
        ("pass", {"pass": "mine"}, "There is no pass mine."),
        ("middle", {"middle": "fire"}, "fire is nothing that can go wrong here."),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(visitor, part, asked, sentence):
    before = visitor.get("situation").json()
    answer = visitor.post(part, json=asked)
    assert (answer.status_code, answer.text) == (400, sentence)
    assert visitor.get("situation").json() == before
    assert visitor.post("key", content=b"\xff" * 5000).status_code in (400, 413)


def test_a_screen_comes_with_its_sound_and_its_light(simulator):
    for key in "1#":
        simulator.press(key)
    until(simulator, shows("armed"))
    simulator.place("budget")
    now = until(simulator, shows("showing", "00"))
    tones, light = signals.of("00")
    assert (list(now.screen.tones), now.screen.light) == (tones, light)
    assert len(now.screen.picture) == 1024
    assert until(simulator, lambda now: now.on_reader == "budget").screens == now.screens


def test_a_payment_in_which_the_power_fails_is_paid_once(simulator, city):
    card = city.passes[0].card
    before = purses_of(card)[1]
    for turn in range(2):
        for key in "1#":
            simulator.press(key)
        until(simulator, shows("armed"))
        if turn == 0:
            simulator.in_the_middle("plug")
        simulator.place("budget")
        if turn == 0:
            until(simulator, lambda now: now.screen is None)
            simulator.take_away()
            simulator.press("1")  # nothing comes of it
            simulator.plug_in()
            for key in f"{PIN}#":
                simulator.press(key)
            until(simulator, shows("choosing", "40"))
    until(simulator, shows("showing", "00"))
    assert purses_of(card)[1] == before - 400


def test_another_language_keeps_what_is_on_the_flash(simulator):
    simulator.speak(1)
    assert simulator.situation().screen.first == "Type the PIN and press #"
    for key in f"{PIN}#1#":
        simulator.press(key)
    assert until(simulator, shows("armed")).screen.second == "Zwemmen € 4,00"


def test_without_micropython_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(TerminalError, match="uv sync --group firmware"):
        Machine(tmp_path / "flash", tmp_path, lambda screen: None)


def test_the_command_says_where_to_look_and_stops_when_asked(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "meedoen", "terminal", "simulate", "--json", "--english"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        address = json.loads(process.stdout.readline())["address"]
        assert address.startswith("http://127.0.0.1:")
        assert "Practise with the terminal" in httpx.get(address).text
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=90)
    assert process.returncode == 0
    assert said == "Terminal closed.\n"
    assert list(tmp_path.iterdir()) == []
