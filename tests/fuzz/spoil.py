"""Documents spoilt: a valid one with some words and pieces changed reaches further into a parser than garbage."""

import io
import re
import zipfile

from tests.fuzz.draw import Draw, mutated

_ZIP = b"PK\x03\x04"
_MOST_CHANGES = 4
_MOST_BYTES = 1 << 20
_WORD = re.compile(rb"[^\s<>\"'=,;\[\]{}():/]+")
# What a number, a day, a name, an encoding or the grammar around them can be, and must not be believed.
ODD = (
    b"", b"0", b"-1", b"00", b"1.5", b"0.001", b"1_0", b"1e1", b"1E+999999999", b"1e308", b"1e999", b"NaN", b"Infinity",
    b"-Infinity", b"0x10", b"255", b"65536", b"2147483648", b"4294967296", b"9223372036854775808", b"9" * 40,
    b"9" * 5000, "１２".encode(), "٣".encode(), b"0000-00-00", b"2026-02-30", b"9999-12-31", b"99999-01-01",
    b"-0001-01-01", b"2026-11-04T23:59:60Z", b"24:00:00", b"true", b"null", b'""', b'"x"', b"[]", b"{}", b"[", b"]",
    b"{", b"}", b"[" * 5000, b'{"a":' * 5000, b"a." * 2000, b"(" * 5000, b"<a>" * 2000, b"&a;", b"<!DOCTYPE a>",
    b"<![CDATA[", b"=1+1", b"@", b"\x00", b"\\u0000", b"\\ud800", b"&#1;", b"\xff", b"\xef\xbb\xbf", b"\x85",
    "\u2028".encode(), "\u202e".encode(), b"a\xcc\x80\xcc\x96" * 500, "é".encode() * 100, b"x" * 200_000, b"../x",
    b"{0}", b"%s", b"\r", b"\n", b'"', b"'", b"\t", b"#",
)  # fmt: skip
_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "cp437", "utf-7")


def spoilt(draw: Draw, document: bytes, another: bytes) -> bytes:
    """`document` with some changes, which may be pieces of `another`; of a zip file, in one of its parts."""
    if document.startswith(_ZIP):
        try:
            return _with_another_part(draw, document)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
            pass  # spoilt already: its bytes are all there is to it
    for _ in range(1 + draw.below(_MOST_CHANGES)):
        document = _changed(draw, document, another)[:_MOST_BYTES]
    return document


def _with_another_part(draw: Draw, document: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        bent, other = draw.of(names), draw.of(names)
        for name in names:
            part = old.read(name)
            new.writestr(name, spoilt(draw, part, old.read(other)) if name == bent else part)
    return content.getvalue()


def _changed(draw: Draw, document: bytes, another: bytes) -> bytes:
    how = draw.below(8)
    if how < 3:
        begins, ends = _place(draw, document)
        return document[:begins] + draw.of(ODD) + document[ends:]
    if how == 3:
        begins, ends = _place(draw, document)
        first, last = _place(draw, another)
        return document[:begins] + another[first:last] + document[ends:]
    if how == 4:
        begins, ends = _line(draw, document)
        return document[:begins] + document[ends:]
    if how == 5:
        begins, ends = _line(draw, document)
        return document[:begins] + document[begins:ends] * (2 + draw.below(3)) + document[ends:]
    if how == 6:
        return mutated(draw, document)
    if draw.below(4):
        begins, ends = _line(draw, document)
        first, last = _line(draw, another)
        return document[:begins] + another[first:last] + document[ends:]
    return document.decode(errors="replace").encode(draw.of(_ENCODINGS), errors="replace")


def _place(draw: Draw, content: bytes) -> tuple[int, int]:
    """Where a word of it begins and ends."""
    found = [match.span() for match in _WORD.finditer(content)]
    return found[draw.below(len(found))] if found else (0, len(content))


def _line(draw: Draw, content: bytes) -> tuple[int, int]:
    """Where a line, an element or a few words of it begin and end."""
    edges = [0, *(match.end() for match in re.finditer(rb"[\n>},;]", content)), len(content)]
    first = draw.below(len(edges))
    return edges[first], edges[min(first + 1 + draw.below(4), len(edges) - 1)]
