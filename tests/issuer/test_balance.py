"""The balance of a lost pass on the command line, with the vault's and the backend's own applications behind it."""

import json

import httpx
import pytest

from issuer.balance import ask, request_for, sealed_table
from issuer.errors import DeskError, VaultRefused
from issuer.registry.tables import CardPass
from issuer.vault_client import VaultAddress, VaultClient
from keys.days import date_of
from keys.http import ISSUER, Caller, create_app
from tests.city import CENTS, CLOTHES, DAY, PaperLog, vault_of
from tests.keys import test_balance as officers

LOST = CardPass(uid=officers.UID, handle=bytes(16), generation=1, key_versions={})
TODAY = date_of(DAY)


@pytest.fixture(scope="module")
def vault():
    made = vault_of()
    for name in ("Aïcha", "Bram"):
        made.register.officers[name] = officers.OFFICERS[name].public_key().public_bytes_raw().hex()
    return made


@pytest.fixture(scope="module")
def client(vault):
    app = Caller(create_app(vault, PaperLog()), ISSUER)
    return VaultClient(VaultAddress("http://vault"), httpx.WSGITransport(app=app))


def signatures(request, *names):
    return [
        json.dumps({"officer": each.officer, "signature": each.signature.hex()}).encode()
        for each in officers.signed(request, *names)
    ]


def test_two_officers_get_the_balance_of_the_pass_that_was_asked_for(vault, client):
    request = request_for(LOST, 1, "verloren", TODAY)
    table = officers.table(vault, officers.rows_of(vault, officers.UID) + officers.rows_of(vault, officers.STRANGER))
    found = ask(request, signatures(request, "Aïcha", "Bram"), client, table)
    assert (found.balances, found.as_of) == ({CENTS: 1600, CLOTHES: 4999}, TODAY)


def test_the_vaults_reason_reaches_the_desk(vault, client):
    request = request_for(LOST, 1, "verloren", TODAY)
    with pytest.raises(VaultRefused, match="2 different officers"):
        ask(request, signatures(request, "Bram"), client, officers.table(vault, []))


def test_without_a_reason_nothing_is_asked():
    with pytest.raises(DeskError, match="Say why"):
        request_for(LOST, 1, "  ", TODAY)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"officer": "Bram"}'])
def test_what_is_no_signature_is_named(client, content):
    with pytest.raises(DeskError, match="is not a signature"):
        ask(b"{}", [content.encode()], client, b"")


def test_the_table_comes_from_clearing_as_it_is():
    def clearing(request):
        assert request.url.path == "/v1/nullifier-table"
        return httpx.Response(200, content=b"sealed")

    assert sealed_table("http://clearing", httpx.MockTransport(clearing)) == b"sealed"
    with pytest.raises(DeskError, match="refused this desk"):
        sealed_table("http://clearing", httpx.MockTransport(lambda request: httpx.Response(401)))

    def nobody(request):
        raise httpx.ConnectError("no route", request=request)

    with pytest.raises(DeskError, match="cannot be reached"):
        sealed_table("http://clearing", httpx.MockTransport(nobody))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="hello"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"balances": [{}], "asOf": "2026-11-21"}),
        httpx.Response(200, json={"balances": []}),
    ],
)
def test_an_answer_that_is_none_is_one_sentence(answer, tmp_path):
    client = VaultClient(VaultAddress("http://vault"), httpx.MockTransport(lambda request: answer))
    with pytest.raises(DeskError, match="administrator"):
        ask(b"{}", [], client, b"")
