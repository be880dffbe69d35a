"""What a result sounds like and which light goes with it: each kind has a rhythm, a melody and a colour of its own.

A guest who does not see hears it in the rhythm alone; who does not hear sees sign, word and light; who does not tell
colours has the word and the sign. Tones stay between 300 and 1600 Hz, which most older ears still hear.
"""

QUIET = 0
YES = 1
PUT_BACK = 2
AGAIN = 3
NO = 4
TROUBLE = 5
STAFF = 6

# Tones as (Hz, milliseconds), 0 Hz is silence; then red, green, blue.
_SIGNALS = {
    QUIET: ((), (0, 0, 0)),
    YES: (((1047, 100), (0, 60), (1568, 150)), (0, 200, 60)),
    PUT_BACK: (((1047, 350), (0, 60), (784, 120)), (0, 60, 255)),
    AGAIN: (((880, 100), (0, 90), (880, 100), (0, 90), (880, 100)), (255, 150, 0)),
    NO: (((330, 800),), (255, 0, 0)),
    TROUBLE: (((523, 350), (0, 120), (392, 350), (0, 120), (523, 350)), (200, 0, 200)),
    STAFF: (((660, 60),), (60, 60, 60)),
}

_BY_FIRST_DIGIT = {"0": YES, "1": AGAIN, "2": NO, "3": TROUBLE, "4": STAFF}


def kind(code):
    """Which kind of result a code is; no code at all is quiet, and one that nobody knows is trouble."""
    if not code:
        return QUIET
    return PUT_BACK if code == "01" else _BY_FIRST_DIGIT.get(code[0], TROUBLE)


def of(code):
    """`(tones, (red, green, blue))` for a result code; tones as (Hz or 0, milliseconds)."""
    return _SIGNALS[kind(code)]
