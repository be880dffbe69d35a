"""The HTTP interface: answers as agreed, problems in words, tokens where they are set."""

import io
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from backend.errors import ImportRefused
from backend.http import create_app
from card.batch import MOST_ENTRIES, freshness_mac, link_key, statement_mac
from card.signing import CERTIFICATE_BYTES, SEAL_BYTES
from tests.backend.a_bank import camt
from tests.backend.conftest import CERTIFICATE, LINK_ROOT, SIGNING_KEY
from web.log import EventLog

ROOT = "http://clearing.test"


def client_of(world, **tokens):
    config = world.config.model_copy(update=tokens)
    app = create_app(config, world.clearing)
    return httpx.Client(transport=httpx.WSGITransport(app=app), base_url=ROOT)


@pytest.fixture
def client(world):
    with client_of(world) as made:
        yield made


def hand_in(client, terminal, body, **options):
    return client.post(f"/v1/terminals/{terminal}/batches", content=body, **options)


def test_a_batch_is_taken(world, client):
    world.pool.tap(world.holder)
    answer = hand_in(client, 101, world.pool.batch())
    assert answer.status_code == 200
    assert answer.json() == {
        "terminal": 101, "accepted": 1, "duplicates": 0, "nextPosition": 2, "gaps": [], "pending": 0, "refused": [],
    }  # fmt: skip
    assert answer.headers["API-Version"] == "1.0.0"


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title"} <= body.keys()
    return body


def test_a_batch_that_cannot_be_read_is_a_problem_and_kept(world, client):
    world.pool.tap(world.holder)
    hand_in(client, 101, world.pool.batch())
    body = problem(hand_in(client, 101, b"MB"), 400)
    assert (body["kept"], body["reason"], body["nextPosition"]) == (True, "format", 2)
    assert client.get("/v1/exceptions").json()["counts"]["unreadable"] == 1


def test_a_batch_of_an_unknown_terminal_is_not_found_and_kept(world, client):
    stranger = world.terminal(102)
    stranger.tap(world.holder)
    body = problem(hand_in(client, 102, stranger.batch()), 404)
    assert (body["kept"], body["reason"], body["nextPosition"]) == (True, "terminal", 1)


def test_two_journals_are_a_conflict(world, client):
    world.pool.tap(world.holder)
    hand_in(client, 101, world.pool.batch())
    other = world.terminal(101)
    other.tap(world.stranger)
    body = problem(hand_in(client, 101, other.batch()), 409)
    assert (body["kept"], body["reason"], body["nextPosition"]) == (True, "two journals", 2)


def test_refused_records_are_told_one_by_one(world, client):
    world.pool.tap(world.holder)
    world.pool.tap(world.holder, offer=99)
    body = problem(hand_in(client, 101, world.pool.batch()), 422)
    assert body["refused"] == [{"position": 2, "sequence": 2, "reason": "offer"}]
    assert (body["kept"], body["accepted"], body["nextPosition"]) == (True, 2, 3)


def test_a_batch_may_come_as_json(world, client):
    world.pool.tap(world.holder)
    path, batch = "/v1/terminals/101/batches", b64encode(world.pool.batch()).decode()
    assert client.post(path, json={"batch": batch}).json()["accepted"] == 1
    assert hand_in(client, 101, world.pool.batch()).json()["duplicates"] == 1
    body = client.get("/v1/openapi.json").json()["paths"]["/terminals/{terminal}/batches"]["post"]["requestBody"]
    assert set(body["content"]) == {"application/octet-stream", "application/json"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"batch": 7}', b'{"batch": "?"}', b'{"batch": null}'])
def test_json_without_a_batch_is_refused_and_nothing_is_kept(world, client, content):
    answer = hand_in(client, 101, content, headers={"Content-Type": "application/json"})
    assert "detail" in problem(answer, 400)
    assert world.quarantine() == []


