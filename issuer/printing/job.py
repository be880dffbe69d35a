"""The faces of passes, from the registry to paper or plastic: who gets which, and what the printer is told."""

import io
from collections.abc import Sequence
from datetime import date

from PIL import Image

from issuer.errors import DeskError
from issuer.printing.artwork import Artwork
from issuer.printing.face import Face
from issuer.registry.tables import CardPass

# What an IPP job name may hold, in bytes.
_MOST_NAME = 255


def face_of(artwork: Artwork, card: CardPass, photo: bytes | None = None) -> Face:
    """The face of a pass, with as much of its holder as the artwork has a place for."""
    places = artwork.design.places
    if "photo" in places and photo is None:
        raise DeskError("These passes have a photo. Choose one.")
    name = card.holder.person.full_name if "name" in places else None
    return Face(name, card.printed_code, photo if "photo" in places else None)


def without_photo() -> bytes:
    """A grey photo, for a look at a face before there is one."""
    content = io.BytesIO()
    Image.new("RGB", (300, 400), "#8a8a8a").save(content, "JPEG")
    return content.getvalue()


def last_day(artwork: Artwork, cards: Sequence[CardPass]) -> date | None:
    """The day that is printed on all of them, where the artwork has a place for it."""
    if "valid_until" not in artwork.design.places:
        return None
    days = {card.valid_until for card in cards}
    if len(days) != 1:
        raise DeskError("These passes do not end on one day. Print those of each day by themselves.")
    return days.pop()


def job_name(cards: Sequence[CardPass]) -> str:
    """By its codes, so that a printer that already has a job is not given it twice."""
    return " ".join(card.printed_code for card in cards)[:_MOST_NAME]
