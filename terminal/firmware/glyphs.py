"""Text on a display: MicroPython's own font of 8 x 8, with the signs and accents that it lacks, in any size.

`frame` is a framebuf.FrameBuffer of one bit, or what has its `text`, `pixel` and `fill_rect`. What has no glyph here is
written as the ASCII letters nearest to it, or as a question mark.
"""

CELL = 8
# Keeps what stands on both sides of it on one line.
HARD_SPACE = "\xa0"
CUT_OFF = "…"
DOT = "•"

_OWN = {
    "€": b"\x1c\x32\x7c\x30\x7c\x32\x1c\x00",
    CUT_OFF: b"\x00\x00\x00\x00\x00\xdb\xdb\x00",
    DOT: b"\x00\x3c\x7e\x7e\x7e\x7e\x3c\x00",
}
# Small vowels leave two rows free above them: acute, grave, circumflex, diaeresis.
_MARKED = "áàâäéèêëíìîïóòôöúùûü"
_VOWELS = "aeiou"
_MARKS = b"\x0c\x18\x30\x18\x18\x24\x66\x00"
_CEDILLA = 0x18

_FOLDED = "ÀÁÂÄÇÈÉÊËÌÍÎÏÑÒÓÔÖÙÚÛÜãåñõøýÿßıĳĲ–—‘’“”●"
_TO = "AAAACEEEEIIIINOOOOUUUUaanooyysiyY--''\"\"•"

# How wide a letter is above its natural size, in columns of the font: most leave the first column of their cell empty.
_NARROW = " ,.:;!\xa0"
_BROAD = "4MWmw&/\\~%"
_FROM_THE_EDGE = "#*_…"

_cell = bytearray(CELL)


def plain(text):
    """The text in characters that can be drawn; a currency sign stays with its amount, and `#` with its verb."""
    for char in text:
        if _plain(char) != char:
            text = "".join([_plain(char) for char in text])
            break
    return text.replace("€ ", "€" + HARD_SPACE).replace(" #", HARD_SPACE + "#")


def _plain(char):
    if " " <= char <= "~" or char == HARD_SPACE or char in _OWN or char in _MARKED or char == "ç":
        return char
    if "\u0300" <= char <= "\u036f":
        return ""  # an accent of its own, behind the letter that it belongs to
    at = _FOLDED.find(char)
    return _TO[at] if at >= 0 else "?"


def width(text, size):
    """How many pixels a plain text takes. In its natural size every letter has its cell; larger ones close up."""
    pixels = 0
    for char in text:
        pixels += _advance(char, size)
    return pixels - _air(size)


def how_many_fit(text, start, wide, size):
    """Where the part of a plain text ends that begins at `start` and takes at most `wide` pixels."""
    wide += _air(size)
    for at in range(start, len(text)):
        wide -= _advance(text[at], size)
        if wide < 0:
            return at
    return len(text)


def write(frame, text, x, y, size):
    """A plain text on ground that is clear."""
    for char in text:
        if size == 1:
            _draw(frame, char, x, y)
        else:
            _enlarge(frame, char, x, y, size)
        x += _advance(char, size)


def _air(size):
    """What stands behind the last letter: nothing that has to fit."""
    return 0 if size == 1 else size


def _advance(char, size):
    if size == 1 or char in _BROAD:
        return size * CELL
    if char in _NARROW:
        return size * 4
    return size * (9 if char in _FROM_THE_EDGE else 7)


def _first_column(char):
    if char in _NARROW:
        return 2
    return 0 if char in _FROM_THE_EDGE else 1


def _draw(frame, char, x, y):
    if char in _OWN:
        rows = _OWN[char]
        for row in range(CELL):
            _row(frame, rows[row], x, y + row)
        return
    at = _MARKED.find(char)
    if at >= 0:
        frame.text(_VOWELS[at // 4], x, y, 1)
        for row in range(2):
            frame.fill_rect(x, y + row, CELL, 1, 0)  # the dot of an i
            _row(frame, _MARKS[2 * (at % 4) + row], x, y + row)
    elif char == "ç":
        frame.text("c", x, y, 1)
        _row(frame, _CEDILLA, x, y + CELL - 1)
    elif char != HARD_SPACE:
        frame.text(char, x, y, 1)


def _row(frame, bits, x, y):
    for column in range(CELL):
        if bits & 0x80 >> column:
            frame.pixel(x + column, y, 1)


def _enlarge(frame, char, x, y, size):
    """Draw it where it will stand, read it back, and draw each of its pixels large."""
    _draw(frame, char, x, y)
    for row in range(CELL):
        bits = 0
        for column in range(CELL):
            # Beyond the edge a frame has no pixels.
            bits = bits << 1 | (frame.pixel(x + column, y + row) or 0)
        _cell[row] = bits
    frame.fill_rect(x, y, CELL, CELL, 0)
    left = x - size * _first_column(char)
    for row in range(CELL):
        for column in range(CELL):
            if _cell[row] & 0x80 >> column:
                frame.fill_rect(left + size * column, y + size * row, size, size, 1)
