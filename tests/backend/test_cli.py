"""The commands of clearing: what they do, what they answer, how they end."""

import json
import shutil

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text
from typer.testing import CliRunner

from backend import config as configuration
from backend.cli import app
from backend.errors import ConfigError
from backend.store import Store
from tests.backend.a_bank import camt
from tests.postgres import a_database

SCHEME = """
[municipality]
name = "Gelredam"
number = 1
aid = "F0E0D1"
df_name = "NL.STADSPAS.0001"
currency = "EUR"

[pass]
year_ends = "12-31"

[[fund]]
name = "Minimabeleid"

[[purse]]
number = 1
name = "Meedoen"
unit = "cent"
ceiling = 22500
fund = "Minimabeleid"

[[grant]]
number = 1
purse = 1
amount = 15000

[[grant]]
number = 2
purse = 1
amount = 5000
fund = "Rotary"
"""
SHOP = """
[[venue]]
number = 5
name = "Zwembad De Plas"
iban = "NL91ABNA0417164300"
purses = [1]
terminals = [101]
[[venue.offer]]
number = 11
name = "Zwemmen"
purse = 1
price = "fixed"
amount = 500
"""
LINK_ROOT, TABLE_KEY = bytes(range(16)).hex(), bytes(range(32)).hex()[::-1]
SIGNING_KEY, CERTIFICATE = bytes(range(64, 96)).hex(), bytes(98).hex()
SECRETS = {
    "vault": {"address": "unix:/run/backend.sock"},
    "link_roots": [LINK_ROOT],
    "table_key": TABLE_KEY,
    "signing_key": SIGNING_KEY,
    "certificate": CERTIFICATE,
}
IBAN = "NL44 RABO 0123 4567 89"


class Desk:
    """Someone at a command line."""

    def __init__(self, folder, vault):
        self.folder = folder
        self.data = folder / "clearing"
        self.vault = httpx.MockTransport(vault)
        (folder / "scheme.toml").write_text(SCHEME)
        (folder / "backend.json").write_text(json.dumps(SECRETS))
        (folder / "venues.toml").write_text(SHOP)

    def __call__(self, *words, status=0):
        answer = CliRunner().invoke(app, [str(word) for word in (*words, "--data", self.data)], obj=self.vault)
        assert answer.exit_code == status, answer.output
        return answer.output

    def init(self, *more, iban=IBAN, **options):
        scheme, keys = self.folder / "scheme.toml", self.folder / "backend.json"
        return self("init", "--scheme", scheme, "--keys", keys, "--iban", iban, *more, **options)


@pytest.fixture
def desk(tmp_path, world):
    (tmp_path / "desk").mkdir()
    return Desk(tmp_path / "desk", world.vault)


def test_from_nothing_to_a_payment_order(desk, world):
    desk.init()
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    world.pool.tap(world.holder)
    batch = desk.folder / "batch"
    batch.write_bytes(world.pool.batch())
    assert json.loads(desk("ingest", batch, "--json"))["accepted"] == 1
    assert "0 new, 1 held already" in desk("ingest", batch)
    totals = json.loads(desk("totals", "--json"))
    assert totals["venues"][0]["owed"] == 500
    assert totals["states"]["proven"] == totals["venues"][0]["states"]["proven"] == {"records": 1, "cents": 500}
    assert "Zwembad De Plas" in desk("totals")
    assert "Nothing to look at." in desk("exceptions", "list", "--kind", "refused")
    assert "two people" in desk_settles(desk, by="Anna", status=1)
    made = json.loads(desk("settle", "approve", "2026-001", "--by", "Bram", "--json"))
    assert made["total"] == 500
    written = {path.name for path in (desk.data / "settlements" / "2026-001").iterdir()}
    assert written == {"pain.001.xml", "statement-5.pdf"}


def approved(desk, world):
    """A settlement of 5.00 to the pool."""
    desk.init()
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    world.pool.tap(world.holder)
    (desk.folder / "batch").write_bytes(world.pool.batch())
    desk("ingest", desk.folder / "batch")
    assert "first payment" in desk("settle", "prepare", "--until", "2026-11-30", "--by", "Anna")
    desk("settle", "approve", "2026-001", "--by", "Bram")


