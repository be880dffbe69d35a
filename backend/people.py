"""Names of the people who answer for something, as they are kept and compared."""

from backend.errors import PersonRefused

MOST_NAME = 60


def named(name: str) -> str:
    """The name with its spaces put right; raises PersonRefused for one that is none, or longer than is kept."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= MOST_NAME:
        raise PersonRefused("person", f"Say who does this, in 1 to {MOST_NAME} characters.")
    return name


def same_person(one: str, other: str) -> bool:
    return named(one).casefold() == named(other).casefold()
