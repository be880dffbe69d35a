"""The reach of the scheme, as the desk counted it: one count in a file, because clearing knows no pass."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.errors import ReportRefused
from backend.offers import GRACE


class Reach(BaseModel):
    """The passes in use on a day. None: some, and fewer than the `minimum` of the desk."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    municipality: int
    year: int
    counted_on: date
    counts: str
    minimum: int
    passes: Annotated[int, Field(ge=0)] | None


def read(content: bytes, municipality: int, year: int) -> Reach:
    """What `meedoen issuer reach` wrote, when it is of this municipality and year; raises ReportRefused."""
    try:
        reach = Reach.model_validate_json(content, strict=True)
    except ValidationError:
        raise ReportRefused(
            "no reach", "This file is no count of passes: take the one of `meedoen issuer reach`."
        ) from None
    if reach.municipality != municipality:
        text = f"This count of passes is of municipality {reach.municipality}: take the file of {municipality}."
        raise ReportRefused("other municipality", text)
    if reach.year != year or not date(year, 1, 1) <= reach.counted_on <= date(year, 12, 31) + GRACE:
        text = f"This count of passes is of {reach.year}, on {reach.counted_on}: take the file of {year}."
        raise ReportRefused("other year", text)
    return reach
