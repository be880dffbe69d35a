"""Passwords of officers: long enough, not what everybody tries first, kept as Argon2 only."""

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from web.refusal import Refusal

SHORTEST, LONGEST = 12, 128
_FEWEST_LETTERS = 5
# The commonest that are long enough, in small letters; anything with one of these beginnings is refused too.
_COMMON = (
    "welkom",
    "wachtwoord",
    "password",
    "gemeente",
    "stadspas",
    "qwerty",
    "azerty",
    "asdfgh",
    "123456",
    "012345",
    "987654",
    "abcdef",
    "1q2w3e",
    "iloveyou",
    "letmein",
    "admin",
    "test",
)
_MOST_AFTER = 8
_HASHER = PasswordHasher()
# What is compared when there is no such account: a stranger learns nothing from how long the answer takes.
_NOBODYS = _HASHER.hash("the password of nobody")


def hashed(password: str, user_name: str) -> str:
    """The password as it is kept; raises Refusal with what is wrong with it."""
    plain = password.casefold()
    if len(password) < SHORTEST:
        raise Refusal("The password is too short; use at least {shortest} characters.", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise Refusal("The password is too long; use at most {longest} characters.", longest=LONGEST)
    if user_name in plain:
        raise Refusal("The password has your user name in it; take another one.")
    if len(set(plain)) < _FEWEST_LETTERS or any(
        plain.startswith(common) and len(plain) <= max(SHORTEST, len(common)) + _MOST_AFTER for common in _COMMON
    ):
        raise Refusal("Many people use a password like this; take one that nobody guesses, of a few words.")
    return _HASHER.hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password; takes as long when there is none."""
    try:
        right = _HASHER.verify(kept or _NOBODYS, password[:LONGEST])
    except (Argon2Error, InvalidHashError):
        return False
    return right and kept is not None


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with less work than we ask now."""
    return _HASHER.check_needs_rehash(kept)
