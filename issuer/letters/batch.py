"""Letters that wait, as PDFs (PDF/UA-1) sorted by postcode. They count as sent when somebody says they were printed.

WeasyPrint needs Pango of the system; it is imported only when letters are made, so that a desk works without.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from issuer import messages
from issuer.errors import DeskError
from issuer.letters.letter import Letter, write_letter
from issuer.letters.office import Office
from issuer.letters.recipient import recipient
from issuer.registry import people
from issuer.registry.tables import Message

if TYPE_CHECKING:
    from weasyprint import Document

_VARIANT = "pdf/ua-1"
# A letter takes about 0.6 MB until the PDF is written.
_MOST = 250
_STYLE = Path(__file__).parent / "templates" / "letter.css"


@dataclass(frozen=True)
class Batch:
    """Letters for one PDF, all in one language."""

    letters: list[Letter]

    @property
    def numbers(self) -> list[int]:
        """Of the messages in it, for `issuer.messages.sent`."""
        return [letter.message.id for letter in self.letters]


def waiting(
    session: Session, office: Office, on: date, kinds: Sequence[str] = messages.KINDS
) -> tuple[list[Batch], list[Message]]:
    """Every letter that waits, in batches; and the messages to households without an address, which wait on."""
    letters, unreachable = [], []
    for message in messages.unsent(session, kinds):
        to = recipient(session, people.holder(session, message.holder_id), on)
        if to.is_reachable:
            letters.append(write_letter(message, to, office, on))
        else:
            unreachable.append(message)
    return batches(letters), unreachable


def batches(letters: Sequence[Letter]) -> list[Batch]:
    """Letters sorted by language and postcode, so many to a PDF that the machine of a desk can hold them."""
    found = []
    for language in messages.LANGUAGES:
        said = [letter for letter in letters if letter.message.language == language]
        said.sort(key=lambda each: (each.postcode, each.message.id))
        found += [Batch(said[at : at + _MOST]) for at in range(0, len(said), _MOST)]
    return found


def write(batch: Batch, path: Path, tell: Callable[[], None] = lambda: None) -> int:
    """Write the letters of a batch to a PDF; the number of its pages. `tell` hears of each letter."""
    first, *others = _rendered(batch.letters, tell)
    whole = first.copy([page for document in (first, *others) for page in document.pages])
    # The title of the first letter would be that of all, with the name that is in it.
    whole.metadata.title = path.stem
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.write_pdf(path, pdf_variant=_VARIANT)
    return len(whole.pages)


def _rendered(letters: Sequence[Letter], tell: Callable[[], None]) -> "list[Document]":
    """Each letter by itself, so that its pages are counted by themselves."""
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
    except OSError:
        raise DeskError("Letters need Pango. Ask the administrator for libpango-1.0-0 and libpangoft2-1.0-0.") from None
    # It says at every letter which style it does not know; ours is looked at as a picture.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    fonts = FontConfiguration()
    style = CSS(filename=_STYLE, font_config=fonts)
    documents = []
    for letter in letters:
        documents.append(HTML(string=letter.html).render(stylesheets=[style], font_config=fonts))
        tell()
    return documents