@pytest.mark.parametrize("batch", [b'{"batch": "\\u0000"}', b'{"batch": "\\ud800"}', b'{"batch":' + b"[" * 50000])
def test_json_that_is_nested_too_deep_or_holds_no_text_is_refused_and_nothing_is_kept(world, client, batch):
    answer = hand_in(client, 101, batch, headers={"Content-Type": "application/json"})
    assert "detail" in problem(answer, 400)
    assert world.quarantine() == []


@pytest.mark.parametrize("path", ["/v1/settlements/a%00b", "/v1/exceptions/a%00b", "/v1/exceptions?kind=%00"])
def test_an_address_with_what_no_database_keeps_is_refused(client, path):
    assert "detail" in problem(client.get(path), 400)


@pytest.mark.parametrize("text", [b"\\u0000", b"\\ud800"])
def test_words_that_no_database_keeps_are_refused(world, client, text):
    world.pool.tap(world.holder, offer=99)
    world.sync()
    (case,) = client.get("/v1/exceptions", params={"kind": "refused"}).json()["cases"]
    body = b'{"by": "Dirk", "reason": "other", "note": "%b"}' % text
    answer = client.post(
        f"/v1/exceptions/{case['id']}/closings", content=body, headers={"Content-Type": "application/json"}
    )
    assert "detail" in problem(answer, 400)


def test_the_longest_batch_that_a_terminal_may_make_is_taken(world, client):
    for _ in range(MOST_ENTRIES):
        world.pool.void()
    batch = world.pool.batch()
    answer = client.post("/v1/terminals/101/batches", json={"batch": b64encode(batch).decode()})
    assert answer.json()["accepted"] == MOST_ENTRIES
    assert hand_in(client, 101, batch).json()["duplicates"] == MOST_ENTRIES


def test_a_batch_that_is_too_long_is_not_read(world, client):
    problem(hand_in(client, 101, bytes(200_000)), 413)
    assert client.get("/v1/exceptions?kind=unreadable").json()["cases"] == []


def test_the_vault_being_down_does_not_stop_the_way_in(world, client):
    world.vault.down = True
    world.pool.tap(world.holder)
    assert hand_in(client, 101, world.pool.batch()).json()["pending"] == 1
    assert client.get("/health").json() == {"status": "ok", "pending": 1, "quarantine": 0}


def test_a_bundle_comes_as_bytes(world, client):
    answer = client.post("/v1/terminals/101/bundle?day=2500", content=statement(client))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    answer = client.post("/v1/terminals/101/bundle", content=statement(client))
    made = answer.content[:-SEAL_BYTES]
    assert made[:-16] == world.clearing.venues.bundle_for(101)
    assert made[-16:] == freshness_mac(KEY, NONCE, made[:-16])
    problem(client.post("/v1/terminals/999/bundle"), 404)
    assert "errors" in problem(client.post("/v1/terminals/101/bundle?day=monday"), 400)
    problem(client.post("/v1/terminals/101/bundle?day=-1"), 400)


def test_a_bundle_is_signed_for_hosts_up_to_the_last_day_of_the_certificate(world, client):
    world.now = datetime(2027, 12, 31, 12, tzinfo=UTC)
    signed = client.post("/v1/terminals/101/bundle", content=statement(client)).content
    made, seal = signed[:-SEAL_BYTES], signed[-SEAL_BYTES:]
    assert seal[:CERTIFICATE_BYTES] == CERTIFICATE
    SIGNING_KEY.public_key().verify(seal[CERTIFICATE_BYTES:], b"meedoen bundle\x00" + made)
    world.now += timedelta(days=1)
    said = problem(client.post("/v1/terminals/101/bundle", content=statement(client)), 503)
    assert (said["reason"], "until 2027-12-31" in said["detail"]) == ("certificate", True)
    assert "meedoen backend init" in said["detail"]
    # What the terminal brings is taken in all the same.
    world.pool.tap(world.holder)
    assert hand_in(client, 101, world.pool.batch()).status_code == 200


