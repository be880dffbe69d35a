"""The desk's HTTP interface: what it answers, what it refuses, and what it never tells or writes down."""

import logging
from pathlib import Path

import httpx
import pytest

from card.signing import SEAL_BYTES
from issuer import hotlist
from issuer.hotlist import changes_of
from issuer.http import ApiConfig, create_api
from issuer.printed_code import LETTERS
from issuer.registry import Base, Registry, passes
from issuer.scheme import load_scheme
from tests.city import list_keys, on_a_terminal
from tests.issuer.a_registry import TODAY, all_passes, block, give_pass, holder, in_memory, noon, take
from tests.issuer.test_desk import CHILD, SCHEME, SISTER
from web.api import Contact

CODE = "K7QW-M2XP"
NO_CODES = [f"AAAA-AAA{letter}" for letter in LETTERS[:20]]
RIGHT = {"printedCode": CODE, "birthDate": CHILD.born.isoformat()}
CONTACT = Contact("Gelredam", "pas@gelredam.example", "https://gelredam.example/pas")
SCHEMES = sorted((Path(__file__).parents[2] / "schemes").glob("*.toml"))
PATHS = ("/v1/hotlist", "/v1/hotlist/changes", "/v1/scheme", "/health", "/v1/openapi.json")


@pytest.fixture
def registry():
    made = in_memory()
    take(made, [CHILD, SISTER])
    return made


@pytest.fixture
def card(registry):
    return give_pass(registry, holder(registry, CHILD), CODE)


def api(registry, **changes):
    config = {"scheme": SCHEME, "lists": list_keys(), "contact": CONTACT, "now": noon, "today": lambda: TODAY}
    return create_api(ApiConfig(registry, **{**config, **changes}))


def client_of(app, address="203.0.113.7"):
    transport = httpx.WSGITransport(app=app, remote_addr=address)
    return httpx.Client(transport=transport, base_url="http://desk.test")


@pytest.fixture
def client(registry):
    with client_of(api(registry)) as made:
        yield made


def report(client, **changes):
    return client.post("/v1/pass-blocks", json={**RIGHT, **changes})


def problem(answer, status):
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    return body


def states(registry):
    return [one.state for one in all_passes(registry)]


# The hotlist


def test_the_hotlist_is_that_of_the_terminals(registry, card, client):
    block(registry, card)
    answer = client.get("/v1/hotlist")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    assert on_a_terminal(answer.content).blocks(card.handle, 0)
    assert card.handle[:8] not in answer.content


@pytest.mark.parametrize("path", ["/v1/hotlist", "/v1/hotlist/changes"])
def test_an_unchanged_hotlist_is_not_sent_again_and_a_changed_one_is(registry, card, client, path):
    first = client.get(path)
    version = on_a_terminal(client.get("/v1/hotlist").content).version
    assert (first.headers["ETag"], first.headers["Cache-Control"]) == (f'"{version}"', "no-cache")
    for known in (f'"{version}"', f'W/"{version}"', f'"1", "{version}"'):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", f'"{version}"')
    block(registry, card)
    changed = client.get(path, headers={"If-None-Match": f'"{version}"'})
    assert changed.status_code == 200
    assert on_a_terminal(client.get("/v1/hotlist").content).blocks(card.handle, 0)


def test_the_changes_are_those_at_the_end_of_the_whole_list(registry, card, client):
    block(registry, card)
    whole, changes = (client.get(path).content[:-SEAL_BYTES] for path in ("/v1/hotlist", "/v1/hotlist/changes"))
    assert whole.endswith(changes)
    assert whole != changes


def test_a_list_is_made_once_however_many_ask(registry, card, client, monkeypatch):
    made = []
    publish = hotlist.publish
    monkeypatch.setattr(hotlist, "publish", lambda *about: made.append(about) or publish(*about))
    for path in ("/v1/hotlist", "/v1/hotlist/changes", "/v1/hotlist"):
        client.get(path)
    assert len(made) == 1


def test_without_a_list_the_answer_says_so(registry, card, client, monkeypatch):
    monkeypatch.setattr(
        hotlist, "changes_to", lambda base, key, number, issued: changes_of(base, key, number, [card.handle])
    )
    for path in ("/v1/hotlist", "/v1/hotlist/changes"):
        assert "not published" in problem(client.get(path), 503)["detail"]


