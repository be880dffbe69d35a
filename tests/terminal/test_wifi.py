"""The radio of a board: the network is joined while nobody waits for it, in time or not at all."""

import json
from types import SimpleNamespace

import pytest

from terminal.firmware import online
from terminal.firmware.errors import BackendUnreachable
from terminal.firmware.wifi import LONGEST_JOIN_S, Wifi
from tests.twin import machine_parts as parts

POOL = {"ssid": "pool", "password": "in-the-water", "issuer": 1}


class Board:
    """A board with a radio, at which nobody is; a turn of its loop takes a second."""

    def __init__(self, stays_on=False):
        self.wlan = parts.Wlan()
        self.seconds, self.fed, self.calendar = 0, 0, None
        numbers = parts.STATUS[parts.Wlan.board]
        self.network = SimpleNamespace(**{f"STAT_{name}": number for name, number in numbers.items()})
        self._stays_on = stays_on

    def seconds_on(self):
        return self.seconds

    def feed(self):
        self.fed += 1

    def set_calendar(self, day):
        self.calendar = day

    def radio(self, settings):
        return Wifi(self.network, self.wlan, settings, self.seconds_on, self._stays_on)


@pytest.fixture(params=["rp2", "esp32"], autouse=True)
def air(request, monkeypatch):
    monkeypatch.setattr(parts.Wlan, "board", request.param)
    monkeypatch.setattr(parts.Wlan, "in_the_air", {"pool": "in-the-water"})
    parts.LOG.clear()


@pytest.fixture
def device():
    days = SimpleNamespace(today=2516)
    return SimpleNamespace(idle=True, online=None, books=[SimpleNamespace(days=days)])


@pytest.fixture
def synced(monkeypatch):
    """When a sync took place, and what the radio did then."""
    moments = []
    monkeypatch.setattr(online, "sync", lambda device, settings, feed: moments.append(list(parts.LOG)))
    return moments


def run(board, device, settings, seconds):
    made = online.Online(settings, board)
    for _ in range(seconds):
        made.turn(device)
        board.seconds += 1
    return made


def test_the_radio_is_on_for_a_sync_and_off_again(device, synced):
    board = Board()
    run(board, device, POOL, 60)
    assert synced == [[("radio", True), ("join", "pool")]]
    assert parts.LOG[-1] == ("radio", False)
    assert (board.wlan.active(), device.online, board.calendar) == (False, None, 2516)


def test_each_sync_joins_anew(device, synced):
    run(Board(), device, POOL, 3700)
    assert len(synced) == 2
    assert parts.LOG == 2 * [("radio", True), ("join", "pool"), ("radio", False)]


def test_a_board_that_needs_its_radio_for_random_numbers_only_leaves_the_network(device, synced):
    board = Board(stays_on=True)
    run(board, device, POOL, 60)
    assert len(synced) == 1
    assert (board.wlan.active(), board.wlan.isconnected()) == (True, False)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"ssid": "sauna"}, "the Wi-Fi network is not there"),
        ({"password": "on-land"}, "the password of the Wi-Fi network is wrong"),
    ],
)
def test_a_network_that_cannot_be_joined_is_given_up_in_time_with_a_sentence(device, synced, other, said):
    board = Board()
    run(board, device, {**POOL, **other}, LONGEST_JOIN_S + 5)
    assert (device.online, synced, board.wlan.active()) == (said, [], False)
    assert "on-land" not in json.dumps(said)


def test_a_network_that_takes_too_long_is_given_up(device, synced, monkeypatch):
    monkeypatch.setattr(parts.Wlan, "polls", 1000)
    board = Board()
    run(board, device, POOL, LONGEST_JOIN_S + 5)
    assert (device.online, synced, board.wlan.active()) == ("the Wi-Fi network does not answer", [], False)


def test_a_network_that_comes_back_is_joined_at_the_next_try(device, synced, monkeypatch):
    board = Board()
    monkeypatch.setattr(parts.Wlan, "in_the_air", {})
    made = run(board, device, POOL, LONGEST_JOIN_S + 5)
    parts.Wlan.in_the_air["pool"] = "in-the-water"
    for _ in range(330):
        made.turn(device)
        board.seconds += 1
    assert (len(synced), device.online) == (1, None)


def test_a_radio_that_does_not_work_is_said(device, synced, monkeypatch):
    monkeypatch.setattr(parts.Wlan, "broken", True)
    run(Board(), device, POOL, 3)
    assert (device.online, synced) == ("the radio does not work", [])


def test_who_comes_while_the_network_is_joined_is_served_first(device, synced, monkeypatch):
    monkeypatch.setattr(parts.Wlan, "polls", 0)
    board = Board()
    made = run(board, device, POOL, 1)
    device.idle = False
    for board.seconds in range(1, 200):
        made.turn(device)
    assert synced == []
    device.idle = True
    for board.seconds in range(200, 205):
        made.turn(device)
    assert len(synced) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BackendUnreachable("the backend cannot be reached"), "the backend cannot be reached"),
        (MemoryError(), "there is not memory enough for this now"),
    ],
)
def test_a_sync_that_stops_leaves_the_radio_off(device, monkeypatch, error, said):
    def broken(device, settings, feed):
        raise error

    monkeypatch.setattr(online, "sync", broken)
    board = Board()
    run(board, device, POOL, 10)
    assert (device.online, board.wlan.active()) == (said, False)


def test_settings_that_the_flash_spoilt_do_not_stop_the_terminal(device):
    flash = SimpleNamespace(read=lambda name: b'{"ssid": "po')
    device.flash = flash
    assert online.online_of(device, Board()) is None
    assert device.online == "the file with the Wi-Fi cannot be read; bring it again"