KEY, NONCE = link_key(LINK_ROOT, 101), b"\x09" * 8


def statement(client, journal=0, key=KEY, nonce=NONCE, terminal=101):
    """What a terminal says of itself to the challenge of now."""
    challenge = bytes.fromhex(client.get(f"/v1/terminals/{terminal}").json()["challenge"])
    said = json.dumps({"journal": journal, "nonce": nonce.hex()}).encode()
    return challenge + statement_mac(key, challenge, said) + said


def refused(client, content, status, terminal=101):
    return problem(client.post(f"/v1/terminals/{terminal}/bundle", content=content), status)["reason"]


def test_a_terminal_that_is_made_up_gets_no_bundle(client):
    assert refused(client, statement(client, key=link_key(LINK_ROOT, 201)), 403) == "statement"
    assert refused(client, statement(client, terminal=201), 409) == "challenge"


@pytest.mark.parametrize("at", [0, 7, 8, 15, 16, 31, 32, -2])
def test_a_statement_that_was_altered_on_its_way_is_noticed(client, at):
    said = bytearray(statement(client))
    said[at] ^= 1
    assert refused(client, bytes(said), 409 if 0 <= at < 16 else 403) in ("challenge", "statement")


@pytest.mark.parametrize("content", [b"", b"x", bytes(16), bytes(32), bytes(40)])
def test_what_is_no_statement_is_refused(client, content):
    assert refused(client, content, 409) == "challenge"


def test_a_terminal_that_says_something_else_is_refused(client):
    challenge = bytes.fromhex(client.get("/v1/terminals/101").json()["challenge"])
    for said in (b"", b"[]", b"{}", b'{"journal": 0, "nonce": "x"}', b"\xff"):
        assert refused(client, challenge + statement_mac(KEY, challenge, said) + said, 403) == "statement"


def test_a_statement_counts_for_a_quarter_of_an_hour(world, client):
    said = statement(client)
    world.now += timedelta(seconds=900)
    assert client.post("/v1/terminals/101/bundle", content=said).status_code == 200
    world.now += timedelta(seconds=1)
    assert refused(client, said, 409) == "challenge"


def test_who_keeps_records_back_gets_no_new_offers(world, client):
    world.pool.tap(world.holder)
    world.pool.tap(world.holder)
    assert refused(client, statement(client, journal=2), 409) == "withheld"
    hand_in(client, 101, world.pool.batch())
    assert client.post("/v1/terminals/101/bundle", content=statement(client, journal=2)).status_code == 200


def test_a_statement_that_is_too_long_is_not_read(client):
    problem(client.post("/v1/terminals/101/bundle", content=bytes(5000)), 413)


def test_a_refused_record_is_tried_again(world, client):
    world.pool.tap(world.holder, offer=99)
    hand_in(client, 101, world.pool.batch())
    (case,) = client.get("/v1/exceptions?kind=refused").json()["cases"]
    assert (case["reason"], case["terminal"], case["first"]) == ("offer", 101, 1)
    assert case["since"] == "2026-11-02T09:00:00+00:00"
    assert case["facts"]["offer"] == 99
    retry, by = f"/v1/exceptions/{case['id']}/retries", {"by": "Anna"}
    assert client.post(retry, json=by).json() == {"id": 1, "resolved": False, "reason": "offer"}
    world.import_venues((world.folder / "venues.toml").read_text().replace("number = 12", "number = 99"))
    with pytest.raises(ImportRefused):
        world.import_venues("[[venue]]")
    assert client.post(retry, json=by).json()["reason"] == "amount"
    problem(client.post("/v1/exceptions/item:777/retries", json=by), 404)
    assert "errors" in problem(client.post(retry, json={}), 400)
    world.vault.down = True
    assert problem(client.post(retry, json=by), 503)["reason"] == "vault"


