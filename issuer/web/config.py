"""What a desk web app is made of. Everything of the outside world comes in here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from flask import current_app

from hardware.printer import IppPrinter
from issuer.balance import Balance
from issuer.desk import Desk, Issued
from issuer.errors import DeskError
from issuer.letters.folder import LETTERS
from issuer.letters.office import Office, load_office
from issuer.lost import Guard
from issuer.personalise import Reader, Tell
from issuer.printing.artwork import Artwork
from issuer.registry import Registry
from issuer.scheme import Scheme
from issuer.web.permissions import RIGHTS
from issuer.work import Workbench
from web.oidc import Oidc
from web.site import Site


@dataclass(frozen=True)
class Counter:
    """What a counter has besides a screen. `desk(by, tell)`: for an officer, who hears how far it is.

    `balance(request, signatures)` asks the vault what a lost pass held.
    """

    desk: Callable[[str, Tell], Desk]
    reader: Callable[[], Reader]
    balance: Callable[[bytes, Sequence[bytes]], Balance]
    bench: Workbench[Issued] = field(default_factory=Workbench)


@dataclass(frozen=True)
class WebConfig:
    """`folder` keeps the secret key; `now` has its zone; `today` is the municipality's day."""

    registry: Registry
    folder: Path
    scheme: Scheme
    now: Callable[[], datetime]
    today: Callable[[], date]
    language: str = "nl"
    # Off only for a browser on the same machine: without it a cookie travels in the clear.
    https: bool = True
    # How many proxies of our own stand in front: as many steps back the origin of a request is looked up.
    proxies: int = 0
    oidc: Oidc | None = None
    # None where there is no reader: passes are found and decided on, not made.
    counter: Counter | None = None
    # What passes look like, checked; and the card printer. Without a printer a face is a file to print elsewhere.
    artwork: Artwork | None = None
    printer: IppPrinter | None = None
    # Who writes the letters: a TOML file beside that of the scheme.
    office_file: Path | None = None
    # What takes longer than a page.
    tasks: Workbench[int] = field(default_factory=Workbench)

    @property
    def site(self) -> Site:
        """What the pages have in common with those of other parties."""
        return Site(
            self.scheme.name,
            self.folder,
            RIGHTS,
            self.registry.transaction,
            self.now,
            self.today,
            "desk",
            self.language,
            self.https,
            self.proxies,
            self.oidc,
        )

    @cached_property
    def guard(self) -> Guard:
        """How often somebody may be wrong about a lost pass, here and at the API."""
        return Guard(self.now)

    @property
    def letters(self) -> Path:
        """Where letters lie until they are printed."""
        return self.folder / LETTERS

    def office(self) -> Office:
        """Who writes the letters; raises DeskError where nobody wrote that down."""
        if self.office_file is None:
            raise DeskError("Nobody wrote down who signs the letters. Ask the administrator.")
        return load_office(self.office_file)

    def purses(self, balances: dict[int, int]) -> list[tuple[str, int, str]]:
        """(name, amount, unit) of what a pass holds, for a page."""
        purses = self.scheme.purses
        return [(purses[number].name, amount, purses[number].unit) for number, amount in balances.items()]

    def at_counter(self) -> Counter:
        """The counter; raises DeskError where there is none."""
        if self.counter is None:
            raise DeskError("This desk has no reader. Go to a desk with a reader.")
        return self.counter


def here() -> WebConfig:
    """The config of the app that answers the request."""
    config: WebConfig = current_app.extensions["desk"]
    return config
