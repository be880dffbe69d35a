"""Who may do what in an app: one table for each, and how a page is tied to a line of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from flask import Flask

# Not in a table: pages that need no role.
OPEN = "open"  # to everybody, also without login
ANY_OFFICER = "any officer"

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True)
class Rights:
    """The roles of an app and what each opens. A role is never part of another; an officer may have several.

    `names`: what a role is called on the screen, in Dutch (`web.words.mark`). `table`: what may be done, by whom, and
    what it is. `two_steps`: roles with which one does not log in by a password alone.
    """

    names: Mapping[str, str]
    table: Mapping[str, tuple[frozenset[str], str]]
    administrator: str
    two_steps: frozenset[str]

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(self.names)

    def of(self, roles: frozenset[str]) -> frozenset[str]:
        """All that somebody with these roles may."""
        return frozenset(name for name, (by, _) in self.table.items() if not roles.isdisjoint(by))

    def needs(self, permission: str) -> Callable[[View], View]:
        """For one page that needs another permission than the rest of its blueprint."""

        def tie(view: View) -> View:
            view.permission = self.known(permission)  # type: ignore[attr-defined]
            return view

        return tie

    def known(self, permission: str) -> str:
        """The permission, if there is such a one."""
        if permission not in (*self.table, OPEN, ANY_OFFICER):
            raise LookupError(f"There is no permission {permission!r} in the table.")
        return permission


def register(app: Flask, blueprint_name: str, permission: str) -> None:
    """Tie all pages of a blueprint to a permission."""
    app.extensions.setdefault("permissions", {})[blueprint_name] = permission


def permission_of(app: Flask, endpoint: str) -> str | None:
    """What a page needs; None for a page that nobody tied to anything, which nobody may see."""
    if endpoint == "static":
        return OPEN
    own: str | None = getattr(app.view_functions[endpoint], "permission", None)
    of_all: dict[str, str] = app.extensions.get("permissions", {})
    return own or of_all.get(endpoint.rpartition(".")[0])


def opens(permissions: frozenset[str], permission: str | None) -> bool:
    """Whether somebody who is logged in, and may so much, may see a page that needs `permission`."""
    return permission in (OPEN, ANY_OFFICER) or permission in permissions