def test_resolved_items_are_shown_when_asked_for(world, client):
    late = world.terminal(102)
    late.tap(world.holder)
    hand_in(client, 102, late.batch())
    world.import_venues((world.folder / "venues.toml").read_text().replace("[101]", "[101, 102]"))
    hand_in(client, 102, late.batch())
    assert client.get("/v1/exceptions?kind=unreadable").json()["cases"] == []
    (case,) = client.get("/v1/exceptions?kind=unreadable&ended=true").json()["cases"]
    assert case["status"] == "resolved"


def test_settlements_are_shown_and_their_files_given(world, client):
    world.pool.tap(world.holder)
    world.sync()
    made = world.clearing.settlements.prepare(world.pool.day, "Anna")
    path = f"/v1/settlements/{made.number}"
    assert problem(client.get(f"{path}/payments"), 409)["reason"] == "not approved"
    world.clearing.settlements.approve(made.number, "Bram")
    assert client.get("/v1/settlements").json() == [client.get(path).json()]
    shown = client.get(path).json()
    assert (shown["state"], shown["total"], shown["lines"][0]["endToEndId"]) == ("approved", 500, "MD-1-2026-001-5")
    assert client.get(f"{path}/payments").content == world.clearing.settlements.payment_file(made.number)
    statement = client.get(f"{path}/venues/5/statement")
    assert statement.headers["Content-Type"] == "application/pdf"
    assert statement.content.startswith(b"%PDF")
    problem(client.get(f"{path}/venues/6/statement"), 404)
    problem(client.get("/v1/settlements/2026-777"), 404)
    assert client.get("/v1/totals").json() == world.clearing.totals()


def test_what_the_bank_says_is_taken_and_what_waits_is_shown(world, client):
    world.pool.tap(world.holder)
    world.sync()
    made = world.clearing.settlements.prepare(world.pool.day, "Anna")
    world.clearing.settlements.approve(made.number, "Bram")
    statement = camt([("DBIT", 500, "MD-1-2026-001-5"), ("DBIT", 7, None)])
    taken = client.post("/v1/bank/files?by=Chris", content=statement).json()
    assert (taken["kind"], taken["messageId"], taken["counts"]) == ("camt.053", "S1", {"paid": 1, "unmatched": 1})
    assert client.post("/v1/bank/files?by=Chris", content=statement).json()["known"]
    (line,) = client.get("/v1/settlements/2026-001").json()["lines"]
    assert (line["state"], line["account"], line["reopened"]) == ("paid", "first", [])
    (held,) = client.get("/v1/bank/statements").json()
    assert (held["number"], held["closing"], held["missing"], held["unexplained"]) == (1, 999493, None, 0)
    (entry,) = client.get("/v1/bank/entries").json()
    assert (entry["why"], entry["happenedOn"], entry["state"]) == ("unknown", "2026-11-04", "open")
    assert problem(client.post("/v1/bank/files?by=Chris", content=b"<x/>"), 400)["reason"] == "version"
    problem(client.post("/v1/bank/files", content=statement), 400)
    problem(client.post("/v1/bank/files?by=Chris", content=bytes(9_000_000)), 413)


def test_a_budget_that_is_exceeded_is_told(world):
    world.config = type(world.config)(
        data=world.config.data, **world.config.model_dump() | {"budgets": {"Rotary": 100}}
    )
    world.clearing = world.open()
    world.desk.load(world.holder, grant=9, amount=150)
    world.sync()
    with client_of(world) as client:
        (told,) = client.get("/v1/totals").json()["budgets"]
    assert told == {
        "fund": "Rotary", "unit": "cent", "until": "2026-12-31", "budget": 100, "given": 150, "over": 50,
    }  # fmt: skip


