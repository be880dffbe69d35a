"""The vault over HTTP: each party may ask its own questions, and the log says who asked what, and nothing of a pass."""

import json
import struct

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from card.lease import WrappingKey, unwrap
from keys.http import BACKEND, ISSUER, MOST_RECORDS, Caller, create_app
from keys.register import Terminal
from tests.city import CENTS, DAY, TERMINAL, PaperLog, vault_of
from tests.keys import test_balance as officers
from tests.records import PaperPass, doubt, line, many

DEVICE = "0011223344556677"
CARD = {"uid": "04112233445566", "generation": 1}


class World:
    def __init__(self):
        self.vault = vault_of()
        self.vault.register.terminals[str(TERMINAL)] = Terminal(DEVICE)
        for name in ("Aïcha", "Bram"):
            public = officers.OFFICERS[name].public_key().public_bytes_raw()
            self.vault.register.officers[name] = public.hex()
        self.log = PaperLog()
        self.app = create_app(self.vault, self.log)

    def client(self, party):
        app = Caller(self.app, party) if party else self.app
        return httpx.Client(base_url="http://vault", transport=httpx.WSGITransport(app=app))


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(scope="module")
def issuer(world):
    return world.client(ISSUER)


@pytest.fixture(scope="module")
def backend(world):
    return world.client(BACKEND)


def balance_form(vault, names=("Aïcha", "Bram"), content=None, sealed=None):
    content = content or officers.request()
    signed = [{"officer": each.officer, "signature": each.signature.hex()} for each in officers.signed(content, *names)]
    table = officers.table(vault, officers.rows_of(vault, officers.UID)) if sealed is None else sealed
    return {
        "data": {"request": json.dumps({"request": content.decode(), "signatures": signed})},
        "files": {"table": table},
    }


def every_call(vault):
    record = PaperPass(vault).tap(1)
    return {
        "prove": (BACKEND, "POST", "/v1/prove", {"content": record}),
        "audit": (BACKEND, "POST", "/v1/audit", {"content": line(record)}),
        "lease": (BACKEND, "GET", f"/v1/terminals/{TERMINAL}/leases/0", {}),
        "card_keys": (ISSUER, "POST", "/v1/card-keys", {"json": CARD}),
        "balance": (ISSUER, "POST", "/v1/balance", balance_form(vault)),
    }


CALLS = ("prove", "audit", "lease", "card_keys", "balance")


@pytest.mark.parametrize("name", CALLS)
def test_each_call_is_for_one_party_and_the_log_says_who_tried(world, name):
    party, method, path, content = every_call(world.vault)[name]
    for caller, status in ((ISSUER, 200 if party == ISSUER else 403), (BACKEND, 200 if party == BACKEND else 403)):
        answer = world.client(caller).request(method, path, **content)
        assert answer.status_code == status, answer.text
        actor = "Aïcha and Bram" if name == "balance" and status == 200 else caller
        assert (world.log.lines[-1][0], world.log.lines[-1][2], world.log.lines[-1][5]) == (actor, name, str(status))
    for stranger in (None, "somebody"):
        answer = world.client(stranger).request(method, path, **content)
        assert answer.status_code == (403 if stranger else 401)


def test_no_header_makes_a_caller_a_party(world):
    headers = {"meedoen.party": BACKEND, "Meedoen-Party": BACKEND, "Authorization": "Bearer backend"}
    answer = world.client(None).post("/v1/prove", content=bytes(102), headers=headers)
    assert answer.status_code == 401


def test_who_may_not_ask_does_not_hear_whether_the_question_was_right(backend):
    assert backend.post("/v1/card-keys", json={}).status_code == 403


def test_every_call_that_there_is_has_its_party(world):
    rules = {rule.endpoint for rule in world.app.url_map.iter_rules() if rule.rule.startswith("/v1/")}
    assert rules == {*CALLS, "openapi.spec"}


def test_proofs_come_in_the_order_of_the_records_and_say_nothing_of_a_pass(world, backend):
    records = many(world.vault, 30, passes=4)
    wrong = bytes(102)
    proofs = list(struct.iter_unpack("<IIB16s", backend.post("/v1/prove", content=records + wrong).content))
    assert [sequence for _, sequence, _, _ in proofs] == [*range(1, 31), 0]
    assert [reason for _, _, reason, _ in proofs] == [0] * 30 + [1]
    assert len({nullifier for *_, nullifier in proofs[:30]}) == 30
    assert proofs[30] == (0, 0, 1, bytes(16))


def test_the_audit_names_records_and_no_pass(world, backend):
    holder = PaperPass(world.vault)
    lines = [line(holder.tap(1)), doubt(holder.torn(2)), line(holder.tap(3))]
    holder.tap(4)
    lines.append(line(holder.tap(5)))
    answer = backend.post("/v1/audit", params={"fromTheStart": True}, content=b"".join(lines)).json()
    assert answer == {
        "records": 4,
        "unnamed": 0,
        "findings": [
            {"kind": "did_not_happen", "terminal": TERMINAL, "sequence": 2, "nullifier": None},
            {"kind": "missing", "terminal": TERMINAL, "sequence": 4, "nullifier": None},
        ],
    }


