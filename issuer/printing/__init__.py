"""The artwork of a pass, both sides, for a card printer: the same for everybody but for name, code and photo."""

from issuer.printing.artwork import Artwork, load_artwork
from issuer.printing.check import check_artwork
from issuer.printing.face import Face

__all__ = ["Artwork", "Face", "check_artwork", "load_artwork"]