def test_from_a_payment_order_to_the_bank_s_statement(desk, world):
    approved(desk, world)
    assert "bank import" in desk("settle", "sent", "2026-001", "--by", "Bram")
    file = desk.folder / "statement.xml"
    file.write_bytes(camt([("DBIT", 500, "MD-1-2026-001-5"), ("DBIT", 7, None)], number=4))
    assert "1 paid, 1 unmatched" in desk("bank", "import", file, "--by", "Chris")
    assert "held already" in desk("bank", "import", file, "--by", "Chris")
    assert "unknown: open" in desk("bank", "list")
    desk("bank", "assign", 2, "--by", "Chris", status=2)
    desk("bank", "assign", 2, "--by", "Chris", "--payment", "MD-1-2026-001-5", status=1)
    assert "not ours" in desk("bank", "assign", 2, "--by", "Chris", "--not-ours", "bank charges")
    assert "Every entry is matched" in desk("bank", "list")
    file.write_bytes(camt([], number=6, message="S3", opening=1000000))
    assert "do not follow on each other" in desk("bank", "import", file, "--by", "Chris")
    said = desk("bank", "list")
    assert "numbers 5 to 5 before it are missing" in said
    assert "opens € 5,07 beside" in said
    (desk.folder / "note").write_text("hello")
    assert "no XML" in desk("bank", "import", desk.folder / "note", "--by", "Chris", status=1)
    assert json.loads(desk("bank", "list", "--json"))["statements"][1]["missing"] == [5, 5]


def test_a_settlement_is_revoked_and_its_file_taken_away(desk, world):
    approved(desk, world)
    order = desk.data / "settlements" / "2026-001" / "pain.001.xml"
    assert order.exists()
    assert "must not go to the bank" in desk("settle", "revoke", "2026-001", "--by", "Chris")
    assert not order.exists()
    assert "MD-1-2026-001-5 revoked, paid again" in desk("settle", "prepare", "--until", "2026-11-30", "--by", "Anna")


def test_after_a_copy_was_put_back_two_people_take_in_what_the_bank_got_since(desk, world):
    desk.init()
    (desk.folder / "copy").write_bytes((desk.data / "clearing.db").read_bytes())
    approved(desk, world)
    shutil.copy(desk.folder / "copy", desk.data / "clearing.db")
    order = desk.data / "settlements" / "2026-001" / "pain.001.xml"
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    desk("ingest", desk.folder / "batch")
    assert "a copy was put back" in desk_settles(desk, by="Bram", status=1)
    assert "Nobody is paid" in desk("recover", "begin", "--by", "Chris")
    assert "Somebody else" in desk("recover", "order", order, "--by", "Anna")
    assert json.loads(desk("recover", "order", order, "--by", "Bram", "--json"))["state"] == "booked"
    assert "The newest statement is of None." in desk("recover", "end", "--by", "Dirk")
    assert "nothing to settle" in desk("settle", "prepare", "--until", "2026-11-30", "--by", "Anna", status=1)


def test_a_municipality_says_how_venues_are_paid(desk, world):
    path = desk.folder / "scheme.toml"
    path.write_text(SCHEME + "\n[payments]\nminimum = 100\nsecond_check_above = 499\n")
    approved(desk, world)
    assert not (desk.data / "settlements").exists()
    assert "three people" in desk("settle", "approve", "2026-001", "--by", "bram", "--json", status=1)
    assert "pain.001.xml" in desk("settle", "approve", "2026-001", "--by", "Chris")


def test_a_fund_that_gave_more_than_its_budget_is_shown(desk, world):
    path = desk.folder / "scheme.toml"
    path.write_text(SCHEME.replace('name = "Minimabeleid"', 'name = "Minimabeleid"\nbudget = 10000', 1))
    desk.init()
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    world.desk.load(world.holder, amount=15000)
    (desk.folder / "batch").write_bytes(world.desk.batch())
    desk("ingest", desk.folder / "batch")
    assert "Minimabeleid, year to 2026-12-31: gave € 150,00 of € 100,00, € 50,00 beyond it." in desk("totals")


def desk_settles(desk, by, status):
    desk("settle", "prepare", "--until", "2026-11-30", "--by", "Anna")
    return desk("settle", "approve", "2026-001", "--by", by, "--json", status=status)


def test_a_settlement_can_be_withdrawn(desk, world):
    desk.init()
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    world.pool.tap(world.holder)
    (desk.folder / "batch").write_bytes(world.pool.batch())
    desk("ingest", desk.folder / "batch")
    desk_settles(desk, by="anna", status=1)
    assert "withdrawn" in desk("settle", "withdraw", "2026-001", "--by", "Anna")


def test_what_is_refused_ends_with_one_and_is_shown(desk, world):
    desk.init()
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    world.pool.tap(world.holder, offer=99)
    good, bad = desk.folder / "good", desk.folder / "bad"
    good.write_bytes(world.pool.batch())
    bad.write_bytes(b"nonsense")
    output = desk("ingest", bad, good, status=1)
    assert "refused" in output
    assert "position 1: refused, offer" in output
    shown = json.loads(desk("exceptions", "list", "--json"))
    assert [case["reason"] for case in shown["cases"]] == ["format", "offer"]
    assert (shown["counts"]["unreadable"], shown["counts"]["refused"], shown["counts"]["gap"]) == (1, 1, 0)
    assert "There is no offer 99." in desk("exceptions", "list")
    desk("exceptions", "retry", "item:77", "--by", "Anna", status=1)
    desk("exceptions", "list", "--kind", "mood", status=2)


