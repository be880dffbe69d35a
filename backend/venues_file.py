"""The file of venues: what it may say, and where it says something else."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from backend.config import Bic, Config, Iban, PurseNumber
from backend.errors import ImportRefused
from web.outside import from_toml, has_control

_U32 = 0xFFFFFFFF


def _printed(text: str) -> str:
    """A text without control characters, which no statement, invoice or payment order may hold; raises ValueError."""
    if has_control(text):
        raise ValueError("there is a character in it that is not printed")
    return text


Printed = Annotated[str, AfterValidator(_printed)]


class OfferIn(BaseModel):
    """One offer. `amount` in the unit of its purse; `cap` and `compensation` in cents.

    `fixed` takes `amount` from the purse, `typed` the price that staff type, `percent` takes `amount` (1 unless it
    says otherwise) and gives `percent` of the typed price off, up to `cap`. `compensated`: the municipality owes the
    venue that discount. `compensation`: it owes the venue this much for each tap of a fixed offer.
    """

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    number: int = Field(ge=1, le=_U32)
    name: Printed = Field(min_length=1, max_length=60)
    purse: PurseNumber
    price: Literal["fixed", "typed", "percent"]
    amount: int | None = Field(None, ge=1, le=_U32)
    percent: int | None = Field(None, ge=1, le=100)
    cap: int | None = Field(None, ge=1, le=_U32)
    purse2: PurseNumber | None = None
    amount2: int | None = Field(None, ge=1, le=_U32)
    compensated: bool = False
    compensation: int | None = Field(None, ge=1, le=_U32)
    begins: date | None = Field(None, alias="from")
    until: date | None = None

    def terms(self, venue: int) -> dict[str, Any]:
        """The columns of a version of this offer."""
        amount = self.amount if self.amount is not None else 1 if self.price == "percent" else 0
        return {
            "number": self.number,
            "venue": venue,
            "name": self.name,
            "price": self.price,
            "purse": self.purse,
            "amount": amount,
            "purse2": self.purse2,
            "amount2": self.amount2 or 0,
            "percent": self.percent or 0,
            "cap": self.cap or 0,
            "compensated": self.compensated,
            "compensation": self.compensation or 0,
            "until": self.until,
        }

    def faults(self, config: Config) -> Iterator[tuple[str, str]]:
        """What does not fit together, as key and words."""
        used = [(key, number) for key, number in (("purse", self.purse), ("purse2", self.purse2)) if number is not None]
        for key, number in used:
            if number not in config.purses:
                yield key, f"the scheme has no purse {number}"
                return
        unit = config.purses[self.purse].unit
        needs = {"fixed": {"amount"}, "typed": set[str](), "percent": {"percent"}}[self.price]
        may = needs | {"fixed": {"compensation"}, "typed": set[str](), "percent": {"amount", "cap"}}[self.price]
        for key in ("amount", "percent", "cap", "compensation"):
            given = getattr(self, key) is not None
            if key in needs and not given:
                yield key, f"a {self.price} offer needs {key}"
            elif given and key not in may:
                yield key, f"a {self.price} offer has no {key}"
        if self.price == "typed" and unit != "cent":
            yield "purse", f"a typed price is in cents, and purse {self.purse} holds {unit}s"
        if self.price == "percent" and unit == "cent":
            yield "purse", "a percentage is given on showing the pass, and this purse holds money"
        if self.compensated and self.price != "percent":
            yield "compensated", "only the discount of a percent offer can be compensated"
        if self.compensation and unit == "cent":
            yield "compensation", "a purse of cents pays the venue itself"
        if (self.purse2 is None) != (self.amount2 is None):
            yield "purse2", "purse2 and amount2 go together"
        if self.purse2 == self.purse:
            yield "purse2", "the second purse is the first"
        if self.begins and self.until and self.until < self.begins:
            yield "until", "ends before it begins"


def _vat_number(text: str) -> str:
    """A Dutch VAT number; raises ValueError. Only its form is checked: whether it is in use, the tax office knows."""
    if re.fullmatch(r"NL\d{9}B\d{2}", text) is None:
        raise ValueError("a Dutch VAT number is as NL123456789B01")
    return text


class InvoiceIn(BaseModel):
    """Who a venue is on the invoices that the municipality makes out for it.

    `company`: number in the trade register (KvK). `vat_rate`: the one rate of what it sells on the pass, 0 when exempt.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    company: str = Field(pattern=r"^\d{8}$")
    vat_number: Annotated[str, AfterValidator(_vat_number)]
    vat_rate: Literal[0, 9, 21]
    street: Printed = Field(min_length=1, max_length=70)
    postcode: str = Field(pattern=r"^\d{4} ?[A-Z]{2}$")
    city: Printed = Field(min_length=1, max_length=70)


