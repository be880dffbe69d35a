"""What a municipality says of its pass in `face.toml`: words, colours, and where the name, code and photo come."""

from dataclasses import dataclass
from pathlib import Path

from issuer.errors import ArtworkRefused, SchemeError
from issuer.toml_table import Document, Table

_COLOURS = ("paper", "ink", "band", "on_band")
# A card is 85.60 mm x 53.98 mm (ISO/IEC 7810, ID-1); places are in whole millimetres.
_WIDTH_MM, _HEIGHT_MM = 85, 53
_SMALLEST_PT, _LARGEST_PT = 9, 30


@dataclass(frozen=True)
class Place:
    """Where something of the holder comes, in millimetres from the left upper corner; `colour`: a key of [colours]."""

    side: str
    left: int
    top: int
    width: int
    height: int
    colour: str = "ink"
    size_pt: int = 0

    def overlaps(self, other: "Place") -> bool:
        return (
            self.side == other.side
            and self.left < other.left + other.width
            and other.left < self.left + self.width
            and self.top < other.top + other.height
            and other.top < self.top + self.height
        )


@dataclass(frozen=True)
class Design:
    """`places` are by name: `code` and `back_code` always; `name`, `photo` and `valid_until` where they are shown."""

    city: str
    pass_name: str
    help_page: str
    phone: str
    colours: dict[str, str]
    places: dict[str, Place]


def load_design(path: Path) -> Design:
    """The design in a file; raises ArtworkRefused with every fault and its line."""
    try:
        return _read(Document(path))
    except SchemeError as error:
        raise ArtworkRefused(str(error)) from None


def _read(document: Document) -> Design:
    words = document.one("pass")
    city, pass_name, phone = words.name("city"), words.name("name"), words.name("phone")
    help_page = words.text(
        "help_page", r"https://[!-~]{4,90}", "an address of at most 98 signs that begins with https://"
    )
    words.close()
    colours_table = document.one("colours")
    colours = {
        key: colours_table.text(key, "#[0-9A-Fa-f]{6}", 'a colour such as "#0B5C4A"', "#000000") for key in _COLOURS
    }
    colours_table.close()
    places: dict[str, Place] = {}
    for key, side in (
        ("name", "front"),
        ("code", "front"),
        ("photo", "front"),
        ("valid_until", "front"),
        ("back_code", "back"),
    ):
        table = document.one(key)
        shown = table.flag("shown") if key in ("name", "photo", "valid_until") else True
        place = _place(table, side, has_text=key != "photo")
        table.close()
        if shown:
            if any(place.overlaps(other) for other in places.values()):
                table.fault("left", "this place lies over another one; expected is that they are apart")
            places[key] = place
    document.finish()
    return Design(city, pass_name, help_page, phone, colours, places)


def _place(table: Table, side: str, has_text: bool) -> Place:
    left = table.whole("left", 0, _WIDTH_MM)
    top = table.whole("top", 0, _HEIGHT_MM)
    width = table.whole("width", 5, _WIDTH_MM)
    height = table.whole("height", 4, _HEIGHT_MM)
    if left + width > _WIDTH_MM:
        table.fault("width", f"reaches over the edge of the card; expected is at most {_WIDTH_MM - left}")
    if top + height > _HEIGHT_MM:
        table.fault("height", f"reaches over the edge of the card; expected is at most {_HEIGHT_MM - top}")
    if not has_text:
        return Place(side, left, top, width, height)
    return Place(
        side,
        left,
        top,
        width,
        height,
        colour=table.one_of("colour", _COLOURS),
        size_pt=table.whole("size_pt", _SMALLEST_PT, _LARGEST_PT),
    )
