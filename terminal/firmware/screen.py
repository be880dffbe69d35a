"""What stands on the display of 128 x 64: a result as a big sign with its word, all else as large as it fits.

An amount is never cut off and never shared between two lines; what has to give way is the name of an offer.
"""

from terminal.firmware import glyphs, signals
from terminal.firmware.results import SENTENCES, YES
from terminal.firmware.texts import ENGLISH

WIDTH = 128
HEIGHT = 64
MOST_SENTENCE_LINES = 3

_SIGN = 24
_BESIDE = 28
_CODE_X = 112
_CODE_Y = 16
_MOST_LINES = 8
_MOST_WORDS_OF_AN_AMOUNT = 3
_BEGIN_OF_AN_AMOUNT = tuple("0123456789€")

# By kind of result, in Dutch and English.
_WORDS = ("|", "JA|YES", "NOG EEN KEER|AGAIN", "NEE|NO", "STORING|TROUBLE", "SLOT|LOCK", "TERUG|BACK")

# Signs of 24 x 24, by kind: how wide the pen is, and the points that it passes, x and y as letters from a (0).
_KEY = "3df ai am dp gp jm ji gf df/kk vk vp/qk qo"
_BACK = "4bh ph tl tp pt ht/hb bh hn"
_SIGNS = (
    "",
    "5al hs sb",
    "4pb hb bh bn ht nt tn tl/pb tf/ta tf of",
    "5bb ss/sb bs",
    "3ka au uu ka/ki km/kq kq",
    _KEY,
    _BACK,
)
_PASS = "2ae je jv av ae/di gi/nj pm po nr/sg vl vp su"
_SIGN_OF_STATE = {"armed": _PASS, "reversing": _BACK, "opening": _KEY, "waiting": _KEY}


def draw(frame, state, code, lines):
    """Fill the frame; `lines` are two texts, and `code` is empty or that of a result."""
    frame.fill(0)
    first, second = glyphs.plain(lines[0]), glyphs.plain(lines[1])
    if state == "menu":
        first = _numbers_kept(first)
    if code:
        kind = signals.kind(code)
        _result(frame, code, first, second, _head(frame, kind, code, lines[0]))
        return
    sign = _SIGN_OF_STATE.get(state)
    if sign is None:
        _prompt(frame, first, second, 0)
    else:
        _strokes(frame, sign)
        _prompt(frame, first, second, _BESIDE)


# A result


def word_of(kind, language):
    """What a kind of result is called in large letters."""
    return _WORDS[kind].split("|")[language]


def _head(frame, kind, code, sentence):
    """Sign, word and code; where they end."""
    _strokes(frame, _SIGNS[kind])
    word = word_of(kind, _language(code, sentence))
    frame.text(code, _CODE_X, _CODE_Y, 1)
    if glyphs.width(word, 3) <= _CODE_X - _BESIDE:
        glyphs.write(frame, word, _BESIDE, 0, 3)
        return _SIGN
    rows = _wrapped(word, WIDTH - _BESIDE, 2)
    for at in range(len(rows)):
        glyphs.write(frame, rows[at], _BESIDE, 16 * at, 2)
    return max(_SIGN, 16 * len(rows))


def _language(code, sentence):
    """A board is told what to show, not in which language; the sentence of a code tells."""
    return ENGLISH if code in SENTENCES and sentence == SENTENCES[code][ENGLISH] else 0


def _result(frame, code, sentence, detail, top):
    """The sentence in small letters, what matters of the detail in large ones."""
    room = HEIGHT - top
    most = room // glyphs.CELL - _lines_of(detail, WIDTH, 1)
    said = _cut(_wrapped(sentence, WIDTH, 1), max(1, min(MOST_SENTENCE_LINES, most)), WIDTH)
    rows = _as_large_as_fits(detail, WIDTH, room - glyphs.CELL * len(said))
    if code == YES and rows and rows[-1][1] == 1:
        # The sign says yes already; what the guest pays has to be seen.
        rows, said = _as_large_as_fits(detail, WIDTH, room), []
    _stack(frame, _small(said) + rows, 0, top, room)


# All else


def _prompt(frame, first, second, left):
    """The first text beside the sign, when there is one; the second below it."""
    wide = WIDTH - left
    beside = _SIGN if left else 0
    rows = _first_rows(first, second, wide)
    top = max(beside, _height(rows))
    under = _as_large_as_fits(second, WIDTH, HEIGHT - top)
    if not left:
        _stack(frame, rows + under, 0, 0, HEIGHT)
        return
    _stack(frame, rows, left, 0, top if under else HEIGHT)
    _stack(frame, under, 0, top, HEIGHT - top)


def _numbers_kept(text):
    """Each number of a menu on the line of what it stands for."""
    for digit in "123456789":
        text = text.replace(digit + " ", digit + glyphs.HARD_SPACE)
    return text


