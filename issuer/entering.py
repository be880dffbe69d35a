"""A person typed in at the counter: from the fields of a form to the facts of a decision, with an error per field."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer import import_fields
from issuer.import_fields import BadField, Problem
from issuer.people import ROLES, SCHOOLS, Address, Person
from issuer.registry.tables import Holder, Household


@dataclass(frozen=True)
class Form:
    """What stands in the form, as text. An empty `household` is a new one."""

    household: str = ""
    given_name: str = ""
    infix: str = ""
    family_name: str = ""
    born: str = ""
    income_percent: str = ""
    school: str = ""
    street: str = ""
    postcode: str = ""
    town: str = ""
    roles: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, holder: Holder) -> "Form":
        """The form with somebody's facts in it."""
        home = holder.household
        return cls(
            home.reference,
            holder.given_name,
            holder.infix,
            holder.family_name,
            holder.born.isoformat(),
            str(home.income_percent),
            holder.school,
            home.street,
            home.postcode,
            home.town,
            list(holder.roles),
        )

    @classmethod
    def for_household(cls, session: Session, reference: str) -> "Form":
        """The form for another member of a household."""
        home = session.scalar(select(Household).where(Household.reference == reference))
        if home is None:
            return cls(household=reference)
        return cls(
            home.reference,
            family_name=home.members[-1].family_name if home.members else "",
            infix=home.members[-1].infix if home.members else "",
            income_percent=str(home.income_percent),
            street=home.street,
            postcode=home.postcode,
            town=home.town,
        )

    @classmethod
    def from_request(cls, sent: Any) -> "Form":
        """The form as it was sent."""
        texts = {each.name: sent.get(each.name, "") for each in fields(cls) if each.name != "roles"}
        return cls(**texts, roles=sent.getlist("roles"))


@dataclass(frozen=True)
class Entered:
    """A form without a fault."""

    person: Person
    address: Address


def read_form(sent: Any, today: date) -> Entered | dict[str, Problem]:
    """The person of a form, or what is wrong with it by the name of the field."""
    form = Form.from_request(sent)
    problems: dict[str, Problem] = {}

    def take(name: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(getattr(form, name).strip())
        except BadField as bad:
            problems[name] = bad.problem
            return None

    facts: dict[str, Any] = {
        "household": take("household", import_fields.text),
        "family_name": take("family_name", import_fields.filled),
        "infix": take("infix", import_fields.text),
        "given_name": take("given_name", import_fields.filled),
        "born": take("born", lambda text: import_fields.birth(text, today)),
        "income_percent": take("income_percent", import_fields.income_percent),
        "roles": frozenset(role for role in form.roles if role in ROLES),
        "school": form.school if form.school in SCHOOLS else "",
    }
    places = {name: take(name, import_fields.text) for name in ("street", "postcode", "town")}
    if problems:
        return problems
    return Entered(Person(**facts), Address(**places))