class VenueIn(BaseModel):
    """One venue. `purses`: the ones that it may take from; `terminals`: the ones that stand there; `invoice`: when it
    wants invoices made out for it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    number: int = Field(ge=1, le=_U32)
    name: Printed = Field(min_length=1, max_length=70)
    iban: Iban
    bic: Bic | None = None
    purses: list[PurseNumber] = Field(min_length=1)
    invoice: InvoiceIn | None = None
    terminals: list[int] = Field(default_factory=list)
    offer: list[OfferIn] = Field(default_factory=list)

    @field_validator("terminals")
    @classmethod
    def _terminals(cls, value: list[int]) -> list[int]:
        for number in value:
            if not 1 <= number <= _U32:
                raise ValueError(f"{number} is not a number of a terminal")
        return value


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    venue: list[VenueIn] = Field(min_length=1)


def parse(text: str, config: Config) -> list[VenueIn]:
    """The venues of a file; raises ImportRefused with all faults, each with its line and key."""
    try:
        content = from_toml(text)
    except ValueError as error:
        raise ImportRefused([f"This is not TOML: {error}."]) from None
    lines = _Lines(text)
    try:
        venues = _File.model_validate(content).venue
    except ValidationError as error:
        raise ImportRefused([lines.say(fault["loc"], fault["msg"]) for fault in error.errors()]) from None
    faults = [lines.say(place, words) for place, words in _faults(venues, config)]
    if faults:
        raise ImportRefused(faults)
    return venues


def _faults(venues: list[VenueIn], config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    numbers = Counter(venue.number for venue in venues)
    terminals = Counter(number for venue in venues for number in venue.terminals)
    offers = Counter(offer.number for venue in venues for offer in venue.offer)
    for at, venue in enumerate(venues):
        if numbers[venue.number] > 1:
            yield ("venue", at, "number"), f"venue {venue.number} is in the file twice"
        if venue.invoice is not None and config.invoice is None:
            yield ("venue", at, "invoice"), "the scheme has no [invoice] with the address of the municipality"
        for number in venue.terminals:
            if terminals[number] > 1:
                yield ("venue", at, "terminals"), f"terminal {number} is in the file twice"
            if number in config.desks:
                yield ("venue", at, "terminals"), f"{number} is a desk"
        for purse in venue.purses:
            if purse not in config.purses:
                yield ("venue", at, "purses"), f"the scheme has no purse {purse}"
        for position, offer in enumerate(venue.offer):
            place = ("venue", at, "offer", position)
            if offers[offer.number] > 1:
                yield (*place, "number"), f"offer {offer.number} is in the file twice"
            for key in ("purse", "purse2"):
                purse = getattr(offer, key)
                if purse is not None and purse in config.purses and purse not in venue.purses:
                    yield (*place, key), f"venue {venue.number} may not take from purse {purse}"
            yield from (((*place, key), words) for key, words in offer.faults(config))


class _Lines:
    """Where a key stands in the text, as far as each venue and offer has a header of its own."""

    def __init__(self, text: str) -> None:
        self._at: dict[tuple[str | int, ...], int] = {}
        venue = offer = -1
        table: tuple[str | int, ...] = ()
        for number, line in enumerate(text.splitlines(), 1):
            header = re.match(r"\s*\[\[\s*(venue|venue\.offer)\s*\]\]", line)
            key = re.match(r"\s*([A-Za-z0-9_-]+)\s*=", line)
            if header and header[1] == "venue":
                venue, offer = venue + 1, -1
                table = ("venue", venue)
            elif header:
                offer += 1
                table = ("venue", venue, "offer", offer)
            elif key:
                self._at.setdefault((*table, key[1]), number)
                continue
            if header:
                self._at[table] = number

    def say(self, place: tuple[str | int, ...], words: str) -> str:
        """`line 12, venue 1, offer 2, percent: ...`, with the nearest line that is known."""
        line = next((self._at[place[:end]] for end in range(len(place), 0, -1) if place[:end] in self._at), None)
        words = words.removeprefix("Value error, ")
        parts: list[str] = []
        for part in place:
            if isinstance(part, int):
                parts[-1] += f" {part + 1}"
            else:
                parts.append(part)
        where = ", ".join(parts)
        return f"line {line}, {where}: {words}" if line else f"{where}: {words}"