def test_an_exception_is_shown_tried_again_and_closed_by_two_people(desk, world):
    desk.init()
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    world.pool.tap(world.holder, offer=99)
    (desk.folder / "batch").write_bytes(world.pool.batch())
    desk("ingest", desk.folder / "batch", status=1)
    assert "still refused: offer" in desk("exceptions", "retry", "item:1", "--by", "Anna", status=1)
    assert "The payment is real" in desk("exceptions", "show", "item:1")
    closing = ("exceptions", "close", "item:1", "--by", "Anna")
    assert "The reason is one of" in desk(*closing, "--reason", "mood", status=1)
    assert "confirm item:1 --by NAME" in desk(*closing, "--reason", "other", "--note", "a test of the installer")
    assert "ask somebody else" in desk("exceptions", "confirm", "item:1", "--by", "anna", status=1)
    assert "item:1 is open" in desk("exceptions", "decline", "item:1", "--by", "Anna")
    desk(*closing, "--reason", "test")
    assert json.loads(desk("exceptions", "confirm", "item:1", "--by", "Bram", "--json"))["status"] == "closed"
    assert "confirmed" in desk("exceptions", "show", "item:1")
    assert "item:1" not in desk("exceptions", "list")
    assert "item:1" in desk("exceptions", "list", "--all", "--venue", "5")
    assert "cannot" not in desk("exceptions", "book", "item:1", "--by", "Anna", status=1)


def test_records_wait_while_the_vault_is_down(desk, world):
    desk.init()
    desk("import-venues", desk.folder / "venues.toml", "--on", "2026-11-01")
    world.vault.down = True
    world.pool.tap(world.holder)
    (desk.folder / "batch").write_bytes(world.pool.batch())
    assert "1 to be proven" in desk("ingest", desk.folder / "batch")
    desk("prove-pending", status=1)
    world.vault.down = False
    assert json.loads(desk("prove-pending", "--json")) == {"decided": 1}


def test_a_file_with_faults_is_refused_with_their_lines(desk):
    desk.init()
    (desk.folder / "venues.toml").write_text(SHOP.replace("amount = 500", "amount = 0"))
    assert "line 13, venue 1, offer 1, amount" in desk("import-venues", desk.folder / "venues.toml", status=1)


def test_wrong_use_ends_with_two(desk):
    desk("ingest", status=2)
    desk("ingest", desk.folder / "none", status=2)
    desk("settle", "prepare", "--until", "tomorrow", "--by", "Anna", status=2)


def test_without_set_up_every_command_says_so(desk):
    for words in (["totals"], ["exceptions", "list"], ["settle", "withdraw", "2026-001", "--by", "Anna"], ["serve"]):
        assert "meedoen backend init" in desk(*words, status=1)


def test_beyond_this_machine_tokens_are_needed(desk):
    desk.init()
    assert "transport_token" in desk("serve", "--host", "0.0.0.0", status=1)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("scheme.toml", 'unit = "cent"', 'unit = "franc"'),
        ("scheme.toml", "number = 1\naid", "number = 0\naid"),
        ("scheme.toml", "[municipality]", "[municipality"),
        ("scheme.toml", 'aid = "F0E0D1"', ""),
        ("scheme.toml", "purse = 1\namount = 15000", "purse = 9\namount = 15000"),
        ("backend.json", '"link_roots": ["', '"link_roots": ["00'),
        ("backend.json", '"link_roots": ["00', '"link_roots": ["zz'),
        ("backend.json", f'["{LINK_ROOT}"]', "[]"),
        ("backend.json", '"table_key": "', '"table_key": "00'),
        ("backend.json", '"signing_key": "', '"signing_key": "00'),
        ("backend.json", '"certificate": "', '"certificate": "00'),
        ("backend.json", '"certificate": "00', '"certificate": "zz'),
        ("backend.json", '"certificate"', '"word"'),
        ("backend.json", '"address"', '"token"'),
        ("backend.json", "{", ""),
    ],
)
def test_a_set_up_that_does_not_hold_is_refused_and_tells_no_secret(desk, name, old, new):
    path = desk.folder / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    said = desk.init(status=1)
    assert TABLE_KEY not in said
    assert LINK_ROOT not in said
    assert SIGNING_KEY not in said
    assert not desk.data.exists()


def test_an_account_that_is_none_is_refused(desk):
    assert "not an IBAN" in desk.init(iban="NL00RABO0123456789", status=1)


@pytest.mark.parametrize("content", ["", "[]", '{"vault": {"address": "unix:x"}}', '{"vault": "unix:x"}'])
def test_another_file_than_that_of_clearing_is_named(desk, content):
    (desk.folder / "backend.json").write_text(content)
    said = desk.init(status=1)
    assert f"{desk.folder / 'backend.json'} is not the file for clearing" in said
    assert "scheme.toml" not in said


