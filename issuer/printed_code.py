"""The code on the face of a pass, like `K7QW-M2XP`. It has nothing to do with the chip."""

import secrets

# Without letters and digits that look alike.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HALF = 4


def new() -> str:
    """A code that nobody can guess."""
    return as_printed("".join(secrets.choice(LETTERS) for _ in range(2 * _HALF)))


def as_printed(typed: str) -> str:
    """A code as it stands on the pass, however it was typed: `k7qw m2xp` is `K7QW-M2XP`."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return f"{letters[:_HALF]}-{letters[_HALF:]}"
