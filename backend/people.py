"""Names of the people who answer for something, as they are kept and compared."""

from backend.errors import SettlementRefused


def named(name: str) -> str:
    """The name with its spaces put right; raises SettlementRefused for one that is none."""
    name = " ".join(name.split())
    if not name:
        raise SettlementRefused("person", "Whoever decides on money has a name: give it.")
    return name


def same_person(one: str, other: str) -> bool:
    return named(one).casefold() == named(other).casefold()