def test_a_long_audit_is_read_in_pieces(world, backend):
    holder = PaperPass(world.vault)
    lines = b"".join(line(holder.tap(number)) for number in range(1, 4)) * (MOST_RECORDS // 3 + 5)
    assert len(lines) > MOST_RECORDS * 103
    answer = backend.post("/v1/audit", content=lines).json()
    assert (answer["records"], answer["findings"]) == (len(lines) // 103, [])


def test_keys_come_wrapped_to_their_device(world, backend):
    state = world.vault.wrapping_key(TERMINAL, bytes.fromhex(DEVICE)).state
    wrapping = WrappingKey(state)
    for number in range(3):
        lease = backend.get(f"/v1/terminals/{TERMINAL}/leases/{number}").content
        content = json.loads(unwrap(wrapping, TERMINAL, bytes.fromhex(DEVICE), lease))
        assert (content["terminal"], content["day"]) == (TERMINAL, DAY)
        wrapping.step()


def test_no_keys_for_who_is_unknown_or_revoked(world, backend):
    world.vault.register.terminals["666"] = Terminal("00" * 8, "2026-11-02")
    for path, why in (("667/leases/0", "no device here"), ("666/leases/0", "revoked on 2026-11-02")):
        answer = backend.get(f"/v1/terminals/{path}")
        assert (answer.status_code, why in answer.json()["detail"]) == (404, True)
    assert backend.get(f"/v1/terminals/{TERMINAL}/leases/100000").status_code == 404


def test_a_year_without_keys_is_no_fault_of_the_terminal(world, backend):
    today = world.vault.today
    world.vault.today = lambda: officers.date_of(4018)
    try:
        assert backend.get(f"/v1/terminals/{TERMINAL}/leases/0").status_code == 503
    finally:
        world.vault.today = today


def test_a_balance_by_purse(world, issuer):
    answer = issuer.post("/v1/balance", **balance_form(world.vault)).json()
    assert answer["balances"][0] == {"purse": CENTS, "amount": 1600}
    assert answer["asOf"] == officers.date_of(DAY).isoformat()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"names": ("Bram",)}, 403),
        ({"names": ("Bram", "Cor")}, 403),
        ({"content": officers.request(uid="00")}, 400),
        ({"sealed": b"table"}, 400),
    ],
)
def test_a_balance_that_is_refused_is_a_problem_with_its_reason(world, issuer, changes, status):
    answer = issuer.post("/v1/balance", **balance_form(world.vault, **changes))
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]
    assert world.log.lines[-1][0] == ISSUER


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"request": 1, "signatures": []}', '{"request": "", "signatures": [1]}']
)
def test_a_form_that_is_none_is_a_problem(world, issuer, text):
    answer = issuer.post("/v1/balance", data={"request": text}, files={"table": b"table"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/prove", b""),
        ("/v1/prove", bytes(101)),
        ("/v1/audit", b""),
        ("/v1/audit", bytes(104)),
        ("/v1/card-keys", b"{}"),
        ("/v1/card-keys", b"["),
        ("/v1/card-keys", json.dumps({**CARD, "uid": "04"}).encode()),
        ("/v1/none", b""),
    ],
)
def test_a_bad_question_is_a_problem(world, path, content):
    client = world.client(ISSUER if "card" in path else BACKEND)
    answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code


def test_more_than_may_be_asked_at_once_is_refused_before_it_is_read(backend):
    answer = backend.post("/v1/prove", content=bytes((MOST_RECORDS + 1) * 102))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_log_counts_and_names_no_pass(world, backend, issuer):
    world.log.lines.clear()
    backend.post("/v1/prove", content=many(world.vault, 25, passes=3))
    issuer.post("/v1/card-keys", json=CARD)
    issuer.post("/v1/balance", **balance_form(world.vault))
    backend.get(f"/v1/terminals/{TERMINAL}/leases/7")
    said = [(actor, action, kind, count) for actor, _, action, kind, count, _ in world.log.lines]
    assert said == [
        (BACKEND, "prove", "record", 25),
        (ISSUER, "card_keys", "keys of a pass", 1),
        ("Aïcha and Bram", "balance", "balance of a pass", 1),
        (BACKEND, "lease", "keys of a terminal", 1),
    ]
    assert CARD["uid"] not in repr(world.log.lines)


def test_the_specification_names_every_call(backend):
    spec = backend.get("/v1/openapi.json").json()
    assert set(spec["paths"]) == {
        "/prove",
        "/audit",
        "/balance",
        "/card-keys",
        "/terminals/{terminal}/leases/{number}",
    }


def test_a_table_of_another_city_tells_nothing(world, issuer):
    foreign = officers.TABLE_MAGIC + b"\x02\x00\x00\x00"
    foreign += AESSIV(bytes(32)).encrypt(bytes(24), [foreign])
    assert issuer.post("/v1/balance", **balance_form(world.vault, sealed=foreign)).status_code == 403
