"""A lost pass, from the holder's browser to the till: desk, network and terminal as they are."""

import os
import threading
from types import SimpleNamespace

import httpx
import pytest
from werkzeug.serving import make_server

from card.signing import SEAL_BYTES
from hardware.in_process import InProcessReader
from issuer.desk import Desk
from issuer.http import ApiConfig, create_api
from issuer.registry import Registry
from terminal.firmware import link
from terminal.host import Backend, DirectLink, HotlistAddress, sync
from tests.city import DirectKeys, PcTerminal, desk_secrets, factory_card, vault_of
from tests.issuer.a_registry import TODAY, holder, noon, take
from tests.issuer.test_desk import CHILD, SCHEME
from tests.terminal.test_sync import City
from web.api import Contact

BLOCKED, YES = "23", "00"


@pytest.fixture
def world(tmp_path):
    """A child with a pass, a desk, its server, and a terminal that has had its first sync."""
    vault = vault_of()
    registry = Registry.at(tmp_path / "desk")
    take(registry, [CHILD])
    secrets, card = desk_secrets(vault=vault), factory_card()
    desk = Desk(registry, SCHEME, secrets, DirectKeys(vault), os.urandom, noon)
    issued = desk.issue(holder(registry, CHILD), InProcessReader(card), TODAY)
    desk.hand_over(issued.card.printed_code)
    contact = Contact("Gelredam", "pas@gelredam.example", "https://gelredam.example/pas")
    api = create_api(ApiConfig(registry, SCHEME, secrets.lists, contact, noon, lambda: TODAY))
    server = make_server("127.0.0.1", 0, api, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    terminal = PcTerminal(tmp_path / "flash", vault=vault)
    made = SimpleNamespace(
        address=f"http://127.0.0.1:{server.server_port}",
        backend=Backend("http://backend", httpx.MockTransport(City(vault))),
        card=card,
        code=issued.card.printed_code,
        desk=desk,
        terminal=terminal,
    )
    synced(made)
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    registry.close()


def synced(world):
    sync(DirectLink(world.terminal.device), world.backend, HotlistAddress(f"{world.address}/v1/hotlist"))


def tapped(world):
    return world.terminal.tap(world.card)[1]


def report_lost(world):
    lost = {"printedCode": world.code, "birthDate": CHILD.born.isoformat()}
    assert httpx.post(f"{world.address}/v1/pass-blocks", json=lost).status_code == 204


def test_a_pass_that_its_holder_blocks_is_refused_from_the_next_sync_on(world):
    assert tapped(world) == YES
    report_lost(world)
    assert tapped(world) == YES
    synced(world)
    assert tapped(world) == BLOCKED
    world.desk.unblock(world.code, InProcessReader(world.card))
    synced(world)
    assert tapped(world) == YES


def test_a_pass_that_is_blocked_at_the_desk_is_refused_from_the_next_sync_on(world):
    world.desk.block(world.code, "stolen")
    synced(world)
    assert tapped(world) == BLOCKED


def test_this_mornings_list_does_not_open_a_pass_that_was_blocked_since(world):
    this_morning = world.desk.hotlist(TODAY)[:-SEAL_BYTES]
    world.terminal.ask(link.HOTLIST, this_morning)
    report_lost(world)
    synced(world)
    assert "older" in world.terminal.refused(link.HOTLIST, this_morning)
    assert tapped(world) == BLOCKED


def test_a_sync_brings_no_list_that_is_there(world):
    """And of a list that changed, the changes alone."""
    before = (world.terminal.folder / "hotlist").stat().st_mtime_ns
    synced(world)
    assert not (world.terminal.folder / "changes").exists()
    report_lost(world)
    synced(world)
    assert (world.terminal.folder / "hotlist").stat().st_mtime_ns == before
    assert (world.terminal.folder / "changes").exists()
