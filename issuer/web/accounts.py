"""Accounts of officers: who they are, which roles they have, how they log in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from issuer.errors import DeskError
from issuer.moment import Moment
from issuer.registry import Base
from issuer.web.permissions import ROLES, may


class Account(Base):
    """An officer. `user_name` is small letters, and what the audit log knows somebody by."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(String(64), unique=True)
    full_name: Mapped[str] = mapped_column(String(128))
    language: Mapped[str] = mapped_column(String(2))
    active: Mapped[bool] = mapped_column(default=True)
    held_roles: Mapped[list["AccountRole"]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(held.role for held in self.held_roles)


class AccountRole(Base):
    """A role that an officer has."""

    __tablename__ = "account_role"
    __table_args__ = (CheckConstraint(f"role in {ROLES}"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)


class OfficerSession(Base):
    """An officer who is logged in on one browser. The key itself is in the cookie only."""

    __tablename__ = "officer_session"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    account: Mapped[Account] = relationship(lazy="joined")


@dataclass(frozen=True)
class Officer:
    """Who is at the keyboard. `number` and `user_name` go into logs, `full_name` on the screen only."""

    number: int
    user_name: str
    full_name: str
    roles: frozenset[str]

    def may(self, permission: str) -> bool:
        return may(self.roles, permission)


def add_account(session: Session, user_name: str, full_name: str, roles: frozenset[str], language: str) -> Account:
    """A new account that cannot log in yet."""
    user_name = user_name.strip().lower()
    if session.scalar(select(Account).where(Account.user_name == user_name)) is not None:
        raise DeskError("There is an account with this user name already; take another name.")
    account = Account(
        user_name=user_name,
        full_name=full_name,
        language=language,
        held_roles=[AccountRole(role=role) for role in sorted(roles)],
    )
    session.add(account)
    session.flush()
    return account
