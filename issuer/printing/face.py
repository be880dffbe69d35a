"""All that differs between two passes of a municipality: the name, the code and the photo on the face."""

import re
import unicodedata
from dataclasses import dataclass

from issuer.errors import FaceRefused

_CODE = re.compile(r"[A-Z0-9]{4}-[A-Z0-9]{4}")
_BETWEEN_LETTERS = frozenset(" '’.-")
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Face:
    """`name` and `photo` (a JPEG, PNG or WebP file) are None on every pass of a scheme that does not show them.

    A name has letters only, so that no percentage and no group is printed in its place.
    """

    name: str | None
    printed_code: str
    photo: bytes | None = None

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.printed_code):
            raise FaceRefused("The code for the face is not like K7QW-M2XP; take the one that the registry has.")
        if self.name is not None:
            _check_name(self.name)


def _check_name(name: str) -> None:
    letters = unicodedata.normalize("NFC", name)
    if not letters.strip() or len(letters) > _LONGEST_NAME:
        raise FaceRefused(
            "A name on a pass has 1 to {most} letters; write it shorter, with initials.", most=_LONGEST_NAME
        )
    if not all(sign in _BETWEEN_LETTERS or unicodedata.name(sign, "").startswith("LATIN ") for sign in letters):
        raise FaceRefused(
            "A name on a pass has letters (as in a passport), spaces, points, hyphens and apostrophes only."
        )
