"""Who may do what with clearing: the one table."""

from backend.roles import ADMINISTRATOR, AUDITOR, FINANCE, FINANCE_LEAD, PARTNER_MANAGER, VENUE
from web.rights import Rights
from web.words import mark

_FINANCE = frozenset({FINANCE, FINANCE_LEAD})
PERMISSIONS: dict[str, tuple[frozenset[str], str]] = {
    "money": (_FINANCE | {AUDITOR}, "read what is owed and paid, settlements, exceptions, reports; verify the books"),
    "settle": (
        _FINANCE,
        "prepare a settlement, withdraw it before it is approved, take files of the bank in, propose what lapses "
        "or is given back",
    ),
    "release": (
        frozenset({FINANCE_LEAD}),
        "approve a settlement of somebody else, revoke it before it is sent, decide what lapses or is given back, "
        "publish statistics",
    ),
    "mend": (_FINANCE, "try a refused item again; close or book a case together with somebody else"),
    "venues": (_FINANCE | {PARTNER_MANAGER, AUDITOR}, "read venues and their offers"),
    "offers": (frozenset({PARTNER_MANAGER}), "decide on offers and publish them, say which purses a venue may take"),
    "own": (frozenset({VENUE}), "of the own venue: offers, counts per day, money; propose an offer"),
    "audit": (frozenset({AUDITOR}), "read and verify the audit log"),
    "accounts": (frozenset({ADMINISTRATOR}), "make accounts, give and take roles"),
}

RIGHTS = Rights(
    names={
        FINANCE: mark("financiën"),
        FINANCE_LEAD: mark("teamleider financiën"),
        PARTNER_MANAGER: mark("partnermanager"),
        VENUE: mark("aanbieder"),
        AUDITOR: mark("controleur"),
        ADMINISTRATOR: mark("beheerder"),
    },
    table=PERMISSIONS,
    administrator=ADMINISTRATOR,
    two_steps=frozenset({FINANCE, FINANCE_LEAD, PARTNER_MANAGER, ADMINISTRATOR}),
)
needs = RIGHTS.needs