def _first_rows(first, second, wide):
    if _is_typed(first):
        rows = _largest_typed(first, wide)
        if rows is not None:
            return rows
    room = HEIGHT - 16 * _lines_of(first, wide, 2)
    if room >= 0 and (not second or _height(_as_large_as_fits(second, WIDTH, room)) >= 16):
        return [(line, 2) for line in _wrapped(first, wide, 2)]
    # One line is left for the second text.
    return _small(_cut(_wrapped(first, wide, 1), _MOST_LINES - 1, wide))


def _is_typed(text):
    """Whether a text is what somebody types: no word in it."""
    for char in text:
        if "a" <= char <= "z" or "A" <= char <= "Z":
            return False
    return bool(text)


def _largest_typed(text, wide):
    for size in (3, 2):
        if glyphs.width(text, size) <= wide:
            return [(text, size)]
    return None


# Lines


def _as_large_as_fits(text, wide, room):
    """`[(line, size)]` of at most `room` pixels high: all of it large, or the amount at its end, or none."""
    if not text or room < glyphs.CELL:
        return []
    if _is_typed(text):
        rows = _largest_typed(text, wide)
        if rows is not None and _height(rows) <= room:
            return rows
    name, amount = _amount_apart(text)
    if name and amount:
        text = name + " " + amount
    if 2 * glyphs.CELL * _lines_of(text, wide, 2) <= room:
        return [(line, 2) for line in _wrapped(text, wide, 2)]
    most = room // glyphs.CELL
    large = bool(amount) and glyphs.width(amount, 2) <= wide
    if large and _lines_of(name, wide, 1) + 2 <= most:
        return _small(_wrapped(name, wide, 1)) + [(amount, 2)]
    if _lines_of(text, wide, 1) <= most:
        return _small(_wrapped(text, wide, 1))
    if large and most > 2:
        return _small(_cut(_wrapped(name, wide, 1), most - 2, wide)) + [(amount, 2)]
    left = most - _lines_of(amount, wide, 1)
    return _small((_cut(_wrapped(name, wide, 1), left, wide) if left > 0 else []) + _wrapped(amount, wide, 1))


def _small(found):
    return [(line, 1) for line in found]


def _amount_apart(text):
    """`(what stands before, the last amount with its unit)`; no amount when nothing of the kind stands at the end."""
    end = len(text)
    for _ in range(_MOST_WORDS_OF_AN_AMOUNT):
        space = text.rfind(" ", 0, end)
        if text[space + 1 : space + 2] in _BEGIN_OF_AN_AMOUNT:
            return text[: max(space, 0)], text[space + 1 :].replace(" ", glyphs.HARD_SPACE)
        if space < 0:
            break
        end = space
    return text, ""


def _end_of_line(text, start, wide, size):
    """Where the line ends that begins at `start`: at a space, or inside a word that is longer than a line."""
    end = glyphs.how_many_fit(text, start, wide, size)
    if end == len(text) or text[end] == " ":
        return end
    space = text.rfind(" ", start, end)
    # Room for the hyphen.
    return space if space > start else end - 1


def _lines_of(text, wide, size):
    """How many lines a text takes, too many when large letters would break a word.

    Counted before any line is made, because memory is small.
    """
    count = start = 0
    while start < len(text):
        end = _end_of_line(text, start, wide, size)
        broken = end < len(text) and text[end] != " "
        if broken and size > 1:
            return _MOST_LINES + 1
        start = end if broken else end + 1
        count += 1
    return count


def _wrapped(text, wide, size):
    """The text in lines of at most `wide` pixels, broken between words."""
    found = []
    start = 0
    while start < len(text):
        end = _end_of_line(text, start, wide, size)
        if end == len(text) or text[end] == " ":
            found.append(text[start:end])
            start = end + 1
        else:
            found.append(text[start:end] + "-")
            start = end
    return found


def _cut(found, most, wide):
    """At most so many lines of the natural size; a sign says that there was more."""
    if len(found) <= most:
        return found
    kept = found[:most]
    kept[-1] = kept[-1][: wide // glyphs.CELL - 1] + glyphs.CUT_OFF
    return kept


def _height(rows):
    height = 0
    for _, size in rows:
        height += glyphs.CELL * size
    return height


def _stack(frame, rows, x, y, room):
    """The lines below each other, with as much air between them as there is, up to three pixels."""
    air = min(3, (room - _height(rows)) // max(1, len(rows)))
    for line, size in rows:
        glyphs.write(frame, line, x, y, size)
        y += glyphs.CELL * size + air


# Signs


def _strokes(frame, sign):
    """A sign at the top left."""
    pen = int(sign[0])
    for at in range(1, len(sign) - 3, 3):
        if sign[at + 2] == "/":
            continue
        x, y = _place(sign[at]), _place(sign[at + 1])
        across, down = _place(sign[at + 3]) - x, _place(sign[at + 4]) - y
        steps = max(abs(across), abs(down), 1)
        for step in range(steps + 1):
            frame.fill_rect(x + across * step // steps, y + down * step // steps, pen, pen, 1)


def _place(letter):
    return ord(letter) - ord("a")
