"""What clearing asks about all records together, and what it makes of the answer."""

import json

import httpx
import pytest

from backend.errors import LinkError, NotFound
from backend.http import create_app
from card.batch import IN_DOUBT
from tests.backend.conftest import POOL_TERMINAL
from tests.backend.test_cli import Desk
from tests.backend.test_verify import booked

FOUND = [
    {"kind": "missing", "terminal": 101, "sequence": 7, "nullifier": None},
    {"kind": "happened", "terminal": 101, "sequence": 9, "nullifier": "00" * 16},
]


def test_the_vault_gets_every_record_that_a_pass_may_have_committed_with_its_outcome(world):
    proven, in_doubt, rejected = world.pool.tap(world.holder), world.pool.doubt(world.sibling), None
    world.pool.void()
    rejected = world.pool.tap(world.stranger)
    world.vault.committed.pop(next(key for key in world.vault.committed if key[0] == rejected.to_bytes()))
    world.sync()
    world.vault.finds = {"findings": FOUND, "unnamed": 3}
    audit = world.clearing.findings.audit()
    lines = [world.vault.audited[at : at + 103] for at in range(0, len(world.vault.audited), 103)]
    expected = [(1, proven), (3, in_doubt), (1, rejected)]
    assert [(line[0], line[1:43]) for line in lines] == [(outcome, record.to_bytes()) for outcome, record in expected]
    assert (audit.records, audit.unnamed) == (3, 3)
    assert [(found.kind, found.sequence) for found in audit.findings] == [("missing", 7), ("happened", 9)]


def test_a_doubt_that_two_people_booked_is_a_doubt_to_the_vault_still(world):
    """As committed it would have to prove itself, and what its pass says of it would be held against it."""
    booked(world)
    world.clearing.findings.audit()
    assert world.vault.audited[0] == IN_DOUBT


def test_without_records_nobody_is_asked(world):
    world.vault.down = True
    assert world.clearing.findings.audit().records == 0


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json={"records": 1}),
        httpx.Response(200, json={"records": 1, "unnamed": 0, "findings": [{**FOUND[0], "kind": "guess"}]}),
    ],
)
def test_an_answer_that_is_none_is_a_broken_link(world, answer):
    world.pool.tap(world.holder)
    world.sync()
    world.vault.answer = answer
    with pytest.raises(LinkError):
        world.clearing.findings.audit()


def test_over_http_and_on_the_command_line_it_is_the_same(world, tmp_path):
    world.pool.tap(world.holder)
    world.sync()
    world.vault.finds = {"findings": FOUND, "unnamed": 1}
    client = httpx.Client(base_url="http://c", transport=httpx.WSGITransport(create_app(world.config, world.clearing)))
    answer = client.post("/v1/audits").json()
    named = [{name: found[name] for name in ("kind", "terminal", "sequence")} for found in FOUND]
    assert answer == {"records": 1, "findings": named, "unnamed": 1}
    assert client.post("/v1/audits?since=2026-12-01").json()["records"] == 0
    assert client.post("/v1/audits?since=never").status_code == 400

    (tmp_path / "desk").mkdir()
    desk = Desk(tmp_path / "desk", world.vault)
    desk.init()
    assert "Nothing found" in desk("audit")
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    (desk.folder / "batch").write_bytes(world.pool.batch())
    desk("ingest", desk.folder / "batch")
    assert json.loads(desk("audit", "--json")) == answer
    assert "0 records audited" in desk("audit", "--since", "2026-12-01", "--until", "2026-12-31")
    said = desk("audit")
    assert "Terminal 101, no. 7: was made with a pass and never handed in" in said
    assert "Terminal 101, no. 9: was in doubt, and the pass did pay" in said
    assert "1 more" in said


def test_keys_are_passed_on_to_terminals_that_are_in_use_and_to_no_others(world):
    client = httpx.Client(base_url="http://c", transport=httpx.WSGITransport(create_app(world.config, world.clearing)))
    path = f"/v1/terminals/{POOL_TERMINAL}/leases/4"
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (200, b"keys for " + path.encode())
    with pytest.raises(NotFound, match="not in use"):
        world.clearing.lease(667, 0)
    assert client.get("/v1/terminals/667/leases/0").status_code == 404
    world.vault.down = True
    answer = client.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (503, "vault")


def test_a_revoked_terminal_hears_why(world):
    with pytest.raises(NotFound, match="revoked on 2026-11-01"):
        world.clearing._vault.lease(666, 0)


def test_the_table_comes_sealed(world):
    world.desk.load(world.holder)
    world.sync()
    client = httpx.Client(base_url="http://c", transport=httpx.WSGITransport(create_app(world.config, world.clearing)))
    answer = client.get("/v1/nullifier-table")
    assert answer.content[:4] == b"MT\x01\x00"
    assert len(answer.content) == 8 + 16 + 24
