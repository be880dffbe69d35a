"""The pages of clearing: each next to what somebody needs to see it."""

from flask import Flask

from backend.errors import LedgerError, LinkError, NotFound
from backend.web.config import WebConfig
from backend.web.pages import (
    bank,
    exceptions,
    money,
    own,
    own_offers,
    own_taps,
    proposals,
    reports,
    settlements,
    statistics,
    venues,
    verification,
    year_end,
)
from backend.web.words import RECORD_STATES, RUN_STATES, amount, refused
from web.app import Pages, make_app
from web.errors import refusal_page
from web.pages import accounts, audit, entrance, own_account, start
from web.rights import ANY_OFFICER, OPEN
from web.words import mark

PAGES = (
    Pages(entrance.pages, OPEN),
    Pages(start.pages, ANY_OFFICER, ("start.home", mark("Begin"))),
    Pages(money.pages, "money", ("money.index", mark("Geld"))),
    Pages(settlements.pages, "money", ("settlements.index", mark("Afrekenen"))),
    Pages(bank.pages, "money", ("bank.index", mark("Bank"))),
    Pages(exceptions.pages, "money", ("exceptions.index", mark("Uitzoeken"))),
    Pages(reports.pages, "money", ("reports.index", mark("Verslagen"))),
    Pages(year_end.pages, "money"),
    Pages(statistics.pages, "money"),
    Pages(verification.pages, "money"),
    Pages(venues.pages, "venues", ("venues.index", mark("Aanbieders"))),
    Pages(proposals.pages, "venues", ("proposals.index", mark("Aanbod"))),
    Pages(own.pages, "own", ("own.index", mark("Mijn geld"))),
    Pages(own_taps.pages, "own", ("own_taps.index", mark("Mijn bezoeken"))),
    Pages(own_offers.pages, "own", ("own_offers.index", mark("Mijn aanbod"))),
    Pages(accounts.pages, "accounts", ("accounts.index", mark("Accounts"))),
    Pages(audit.pages, "audit", ("audit.index", mark("Logboek"))),
    Pages(own_account.pages, ANY_OFFICER, ("own_account.index", mark("Mijn account"))),
)


def create_app(config: WebConfig) -> Flask:
    """The app over one municipality's clearing."""
    app = make_app(config.site, "backend.web", PAGES)
    app.extensions["clearing"] = config.clearing
    app.jinja_env.filters.update(amount=amount, purse_pair=lambda pair: (pair[0], pair[1].name))
    app.jinja_env.globals.update(record_states=RECORD_STATES, run_states=RUN_STATES)
    app.register_error_handler(NotFound, lambda error: refusal_page(404, refused(error)))
    app.register_error_handler(LedgerError, lambda error: refusal_page(400, refused(error)))
    app.register_error_handler(LinkError, lambda error: refusal_page(503, refused(error)))
    return app