# A lost pass


def test_a_holder_blocks_a_lost_pass(registry, card, client):
    answer = report(client)
    assert (answer.status_code, answer.content) == (204, b"")
    assert states(registry) == ["blocked"]
    assert report(client).status_code == 204


def test_a_wrong_code_and_a_wrong_date_get_one_answer(registry, card, client):
    answers = [report(client, printedCode="AAAA-BBBB"), report(client, birthDate=SISTER.born.isoformat())]
    assert problem(answers[0], 404) == problem(answers[1], 404)
    assert answers[0].headers == answers[1].headers
    assert states(registry) == ["active"]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"printedCode": "K7QW-M2X0"}, {"printedCode"}),
        ({"printedCode": "K7QWM2XP\n"}, {"printedCode"}),
        ({"printedCode": "K7QW--M2XP"}, {"printedCode"}),
        ({"printedCode": 12345678}, {"printedCode"}),
        ({"birthDate": "20150501"}, {"birthDate"}),
        ({"birthDate": "2015-02-30"}, {"birthDate"}),
        ({"birthDate": "2015-05-01T00:00:00Z"}, {"birthDate"}),
        ({"birthDate": None}, {"birthDate"}),
        ({"name": "Vos"}, {"name"}),
        ({"printedCode": "", "birthDate": "", "name": ""}, {"printedCode", "birthDate", "name"}),
    ],
)
def test_all_that_is_invalid_is_said_at_once_and_not_repeated(registry, card, client, changes, wrong):
    answer = report(client, **changes)
    assert problem(answer, 400)["errors"]["json"].keys() == wrong
    assert not [value for value in changes.values() if value and str(value) in answer.text]
    assert states(registry) == ["active"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"K7QW-M2XP"'])
def test_a_body_that_is_not_an_object_is_invalid(client, body):
    problem(client.post("/v1/pass-blocks", content=body, headers={"Content-Type": "application/json"}), 400)


def test_a_body_that_is_too_long_is_not_read(client):
    problem(client.post("/v1/pass-blocks", json={"printedCode": "A" * 10_000}), 413)


def test_who_is_wrong_too_often_has_to_wait_and_others_do_not(registry, card):
    app = api(registry)
    with client_of(app) as guessing, client_of(app, "198.51.100.1") as owner:
        for day in range(1, 10):
            problem(report(guessing, birthDate=f"2015-06-0{day}"), 404)
        assert report(owner).status_code == 204
        problem(report(guessing, birthDate="2015-06-10"), 404)
        refused = report(guessing)
        problem(refused, 429)
        assert int(refused.headers["Retry-After"]) > 86_000
        problem(report(owner), 429)


def test_what_is_invalid_is_no_try(card, client):
    for _ in range(30):
        problem(report(client, birthDate="long ago"), 400)
    assert report(client).status_code == 204


def test_behind_a_proxy_the_address_is_the_one_that_it_gives(registry, card):
    with client_of(api(registry, proxies=1), "10.0.0.1") as proxy:

        def from_address(address, code):
            forwarded = {"X-Forwarded-For": address}
            return proxy.post("/v1/pass-blocks", json={**RIGHT, "printedCode": code}, headers=forwarded).status_code

        assert [from_address("203.0.113.7", code) for code in NO_CODES] == [404] * 20
        # What a caller writes there itself stands before what the proxy adds.
        assert from_address("198.51.100.1, 203.0.113.7", CODE) == 429
        assert from_address("198.51.100.1", CODE) == 204


def test_without_a_proxy_nobody_chooses_an_address(registry, card, client):
    for number, code in enumerate(NO_CODES):
        forwarded = {"X-Forwarded-For": f"198.51.100.{number}"}
        client.post("/v1/pass-blocks", json={**RIGHT, "printedCode": code}, headers=forwarded)
    problem(report(client), 429)


def test_nothing_of_code_or_date_is_in_a_log_or_an_address(registry, card, client, caplog):
    caplog.set_level(logging.DEBUG)
    answers = [report(client), report(client, birthDate=SISTER.born.isoformat()), report(client, name="x")]
    with registry.transaction() as session:
        Base.metadata.tables["audit_line"].drop(session.connection())
        passes.move(session, passes.coded(session, CODE), "active", "Anja", noon())
    answers.append(report(client))
    problem(answers[-1], 503)
    assert "does not answer" in caplog.text
    for secret in (CODE, "K7QW", CHILD.born.isoformat(), SISTER.born.isoformat()):
        assert secret not in caplog.text
        assert not [answer for answer in answers if secret in str(answer.url) or secret in answer.text]


# What the city says of its pass


def test_the_scheme_is_told_to_everybody(client):
    answer = client.get("/v1/scheme")
    found = answer.json()
    assert (found["municipality"], found["minimumAge"], found["incomePercent"]) == ("Gelredam", 4, 120)
    assert found["passYear"] == {"name": "2026", "firstDay": "2026-01-01", "lastDay": "2026-12-31"}
    assert found["worksUntil"] == "2027-01-31"
    assert found["purses"][3] == {"number": 4, "name": "Korting", "unit": "visit"}
    clothes = next(grant for grant in found["grants"] if grant["name"] == "Kleding kind")
    assert (clothes["purse"], clothes["amount"], clothes["fromAge"], clothes["untilAge"]) == (2, 18000, 4, 17)
    assert clothes["amountWords"] == {"nl": "180,00 euro", "en": "180.00 euros"}
    assert "max-age" in answer.headers["Cache-Control"]


def test_where_the_money_comes_from_is_not_told(client):
    told = client.get("/v1/scheme").text
    assert not [fund.name for fund in SCHEME.funds if fund.name in told]


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "schemes").glob("*.toml")), ids=lambda path: path.stem
)
def test_every_scheme_that_is_here_can_be_told(registry, path):
    scheme = load_scheme(path)
    with client_of(api(registry, scheme=scheme)) as client:
        found = client.get("/v1/scheme").json()
    assert [grant["name"] for grant in found["grants"]] == [grant.name for grant in scheme.grants]
    assert [grant["amount"] is None for grant in found["grants"]] == [grant.tailored for grant in scheme.grants]


