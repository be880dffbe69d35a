"""Who may do what at the desk: the one table."""

from web.rights import Rights
from web.words import mark

CLERK, TEAM_LEAD, ADMINISTRATOR, AUDITOR = ROLES = ("clerk", "team-lead", "administrator", "auditor")

_DESK = frozenset({CLERK, TEAM_LEAD})
# What may be done: by whom, and what it is. A role is never part of another; an officer may have several.
PERMISSIONS: dict[str, tuple[frozenset[str], str]] = {
    "find": (_DESK, "find people and passes, and read which budgets follow and why"),
    "import": (_DESK, "take in households"),
    "decide": (_DESK, "enter a household, ask for a hardship decision"),
    "issue": (_DESK, "make a pass, write budgets to it, hand it over"),
    "passes": (_DESK, "block a pass, replace it, explain a decline"),
    "batch": (_DESK, "make a stack of passes, keep the stock"),
    "approve": (frozenset({TEAM_LEAD}), "decide on what somebody else asked: hardship, replacing with balance"),
    "renew": (frozenset({TEAM_LEAD}), "test all holders again, send letters"),
    "report": (frozenset({TEAM_LEAD, AUDITOR}), "read counts and sums, without names"),
    "audit": (frozenset({AUDITOR}), "read and verify the audit log"),
    "accounts": (frozenset({ADMINISTRATOR}), "make accounts of officers, give and take roles"),
}

RIGHTS = Rights(
    names={
        CLERK: mark("medewerker"),
        TEAM_LEAD: mark("teamleider"),
        ADMINISTRATOR: mark("beheerder"),
        AUDITOR: mark("controleur"),
    },
    table=PERMISSIONS,
    administrator=ADMINISTRATOR,
    two_steps=frozenset({TEAM_LEAD, ADMINISTRATOR}),
)
needs = RIGHTS.needs