def test_what_is_no_batch_is_refused_once_and_kept(desk):
    desk.init()
    (desk.folder / "note").write_text("hello")
    assert desk("ingest", desk.folder / "note", status=1).count("refused") == 1
    assert "terminal unknown" in desk("exceptions", "list")


def test_what_is_no_toml_is_said_to_be_none(desk):
    desk.init()
    (desk.folder / "note").write_text("hello")
    assert "not TOML" in desk("import-venues", desk.folder / "note", status=1)


@pytest.mark.parametrize("port", [0, 65536])
def test_a_port_that_cannot_be_is_wrong_use(desk, port):
    desk("serve", "--port", port, status=2)


def test_the_configuration_comes_back_as_it_was_and_only_its_owner_reads_it(desk):
    desk.init()
    loaded = configuration.load(desk.data)
    assert loaded.link_roots_bytes() == [bytes(range(16))]
    assert loaded.table_key_bytes().hex() == TABLE_KEY
    assert (loaded.signing_key.get_secret_value(), loaded.certificate) == (SIGNING_KEY, CERTIFICATE)
    assert loaded.vault.address == "unix:/run/backend.sock"
    assert loaded.grants[2].funds == ("Rotary",)
    assert loaded.funds() == ["Minimabeleid", "Rotary"]
    assert (desk.data / configuration.FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert LINK_ROOT not in repr(loaded)
    assert TABLE_KEY not in repr(loaded)
    assert SIGNING_KEY not in repr(loaded)


def test_a_damaged_configuration_is_refused(desk):
    desk.init()
    path = desk.data / configuration.FILE_NAME
    path.write_text(path.read_text().replace('"unit": "cent"', '"unit": "franc"'))
    with pytest.raises(ConfigError, match="unit"):
        configuration.load(desk.data)


def test_what_clearing_keeps_is_for_its_owner_only(desk):
    desk.init()
    desk("import-venues", desk.folder / "venues.toml")
    held = {path.name: path.stat().st_mode & 0o777 for path in desk.data.iterdir()}
    assert held == {name: 0o600 for name in held}
    assert {"config.json", "clearing.db"} <= set(held)


def test_a_file_that_others_could_read_is_closed_to_them(desk):
    desk.init()
    (desk.data / "clearing.db").chmod(0o644)
    desk("totals")
    assert (desk.data / "clearing.db").stat().st_mode & 0o777 == 0o600


def test_migrate_says_that_all_is_up_to_date(desk):
    desk.init()
    assert "up to date" in desk("migrate")
    assert json.loads(desk("migrate", "--json")) == {"version": "newest"}


def test_clearing_is_set_up_on_postgresql_and_stays_there(desk, postgresql):
    with a_database(postgresql) as address:
        desk.init("--database", address)
        desk("import-venues", desk.folder / "venues.toml")
        # Set up again for a changed scheme, it keeps its database.
        desk.init()
        assert [row["venue"] for row in json.loads(desk("totals", "--json"))["venues"]] == [5]
        assert not (desk.data / "clearing.db").exists()
        assert (desk.data / "config.json").stat().st_mode & 0o777 == 0o600


def test_what_no_scheme_says_stays_when_clearing_is_set_up_again(desk):
    desk.init()
    kept = {
        "transport_token": "of whoever carries batches",
        "finance_token": "of whoever does the books",
        "timezone": "Europe/Brussels",
        "overdue_days": 20,
        "statistics_minimum": 30,
        "desks": [1, 2],
    }
    path = desk.data / configuration.FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | kept))
    desk.init()
    assert json.loads(path.read_text()).items() >= kept.items()


def test_a_user_without_the_right_to_change_tables_has_the_owner_do_it(desk, postgresql):
    with a_database(postgresql) as address:
        engine = create_engine(address)
        with engine.begin() as connection:
            connection.execute(text("DROP ROLE IF EXISTS daily"))
            connection.execute(text("CREATE ROLE daily LOGIN"))
        daily = str(make_url(address).set(username="daily"))
        assert "meedoen_owner" in desk.init("--database", daily, status=1)
        assert not (desk.data / "config.json").exists()
        Store(address, 1).migrate()
        with engine.begin() as connection:
            connection.execute(text("GRANT meedoen_clearing TO daily"))
        engine.dispose()
        desk.init("--database", daily, "--owner", address)
        desk("totals")


def test_an_address_that_is_none_is_refused(desk):
    assert "postgresql://" in desk.init("--database", "db.example:5432", status=1)
    assert "cannot be reached" in desk.init("--database", "postgresql://nobody@127.0.0.1:1/none", status=1)
