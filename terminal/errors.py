"""What can go wrong between a host and a terminal, or between a host and the backend."""


class TerminalError(Exception):
    """The terminal does not answer, or refused; the text says what to do."""


class BackendUnreachable(Exception):
    """Nothing was handed over; the terminal keeps everything, try again later."""


class VaultUnreachable(Exception):
    """No new keys for now; those of the terminal count until their last day."""


class NoHotlist(Exception):
    """The list of blocked passes did not come; the terminal keeps the one it has, and all else of a sync was done."""
