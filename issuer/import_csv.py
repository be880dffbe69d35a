"""The rows of a CSV of people, in UTF-8 or Windows-1252, separated by `;`, `,` or tabs."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

from issuer.import_fields import FILE, NO_TABLE, ROW, BadFile, Problem, Row

_SEPARATORS = (";", ",", "\t")
_EXCEL_SEPARATOR = re.compile(r'"?sep=([;,\t])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
# Starts of xls and PDF. Any other binary file, and UTF-16, has zero bytes.
_BINARY = (b"\xd0\xcf\x11\xe0", b"%PDF")

_EMPTY_FILE = Problem("Dit bestand is leeg.", "This file is empty.")
_BAD_QUOTES = Problem(
    "Hier staat een aanhalingsteken of regeleinde verkeerd. Er is niets gelezen.",
    "A quotation mark or the end of a line is wrong here. Nothing was read.",
    "Haal het weg of sla het bestand opnieuw op als CSV.",
)


def decode(raw: bytes) -> tuple[str, str]:
    """The content and its encoding."""
    if raw.startswith(_BINARY) or b"\x00" in raw:
        raise BadFile(1, FILE, NO_TABLE)
    # Latin-1 reads any byte; what it makes of those that Windows-1252 lacks is refused as a control character.
    tried = ("utf-8-sig",) if raw.startswith(b"\xef\xbb\xbf") else ("utf-8", "cp1252", "latin-1")
    for encoding in tried:
        try:
            content = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not content.strip():
            raise BadFile(1, FILE, _EMPTY_FILE)
        return content, encoding
    raise BadFile(1, FILE, NO_TABLE)


def separate(content: str, recognised: Callable[[Sequence[str]], int]) -> tuple[str, str]:
    """The content from the names of the columns on, and its separator: the one that makes most names `recognised`."""
    if said := _EXCEL_SEPARATOR.match(content):
        return content[said.end() :], said[1]
    header = content.splitlines()[0]
    return content, max(_SEPARATORS, key=lambda separator: recognised(header.split(separator)))


def rows(content: str, separator: str) -> Iterator[Row]:
    """The names of the columns and the rows that are not blank, with their numbers."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            if any(field.strip() for field in row) or number == 1:
                yield number, list(row)
    except csv.Error:
        raise BadFile(number + 1, ROW, _BAD_QUOTES) from None
    if number == 0:
        raise BadFile(1, FILE, _EMPTY_FILE)
