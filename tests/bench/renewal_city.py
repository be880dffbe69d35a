"""A city of 5 000 holders with passes and budgets of this year, on SQLite: what a yearly test has to go through."""

from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import insert, select

from issuer import renewal
from issuer.people import Person
from issuer.registry import Registry, people
from issuer.registry.tables import CardPass, Decision, Holder, PlannedLoad
from issuer.scheme import load_scheme
from tests.city import ROOT

HOLDERS = 5_000
_AT_HOME = 4
_NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_NEW_YEAR = date(2027, 1, 1)


class RenewalCity:
    """Households of two adults and two children; three in four have a pass, and one in twenty a hardship."""

    def __init__(self, folder: Path) -> None:
        self.scheme = load_scheme(ROOT / "schemes/gelrepas.toml")
        self._registry = Registry.at(folder)
        with self._registry.transaction() as session:
            people.take(session, [_person(number) for number in range(HOLDERS)], "import", _NOW.date())
            numbers = list(session.scalars(select(Holder.id).order_by(Holder.id)))
            session.execute(insert(CardPass), [card(number) for number in numbers if number % _AT_HOME])
            session.execute(insert(PlannedLoad), [load(number, grant) for number in numbers for grant in (1, 2, 6)])
            session.execute(insert(Decision), [decision(number) for number in numbers if number % 20 == 0])

    def preview(self) -> None:
        """The preview, with a row for everybody whom it concerns."""
        with self._registry.transaction() as session:
            run = renewal.preview(session, self.scheme, _NEW_YEAR, "Ria", _NOW)
            assert run.counts["keeps"] > HOLDERS / 2

    def read(self) -> None:
        """The same rows as the database driver gives them."""
        with self._registry.transaction() as session:
            for table in (Holder, CardPass, PlannedLoad, Decision):
                assert session.execute(select(table.__table__)).all()

    def close(self) -> None:
        self._registry.close()


def _person(number: int) -> Person:
    is_child, household = number % _AT_HOME > 1, number // _AT_HOME
    born = date(2009 + number % 15 if is_child else 1955 + number % 45, 1 + number % 12, 1 + number % 28)
    return Person(str(household), f"Vos {number}", "de", "Sam", born, 100 + 10 * (household % 3))


def card(number: int) -> dict[str, object]:
    return {
        "holder_id": number,
        "uid": number.to_bytes(7, "big"),
        "handle": number.to_bytes(16, "big"),
        "key_versions": {},
        "printed_code": f"CODE-{number}",
        "state": "active",
        "valid_from": date(2026, 1, 5),
        "valid_until": date(2027, 1, 31),
    }


def load(number: int, grant: int) -> dict[str, object]:
    return {
        "holder_id": number,
        "grant_number": grant,
        "period": "2026",
        "purse": 1,
        "amount": 4500,
        "state": "written",
    }


def decision(number: int) -> dict[str, object]:
    return {
        "holder_id": number,
        "grant_number": 1,
        "grant_name": "Meedoen kind",
        "period": "2027",
        "granted": True,
        "hardship": True,
        "amount": 9000,
        "reason": "het is nodig",
        "reason_en": "it is needed",
        "income_percent": 110,
        "on": _NOW.date(),
        "by": "Ria",
    }