def test_health_says_whether_the_registry_answers(tmp_path):
    registry = Registry.at(tmp_path)
    with client_of(api(registry)) as client:
        assert client.get("/health").json() == {"status": "ok"}
        registry.close()
        (tmp_path / "registry.sqlite").unlink()
        (tmp_path / "registry.sqlite").mkdir()
        problem(client.get("/health"), 503)


# Design rules


def test_the_specification_names_every_call(client):
    spec = client.get("/v1/openapi.json").json()
    assert set(spec["paths"]) == {"/hotlist", "/hotlist/changes", "/pass-blocks", "/scheme"}


def test_every_answer_carries_the_version_and_what_a_browser_must_know(client):
    version = client.get("/v1/openapi.json").json()["info"]["version"]
    answers = [client.get(path) for path in (*PATHS, "/v1/holders")] + [client.delete("/v1/scheme"), report(client)]
    for answer in answers:
        assert answer.headers["API-Version"] == version
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_what_is_about_a_pass_is_kept_by_no_cache(card, client):
    assert {report(client).headers["Cache-Control"], report(client, name="x").headers["Cache-Control"]} == {"no-store"}


def test_a_page_of_the_city_may_ask_for_a_block(client):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = client.options("/v1/pass-blocks", headers={"Origin": "https://gelredam.example", **asked})
    assert answer.status_code == 200
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "content-type" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_over_https_a_browser_hears_to_stay_there(registry):
    with client_of(api(registry, proxies=1)) as client:
        over = [client.get("/health", headers={"X-Forwarded-Proto": kind}).headers for kind in ("http", "https")]
    assert ["Strict-Transport-Security" in headers for headers in over] == [False, True]


def test_what_does_not_exist_is_a_problem_too(client):
    problem(client.get("/v1/holders"), 404)
    problem(client.get("/v1/scheme/"), 404)
    assert "GET" in client.delete("/v1/scheme").headers["Allow"]
    problem(client.delete("/v1/scheme"), 405)
