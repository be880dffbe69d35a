"""Refuses an artwork that tells more of a holder than name, code and photo, or that cannot be read.

That a pass looks the same whatever the holder's income, scheme group or budgets is a property of how it is made: the
template is drawn before any holder is known (`artwork.py`). What is left to check is what the drawing itself says.
"""

import re
from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageColor
from pypdf import PdfReader

from issuer.errors import ArtworkRefused
from issuer.printing.artwork import DPI, Artwork, Side
from issuer.printing.design import Place
from issuer.scheme import Scheme

# WCAG 2.2, success criterion 1.4.3.
LEAST_CONTRAST = 4.5
_MILLIMETRES_PER_INCH = 25.4
_PAIRS = (("ink", "paper"), ("on_band", "band"))
_POINTS_PER_MM = 72 / _MILLIMETRES_PER_INCH
_CARD_MM = (85.60, 53.98)
_TOLERANCE_MM = 0.02
_SIDES: tuple[Side, ...] = ("front", "back")
# Parts of words that tell why somebody has a pass, in both languages.
_TELLING = [
    "inkomen",
    "income",
    "minima",
    "armoede",
    "poverty",
    "bijstand",
    "uitkering",
    "benefit",
    "budget",
    "tegoed",
    "saldo",
    "subsid",
    "schuld",
    "debt",
    "toeslag",
    "allowance",
    "mantelzorg",
    "carer",
    "sociaal",
    "sociale",
]
_NUMBERS = (r"[0-9]\s*%", r"[0-9]\s*procent", r"€\s*[0-9]", r"[0-9]\s*(?:euro|EUR)\b")


def check_artwork(artwork: Artwork, scheme: Scheme) -> None:
    """Refuse an artwork that may not be printed for this scheme; ArtworkRefused names what has to change."""
    _check_colours(artwork)
    _check_pages(artwork)
    _check_words(artwork, scheme)
    for key, place in artwork.design.places.items():
        _check_ground(artwork, key, place)


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    shares = [value / 255 for value in colour[:3]]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _check_colours(artwork: Artwork) -> None:
    colours = artwork.design.colours
    for words, ground in _PAIRS:
        ratio = contrast(ImageColor.getrgb(colours[words]), ImageColor.getrgb(colours[ground]))
        if ratio < LEAST_CONTRAST:
            raise ArtworkRefused(
                f"In face.toml the colours {words} and {ground} differ too little to read ({ratio:.1f}, at least "
                f"{LEAST_CONTRAST}); make one of them darker or lighter."
            )


def _check_pages(artwork: Artwork) -> None:
    pages = PdfReader(BytesIO(artwork.drawn)).pages
    if len(pages) != len(_SIDES):
        raise ArtworkRefused(f"face.typ makes {len(pages)} pages; a pass has two sides, with one pagebreak between.")
    for page in pages:
        size = (page.mediabox.width / _POINTS_PER_MM, page.mediabox.height / _POINTS_PER_MM)
        if any(abs(is_now - wanted) > _TOLERANCE_MM for is_now, wanted in zip(size, _CARD_MM, strict=True)):
            raise ArtworkRefused(
                "face.typ has a page of another size; set it to a width of 85.60mm, a height of 53.98mm."
            )


def _check_words(artwork: Artwork, scheme: Scheme) -> None:
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(artwork.drawn)).pages).split())
    for pattern in _forbidden(scheme):
        if found := re.search(pattern, text, re.IGNORECASE):
            raise ArtworkRefused(
                f"The artwork says “{found[0]}”, which tells something of the scheme or of an income; "
                "take it off the pass."
            )


def _forbidden(scheme: Scheme) -> Iterator[str]:
    yield from _TELLING
    yield from _NUMBERS
    names = (
        {purse.name for purse in scheme.purses.values()}
        | {grant.name for grant in scheme.grants}
        | {fund.name for fund in scheme.funds}
    )
    for name in sorted(names):
        yield rf"(?<!\w){re.escape(name)}(?!\w)"


def _check_ground(artwork: Artwork, key: str, place: Place) -> None:
    """What is printed of the holder stands on one plain colour, and can be read on it."""
    if not place.size_pt:
        return  # a photo has no ground
    with Image.open(BytesIO(artwork.grounds[_SIDES.index(place.side)])) as side:
        ground = side.convert("RGB").crop(_box(place))
    colours = ground.getcolors(maxcolors=1)
    if colours is None:
        raise ArtworkRefused(f"Something is drawn where [{key}] of face.toml comes; move one of them.")
    colour = colours[0][1]
    assert isinstance(colour, tuple)
    ratio = contrast(ImageColor.getrgb(artwork.design.colours[place.colour]), colour)
    if ratio < LEAST_CONTRAST:
        raise ArtworkRefused(
            f"What is printed at [{key}] differs too little from the ground to read ({ratio:.1f}, at least "
            f"{LEAST_CONTRAST}); choose another colour for it in face.toml."
        )


def _box(place: Place) -> tuple[int, int, int, int]:
    edges = (place.left, place.top, place.left + place.width, place.top + place.height)
    left, top, right, bottom = (round(edge * DPI / _MILLIMETRES_PER_INCH) for edge in edges)
    return left, top, right, bottom
