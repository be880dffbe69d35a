"""What a result sounds like and which light goes with it: each kind has a rhythm, a melody and a colour of its own.

A guest who does not see hears it in the rhythm alone; who does not hear sees sign, word and light; who does not tell
colours has the word and the sign. Tones stay between 300 and 1600 Hz, which most older ears still hear.
"""

# The kinds, in the order of the first digit of their codes, and what is put back last.
QUIET = 0
YES = 1
AGAIN = 2
NO = 3
TROUBLE = 4
STAFF = 5
PUT_BACK = 6

# By kind: Hz and milliseconds in turn, 0 Hz is silence. As text, which takes less memory than numbers in tuples.
_TONES = (
    "",
    "1047 100 0 60 1568 150",
    "880 100 0 90 880 100 0 90 880 100",
    "330 800",
    "523 350 0 120 392 350 0 120 523 350",
    "660 60",
    "1047 350 0 60 784 120",
)
# By kind: red, green and blue of a light.
_LIGHTS = (0x000000, 0x00C83C, 0xFF9600, 0xFF0000, 0xC800C8, 0x3C3C3C, 0x003CFF)


def kind(code):
    """Which kind of result a code is; no code at all is quiet, and one that nobody knows is trouble."""
    if not code:
        return QUIET
    if code == "01":
        return PUT_BACK
    at = "01234".find(code[0])
    return TROUBLE if at < 0 else YES + at


def of(code):
    """`(tones, (red, green, blue))` for a result code; tones as (Hz or 0, milliseconds)."""
    found = kind(code)
    numbers = [int(number) for number in _TONES[found].split()]
    light = _LIGHTS[found]
    tones = [(numbers[at], numbers[at + 1]) for at in range(0, len(numbers), 2)]
    return tones, (light >> 16, light >> 8 & 0xFF, light & 0xFF)
