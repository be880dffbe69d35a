"""The code on the face of a pass, like `K7QW-M2XP`. It has nothing to do with the chip."""

from collections.abc import Callable

# Without letters and digits that look alike; 32 of them, so that each comes as often as another.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HALF = 4


def new(random: Callable[[int], bytes]) -> str:
    """A code that nobody can guess; `random(n)` gives n random bytes."""
    return as_printed("".join(LETTERS[byte % len(LETTERS)] for byte in random(2 * _HALF)))


def as_printed(typed: str) -> str:
    """A code as it stands on the pass, however it was typed: `k7qw m2xp` is `K7QW-M2XP`."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return f"{letters[:_HALF]}-{letters[_HALF:]}"
