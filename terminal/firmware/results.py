"""What a terminal can say: a short code, and a sentence in Dutch and English. The same codes at the desk."""

from terminal.firmware.texts import Texts

# On a pass.
YES = "00"
REVERSED = "01"
SAME_AGAIN = "02"
AGAIN = "10"
BUSY = "11"
NOT_A_PASS = "20"
OTHER_MUNICIPALITY = "21"
EXPIRED = "22"
BLOCKED = "23"
PURSE_TOO_SMALL = "24"
WRONG_VENUE = "25"
NOTHING_TO_REVERSE = "26"
NOT_YET_VALID = "27"
# On the terminal.
LIST_TOO_OLD = "30"
TERMINAL_FULL = "31"
READER = "32"
KEY_CHIP = "33"
# On the shift.
SHIFT_OPEN = "40"
SHIFT_CLOSED = "41"
WRONG_PIN = "42"
TOO_MANY_WRONG = "43"
PIN_TOO_EASY = "44"
PINS_DIFFER = "45"
PIN_SET = "46"

# Each fits three lines of 16 letters.
SENTENCES = Texts("""
00|Ja, akkoord|Yes, accepted
01|Teruggeboekt op de pas|Put back on the pass
02|Al betaald. Nog een keer? Druk B|Already paid. Again? Press B
10|Nog een keer. Houd de pas stil|Again please. Hold the pass still
11|Nog een keer. Het apparaat was druk|Again please. The terminal was busy
20|Dit is geen geldige pas|This is not a valid pass
21|Deze gemeente doet hier niet mee|This city is not served here
22|De pas is verlopen. Ga naar de balie|The pass has expired. Go to the city desk
23|De pas is geblokkeerd. Ga naar de balie|The pass is blocked. Go to the city desk
24|Er staat te weinig op de pas|There is too little on the pass
25|Dit kan hier niet met deze pas|Not possible here with this pass
26|Deze pas heeft hier niets om terug te boeken|Nothing to put back on this pass here
27|De pas is nog niet geldig|The pass is not valid yet
30|De lijsten zijn te oud. Sluit het apparaat aan|The lists are too old. Connect the terminal
31|Het geheugen is vol. Sluit het apparaat aan|The memory is full. Connect the terminal
32|De lezer werkt niet. Controleer de kabel|The reader does not work. Check the cable
33|De sleutelchip faalt. Haal hulp|The key chip fails. Get help
40|De dienst is open|The shift is open
41|De dienst is gesloten|The shift is closed
42|Dit is niet de goede PIN|This is not the right PIN
43|Te vaak een foute PIN. Even wachten|Too many wrong PINs. Please wait
44|Kies een andere PIN. Deze is te makkelijk|Choose another PIN. This one is too easy
45|De PIN was niet twee keer gelijk|The PINs were not the same
46|De nieuwe PIN is bewaard|The new PIN is kept
""")


class Result:
    """How a tap ended. `left`: what the purse still holds, in its unit, or None when the pass was already gone.

    `bundle`: the offers of the municipality that knew the pass, or None.
    """

    def __init__(self, code, record=None, left=None):
        self.code = code
        self.record = record
        self.left = left
        self.bundle = None
