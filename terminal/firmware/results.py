"""What a terminal can say: a short code, and a sentence in Dutch and English. The same codes at the desk."""

YES = "00"
REVERSED = "01"
SAME_AGAIN = "02"
AGAIN = "10"
NOT_A_PASS = "20"
OTHER_MUNICIPALITY = "21"
NOT_VALID = "22"
BLOCKED = "23"
PURSE_TOO_SMALL = "24"
WRONG_VENUE = "25"
NOTHING_TO_REVERSE = "26"
LIST_TOO_OLD = "30"
TERMINAL_FULL = "31"
READER = "32"

DUTCH = 0
ENGLISH = 1

SENTENCES = {
    YES: ("Ja, akkoord", "Yes, accepted"),
    REVERSED: ("Teruggeboekt op de pas", "Put back on the pass"),
    SAME_AGAIN: ("Deze pas is al geweest. Niets extra afgeschreven", "This pass was here. Nothing more was taken"),
    AGAIN: ("Nog een keer. Houd de pas stil", "Again please. Hold the pass still"),
    NOT_A_PASS: ("Dit is geen geldige pas", "This is not a valid pass"),
    OTHER_MUNICIPALITY: ("Deze gemeente doet hier niet mee", "This city is not served here"),
    NOT_VALID: ("De pas is niet geldig op deze dag", "The pass is not valid today"),
    BLOCKED: ("De pas is geblokkeerd. Ga naar de balie", "The pass is blocked. Go to the city desk"),
    PURSE_TOO_SMALL: ("Er staat te weinig op de pas", "There is too little on the pass"),
    WRONG_VENUE: ("Dit tegoed mag hier niet", "This budget cannot be used here"),
    NOTHING_TO_REVERSE: ("Deze pas heeft hier niets om terug te boeken", "Nothing to put back on this pass here"),
    LIST_TOO_OLD: ("De lijsten zijn te oud. Sluit het apparaat aan", "The lists are too old. Connect the terminal"),
    TERMINAL_FULL: ("Het geheugen is vol. Sluit het apparaat aan", "The memory is full. Connect the terminal"),
    READER: ("De lezer werkt niet. Controleer de kabel", "The reader does not work. Check the cable"),
}


class Result:
    """How a tap ended. `left`: what the purse still holds, in its unit, or None when the pass was already gone.

    `bundle`: the offers of the municipality that knew the pass, or None.
    """

    def __init__(self, code, record=None, left=None):
        self.code = code
        self.record = record
        self.left = left
        self.bundle = None
