"""What can go wrong between a host and a terminal, or between a host and the backend."""

from terminal.firmware.errors import BackendUnreachable, VaultUnreachable

__all__ = ["BackendUnreachable", "NoHotlist", "NoOffers", "TerminalError", "VaultUnreachable"]


class TerminalError(Exception):
    """The terminal does not answer, or refused; the text says what to do."""


class NoOffers(Exception):
    """The offers of the city did not come; the terminal keeps those it has, and all else of a sync was done."""


class NoHotlist(Exception):
    """The list of blocked passes did not come; the terminal keeps the one it has, and all else of a sync was done."""
