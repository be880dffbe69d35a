"""The desk web app: its pages, each next to what an officer needs to see it."""

from flask import Flask

from hardware.errors import ReaderError
from issuer.web.config import WebConfig
from issuer.web.pages import (
    cards,
    declines,
    faces,
    hardship,
    holder,
    imports,
    lost,
    people,
    reader,
    renewals,
    reports,
    stock,
)
from issuer.web.words import amount
from web.app import Pages, make_app
from web.errors import page
from web.pages import accounts, audit, entrance, own_account, start
from web.rights import ANY_OFFICER, OPEN
from web.words import _, mark

PAGES = (
    Pages(entrance.pages, OPEN),
    Pages(holder.pages, OPEN),
    Pages(start.pages, ANY_OFFICER, ("start.home", mark("Begin"))),
    Pages(people.pages, "find", ("people.find", mark("Zoeken"))),
    Pages(reader.pages, "find", ("reader.index", mark("Pas lezen"))),
    Pages(cards.pages, "issue"),
    Pages(lost.pages, "passes"),
    Pages(faces.pages, "issue"),
    Pages(stock.pages, "batch", ("stock.index", mark("Kaarten"))),
    Pages(declines.pages, "passes", ("declines.explain", mark("Apparaat zei nee"))),
    Pages(imports.pages, "import", ("imports.index", mark("Inlezen"))),
    Pages(renewals.pages, "renew", ("renewals.index", mark("Nieuw jaar"))),
    Pages(reports.pages, "report", ("reports.index", mark("Cijfers"))),
    Pages(hardship.pages, "decide", ("hardship.waiting", mark("Tweede persoon"))),
    Pages(accounts.pages, "accounts", ("accounts.index", mark("Accounts"))),
    Pages(audit.pages, "audit", ("audit.index", mark("Logboek"))),
    Pages(own_account.pages, ANY_OFFICER, ("own_account.index", mark("Mijn account"))),
)


def create_app(config: WebConfig) -> Flask:
    """The app over one municipality's registry."""
    app = make_app(config.site, "issuer.web", PAGES)
    app.extensions["desk"] = config
    app.jinja_env.filters["amount"] = amount
    app.register_error_handler(ReaderError, lambda _error: _no_reader())
    return app


def _no_reader() -> tuple[str, int]:
    advice = _("Kijk of de kabel erin zit, en probeer het nog een keer. Helpt dat niet? Bel dan uw beheerder.")
    return page(503, _("De kaartlezer doet het niet"), advice)
