"""What can go wrong at the desk. Each text is one sentence that says to a clerk what to do."""

from web.refusal import Refusal


class DeskError(Refusal):
    """Work at the desk that was refused; nothing changed."""


class CardRefused(DeskError):
    """This card cannot become, or is not, a pass of ours; it is as it was."""


class CardLeft(DeskError):
    """The card left the reader half-way; put the same one back and do the same again."""


class VaultUnreachable(DeskError):
    """The vault does not answer, or does not know this desk."""


class VaultRefused(DeskError):
    """The vault understood, and said no."""


class SchemeError(DeskError):
    """A scheme file with faults: the text has a line for each, with its place in the file and what belongs there."""


class ArtworkRefused(DeskError):
    """The artwork of the pass cannot be used: the text says what in its folder has to change."""


class FaceRefused(DeskError):
    """Something that is to stand on this pass cannot: the text says what to do about it. Nothing was printed."""
