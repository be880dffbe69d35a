"""Who may do what at the desk: the one table, and how a page is tied to a line of it."""

from collections.abc import Callable
from typing import TypeVar

from flask import Flask

CLERK, TEAM_LEAD, ADMINISTRATOR, AUDITOR = ROLES = ("clerk", "team-lead", "administrator", "auditor")

# Not in the table: pages that need no role.
OPEN = "open"  # to everybody, also without login
ANY_OFFICER = "any officer"

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

View = TypeVar("View", bound=Callable[..., object])


def needs(permission: str) -> Callable[[View], View]:
    """For one page that needs another permission than the rest of its blueprint."""

    def tie(view: View) -> View:
        view.permission = _known(permission)  # type: ignore[attr-defined]
        return view

    return tie


def register(app: Flask, blueprint_name: str, permission: str) -> None:
    """Tie all pages of a blueprint to a permission."""
    app.extensions.setdefault("permissions", {})[blueprint_name] = _known(permission)


def permission_of(app: Flask, endpoint: str) -> str | None:
    """What a page needs; None for a page that nobody tied to anything, which nobody may see."""
    if endpoint == "static":
        return OPEN
    own: str | None = getattr(app.view_functions[endpoint], "permission", None)
    of_all: dict[str, str] = app.extensions.get("permissions", {})
    return own or of_all.get(endpoint.rpartition(".")[0])


def may(roles: frozenset[str], permission: str | None) -> bool:
    """Whether somebody who is logged in, with these roles, may."""
    if permission in (OPEN, ANY_OFFICER):
        return True
    return permission is not None and not roles.isdisjoint(PERMISSIONS[permission][0])


def _known(permission: str) -> str:
    if permission not in (*PERMISSIONS, OPEN, ANY_OFFICER):
        raise LookupError(f"There is no permission {permission!r}; the table is in issuer/web/permissions.py.")
    return permission
