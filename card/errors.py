"""What goes wrong between a reader and a pass, or with what a pass has signed.

Texts name the fault and never hold keys, challenges, handles or amounts.
"""


class CardError(Exception):
    """Something a pass said, or did not say, that stops the work with it."""


class OutOfRange(CardError):
    """A number or length that does not fit its place on the wire; nothing was sent."""


class BadAnswer(CardError):
    """An answer of the wrong length or shape: this is not a pass that follows the protocol."""


class BadMac(CardError):
    """Bytes that were not made with the key they claim: altered, or from someone else."""


class BadRecord(CardError):
    """Bytes that are not a transaction record."""


class BadBatch(CardError):
    """A batch that cannot be taken as it is. `reason`: format, terminal, mac, chain or record."""

    def __init__(self, reason, text):
        super().__init__(text)
        self.reason = reason


class BadLease(CardError):
    """Keys that are not the next ones for this terminal and device."""


class Refused(CardError):
    """The pass answered with a status other than success. `status` is its second byte."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class NoSuchApplication(Refused):
    """The pass does not carry this application: it is another municipality's, or not a city pass."""


class NoSuchFile(Refused):
    """The application has no such file: the pass was made before this purse existed (F0)."""


class NotPermitted(Refused):
    """No key has the right to do this (9D)."""


class NotAuthenticated(Refused):
    """Authentication failed, or the command needs one, with another key maybe (AE)."""


class BoundaryReached(Refused):
    """A value would leave its limits: the purse does not hold this much, or cannot hold more (BE)."""


_LEAVES = {
    0xA0: (NoSuchApplication, "no such application"),
    0x9D: (NotPermitted, "permission denied"),
    0xAE: (NotAuthenticated, "authentication error"),
    0xBE: (BoundaryReached, "boundary error"),
    0x0C: (Refused, "no change"),
    0x0E: (Refused, "out of memory"),
    0x1C: (Refused, "illegal command"),
    0x1E: (Refused, "integrity error"),
    0x40: (Refused, "no such key"),
    0x7E: (Refused, "length error"),
    0x9E: (Refused, "parameter error"),
    0xCA: (Refused, "command aborted"),
    0xCE: (Refused, "count error"),
    0xDE: (Refused, "duplicate"),
    0xEE: (Refused, "memory write error"),
    0xF0: (NoSuchFile, "no such file"),
}


def refusal(status):
    """The error for a status byte: the one place where status words become words."""
    leaf, words = _LEAVES.get(status, (Refused, "status"))
    return leaf(status, "the pass refused: %s (91%02X)" % (words, status))
