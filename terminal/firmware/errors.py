"""What can go wrong inside a terminal, by who failed."""


class ReaderError(Exception):
    """The reader does not do its work; staff can only look at the cable."""


class PassGone(ReaderError):
    """The pass left the field; whether it still did what it was told is not known."""


class LinkError(Exception):
    """A frame from the host that cannot be taken; nothing changed."""


class ListRefused(Exception):
    """A list, lease or device file that is not genuine, not for this terminal or older than what is here."""


class FlashError(Exception):
    """The flash does not hold what was written, or has no room left; no tap is accepted."""


class KeyChipError(Exception):
    """The chip that keeps the key of this device does not do its work; nothing opens, and nothing is lost."""


class BackendUnreachable(Exception):
    """Nothing was handed over; the terminal keeps everything, try again later."""


class VaultUnreachable(Exception):
    """No new keys for now; those of the terminal count until their last day."""
