"""What the pages of clearing are made of."""

from dataclasses import dataclass

from flask import current_app

from backend.clearing import Clearing
from backend.staff import Staff
from backend.web.permissions import RIGHTS
from web.oidc import Oidc
from web.site import Site


@dataclass(frozen=True)
class WebConfig:
    """The services of one municipality's clearing, and how browsers reach them."""

    clearing: Clearing
    staff: Staff
    https: bool = True
    proxies: int = 0
    oidc: Oidc | None = None

    @property
    def site(self) -> Site:
        """What the pages have in common with those of other parties."""
        return Site(
            city=self.clearing.config.municipality.name,
            folder=self.clearing.config.data,
            rights=RIGHTS,
            transaction=self.staff.transaction,
            now=self.clearing.calendar.now,
            today=self.clearing.calendar.today,
            cookie="clearing",
            https=self.https,
            proxies=self.proxies,
            oidc=self.oidc,
        )


def clearing() -> Clearing:
    """The services behind the request."""
    found: Clearing = current_app.extensions["clearing"]
    return found