def test_where_a_token_is_set_it_is_asked_for(world):
    tokens = {"transport_token": "transport-token-1", "finance_token": "finance-token-12"}
    world.config = type(world.config)(data=world.config.data, **world.config.model_dump() | tokens)
    with client_of(world) as client:
        journal, finance = "/v1/terminals/101", "/v1/exceptions"
        for path in (journal, finance):
            assert problem(client.get(path), 401)["reason"] == "token"
        for token, opens, closed in [("transport-token-1", journal, finance), ("finance-token-12", finance, journal)]:
            headers = {"Authorization": f"Bearer {token}"}
            assert client.get(opens, headers=headers).status_code == 200
            problem(client.get(closed, headers=headers), 401)
        problem(hand_in(client, 101, b"x"), 401)
        problem(client.post("/v1/terminals/101/bundle", content=b"x"), 401)
        assert client.get("/health").status_code == 200
    assert world.reasons() == []


def test_what_does_not_exist_is_a_problem_too(client):
    problem(client.get("/v1/holders"), 404)
    problem(client.delete("/v1/exceptions"), 405)


def test_the_specification_names_every_call(client):
    spec = client.get("/v1/openapi.json").json()
    assert set(spec["paths"]) == {
        "/audits",
        "/bank/entries",
        "/bank/files",
        "/bank/statements",
        "/nullifier-table",
        "/exceptions",
        "/exceptions/{case}",
        "/exceptions/{case}/bookings",
        "/exceptions/{case}/closings",
        "/exceptions/{case}/confirmations",
        "/exceptions/{case}/refusals",
        "/exceptions/{case}/retries",
        "/settlements",
        "/settlements/{number}",
        "/settlements/{number}/payments",
        "/settlements/{number}/venues/{venue}/invoice",
        "/settlements/{number}/venues/{venue}/statement",
        "/terminals/{terminal}",
        "/terminals/{terminal}/batches",
        "/terminals/{terminal}/bundle",
        "/terminals/{terminal}/leases/{number}",
        "/totals",
    }


def test_a_carrier_learns_where_a_journal_goes_on(world, client):
    for _ in range(4):
        world.pool.tap(world.holder)
    hand_in(client, 101, world.pool.batch(3, 3))
    found = client.get("/v1/terminals/101").json()
    assert len(bytes.fromhex(found.pop("challenge"))) == 16
    assert found == {"terminal": 101, "nextPosition": 1, "gaps": [[1, 2]]}
    hand_in(client, 101, world.pool.batch(1, 3))
    found = client.get("/v1/terminals/101").json()
    assert (found["nextPosition"], found["gaps"]) == (4, [])
    problem(client.get("/v1/terminals/102"), 404)


# For who watches over it


def test_the_metrics_say_what_waits(world):
    world.vault.down = True
    world.pool.tap(world.holder)
    with client_of(world) as client:
        hand_in(client, 101, world.pool.batch())
        hand_in(client, 101, b"MB")
        answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'meedoen_records{state="received"} 1.0' in answer.text
    assert "meedoen_quarantine_open 1.0" in answer.text
    assert 'meedoen_taps{state="received"} 1.0' in answer.text
    assert 'meedoen_taps_cents{state="received"} 500.0' in answer.text
    assert 'meedoen_settlements{state="prepared"} 0.0' in answer.text


def test_who_has_no_token_sees_no_metrics(world):
    with client_of(world, finance_token=SecretStr("a token of finance")) as client:
        problem(client.get("/metrics"), 401)


def test_each_call_is_a_line_that_names_no_transaction(world):
    stream = io.StringIO()
    app = create_app(world.config, world.clearing, EventLog(stream))
    world.pool.tap(world.holder)
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url=ROOT) as client:
        hand_in(client, 101, world.pool.batch())
        client.get("/v1/settlements/2026-001?who=Anna")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["action"], line["object"], line["result"]) for line in lines] == [
        ("POST transport.hand_in", "/v1/terminals/101/batches", "200"),
        ("GET finance.settlement", "/v1/settlements/2026-001", "404"),
    ]
    assert "Anna" not in stream.getvalue()
