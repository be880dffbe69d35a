"""The books in formats of others, added up and checked by software that is not ours."""

import csv
import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from backend.errors import ReportRefused
from backend.reports.beancount import account_name
from backend.reports.periods import months, period
from backend.reports.xaf import account_number
from tests.backend.busy_city import busy

PROGRAMS = Path(sys.executable).parent
END = date(2027, 1, 31)
YEARS = ["2026", "2027", "2026-Q4", "2026-11", "2027-01"]


@pytest.fixture
def city(world):
    return busy(world)


def bean_check(folder, text):
    """What beancount, as a program of its own, finds wrong."""
    path = folder / "books.beancount"
    path.write_text(text)
    done = subprocess.run([PROGRAMS / "bean-check", "--no-cache", path], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def exported(city, until=END):
    return "\n".join(city.clearing.beancount.lines(until)) + "\n"


def test_beancount_adds_up_every_account_to_what_our_books_say(city, tmp_path):
    text = exported(city)
    assert bean_check(tmp_path, text) == (0, "")
    asserted = [line for line in text.splitlines() if line.startswith("2027-02-01 balance")]
    assert len(asserted) == len(city.clearing.ledger.balances()) > 10
    assert "2027-02-01 balance Liabilities:Venues:N5  0.00 ~ 0 EUR" in text
    assert "2027-02-01 balance Liabilities:Purses:N3:Point  -180 ~ 0 POINT" in text


def test_beancount_finds_a_balance_that_is_a_cent_off(city, tmp_path):
    text = exported(city)
    for account, amount in (("Liabilities:Purses:N1", "9.99"), ("Liabilities:Venues:N6", "-9.99")):
        assert text.count(f"  {account}  {amount} EUR") == 1
        text = text.replace(f"  {account}  {amount} EUR", f"  {account}  {amount[:-1]}8 EUR")
    code, said = bean_check(tmp_path, text)
    assert code == 1
    assert "Balance failed" in said


def test_an_export_up_to_a_day_holds_nothing_after_it(city, tmp_path):
    text = exported(city, date(2026, 12, 31))
    assert bean_check(tmp_path, text) == (0, "")
    assert "2027-01-04" not in text
    assert text.count("*") == exported(city).count("*") - 3


def test_books_without_a_posting_are_a_file_too(world, tmp_path):
    assert bean_check(tmp_path, exported(world)) == (0, "")


def test_no_two_accounts_get_one_name():
    names = [
        "fund:Kind & Co",
        "fund:Kind-Co",
        "fund:Kind Co",
        "fund:kind-co",
        "discounts:Kind Co",
        "fund:Ënnë",
        "fund:€",
    ]
    assert len({account_name(name, "cent") for name in names}) == len(names)
    assert account_name("purse:3", "point") != account_name("purse:3", "cent")
    long = "fund:" + "Participatiewet bijzondere bijstand " * 2
    assert len({account_number(long), account_number(long + "2"), account_number(long[:35])}) == 3
    assert all(len(account_number(name)) <= 35 for name in [*names, long])


def auditfile(city, name):
    out = io.BytesIO()
    return city.clearing.auditfile("001234567").write(out, period(name), END), out.getvalue()


@pytest.mark.parametrize("name", YEARS)
def test_an_audit_file_of_any_period_is_valid_and_in_balance(city, tmp_path, name):
    path = tmp_path / "books.xaf"
    path.write_bytes(auditfile(city, name)[1])
    command = [PROGRAMS / "pyxaf", "validate", "--xsd", "--strict", "--output", "json", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_audit_file_that_is_a_cent_off_is_found(city, tmp_path):
    path = tmp_path / "books.xaf"
    path.write_bytes(auditfile(city, "2027")[1].replace(b"<amnt>9.99</amnt>", b"<amnt>9.98</amnt>", 1))
    command = [PROGRAMS / "pyxaf", "validate", "--xsd", "--strict", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "does not balance: debit 9.98, credit 9.99" in done.stdout


def test_an_audit_file_opens_with_what_the_year_before_left_and_has_cents_only(city):
    count, content = auditfile(city, "2027")
    text = content.decode()
    assert count == text.count("<trLine>") == 2 * 2
    assert "<opBalDate>2027-01-01</opBalDate>" in text
    assert "point" not in text
    assert text.count("<obLine>") == 7


def test_csv_of_a_period_holds_every_transfer_once(city):
    rows = list(csv.DictReader(io.StringIO(city.clearing.spreadsheets.books(period("2026"))), delimiter=";"))
    with city.clearing.store.transaction() as tx:
        held = [each for each in tx.reports.lines(date(2026, 1, 1), date(2026, 12, 31))]
    assert len(rows) == len(held)
    sums = {}
    for row in rows:
        for account, sign in ((row["source"], -1), (row["destination"], 1)):
            key = account, row["unit"]
            sums[key] = sums.get(key, 0) + sign * int(row["amount"])
    with city.clearing.store.transaction() as tx:
        assert sums == tx.reports.balances_before(date(2027, 1, 1))


def test_periods_are_named_as_people_name_them():
    assert (period("2028-Q1").first, period("2028-Q1").last) == (date(2028, 1, 1), date(2028, 3, 31))
    assert period("2028-02").last == date(2028, 2, 29)
    assert [month.name for month in months(date(2026, 11, 30), date(2027, 1, 1))] == ["2026-11", "2026-12", "2027-01"]
    for wrong in ("2026-Q5", "2026-13", "26", "2026-Q", "1999", ""):
        with pytest.raises(ReportRefused, match="is no period"):
            period(wrong)
