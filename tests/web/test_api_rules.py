"""Every interface against the Dutch rules for interfaces of the government, a test for each that a machine can check.

The names are those of the NLGov REST API Design Rules. Not here are those that need a person to judge: nouns, nesting,
no state, a schedule for what ends.
"""

import re

import httpx
import pytest
from openapi_spec_validator import validate

from backend.http import create_app
from keys.http import BACKEND, Caller
from tests.backend.conftest import World
from tests.city import VAULT_APP
from tests.issuer.a_registry import in_memory
from tests.issuer.test_http import CONTACT, api
from web.api import BASE, SPECIFICATION

INTERFACES = ("desk", "vault", "clearing")
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
KEBAB = re.compile(r"(/([a-z0-9]+(-[a-z0-9]+)*(\.json)?|\{[^/}]+\}))+")
CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("city"))
    yield {
        "desk": api(in_memory()),
        "vault": Caller(VAULT_APP, BACKEND),
        "clearing": create_app(world.config, world.clearing),
    }
    world.clearing.close()


@pytest.fixture(params=INTERFACES)
def client(request, applications):
    transport = httpx.WSGITransport(app=applications[request.param])
    with httpx.Client(transport=transport, base_url="https://interface.test") as made:
        yield made


@pytest.fixture
def spec(client):
    return client.get(SPECIFICATION).json()


def operations(spec):
    return [(path, method, call) for path, calls in spec["paths"].items() for method, call in calls.items()]


def names_in(schema):
    """Every property that a schema has, however deep."""
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from names_in(inner)


def test_doc_openapi(spec):
    validate(spec)
    assert spec["openapi"].startswith("3.1.")
    assert spec["paths"]
    assert all(call["summary"] for _, _, call in operations(spec))


def test_publish_openapi(client):
    """Readable by a page of any site."""
    answer = client.get(SPECIFICATION)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert f"{BASE}/openapi.json" == SPECIFICATION


def test_doc_openapi_contact(applications):
    """Of the interface that is public."""
    with httpx.Client(transport=httpx.WSGITransport(app=applications["desk"]), base_url="https://desk.test") as client:
        assert client.get(SPECIFICATION).json()["info"]["contact"] == vars(CONTACT)


def test_uri_version(client, spec):
    assert [server["url"] for server in spec["servers"]] == [BASE]
    assert re.fullmatch(r"/v\d+", BASE)
    path = next(path for path, _, _ in operations(spec) if "{" not in path)
    assert client.options(BASE + path).status_code == 200
    assert client.options(path).status_code == 404


def test_semver(spec):
    assert SEMVER.fullmatch(spec["info"]["version"])


def test_version_header(client, spec):
    for path in (SPECIFICATION, f"{BASE}/nothing"):
        assert client.get(path).headers["API-Version"] == spec["info"]["version"]
    for _, _, call in operations(spec):
        assert all("API-Version" in answer["headers"] for answer in call["responses"].values())


def test_no_trailing_slash(client, spec):
    assert not [path for path in spec["paths"] if path.endswith("/")]
    path = next(path for path, _, _ in operations(spec) if "{" not in path)
    assert client.get(f"{BASE}{path}/").status_code == 404


def test_path_segments_kebab_case(spec):
    assert not [path for path in spec["paths"] if not KEBAB.fullmatch(path)]


def test_query_keys_camel_case(spec):
    given = [part for _, _, call in operations(spec) for part in call["parameters"] if part["in"] == "query"]
    assert not [part["name"] for part in given if not CAMEL.fullmatch(part["name"])]


def test_names_of_properties(spec):
    schemas = spec["components"]["schemas"]
    assert not [name for schema in schemas.values() for name in names_in(schema) if not CAMEL.fullmatch(name)]
    assert not [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)]


def test_http_methods(spec):
    assert {method for _, method, _ in operations(spec)} <= {"get", "post", "put", "patch", "delete"}


def test_http_response_code(client, spec):
    """What is not there, and what cannot be done with what is."""
    assert client.get(f"{BASE}/nothing").status_code == 404
    path, method, _ = next(each for each in operations(spec) if "{" not in each[0])
    answer = client.patch(BASE + path)
    assert answer.status_code == 405
    assert method.upper() in answer.headers["Allow"]


def test_problem_details(client, spec):
    answer = client.get(f"{BASE}/nothing")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "detail"}
    assert set(spec["components"]["schemas"]["Problem"]["required"]) >= {"title", "status", "detail"}
    refusals = [
        answer for _, _, call in operations(spec) for status, answer in call["responses"].items() if int(status) >= 400
    ]
    assert {tuple(answer["content"]) for answer in refusals} == {("application/problem+json",)}


def test_security_headers(client):
    headers = client.get(f"{BASE}/nothing").headers
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "max-age" in headers["Strict-Transport-Security"]
    assert "Set-Cookie" not in headers


def test_cors(applications):
    """Pages of any site may ask the desk, where nothing depends on who asks; what needs a token is closed to them."""
    for name, allowed in (("desk", True), ("vault", False), ("clearing", False)):
        with httpx.Client(transport=httpx.WSGITransport(app=applications[name]), base_url="https://x.test") as client:
            assert ("Access-Control-Allow-Origin" in client.get(f"{BASE}/nothing").headers) == allowed


def test_no_sensitive_uris(spec):
    """Numbers of terminals, settlements and cases, and days; nothing of a pass or a person."""
    names = {part["name"] for _, _, call in operations(spec) for part in call["parameters"]}
    assert not {name for name in names if re.search("uid|handle|holder|person|birth|code|nullifier|iban", name, re.I)}
