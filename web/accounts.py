"""Accounts of officers: who they are, which roles they have, and what they prove at the door that it is them.

An administrator makes an account and hands over a start code; only the officer knows the password that follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from web import passwords
from web.moment import Moment
from web.refusal import Refusal
from web.rights import Rights, opens
from web.second_step import SecretBox, code_hash, new_secret, random_code, recovery_codes, step_of
from web.tables import Base

START_CODE_DAYS = 7
_USER_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_SHORTEST_NAME, _LONGEST_NAME = 3, 32


class Account(Base):
    """An officer. `user_name` is what the audit log knows somebody by: never changed, and never given to another."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("oidc_issuer", "oidc_subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(String(_LONGEST_NAME), unique=True)
    full_name: Mapped[str] = mapped_column(String(128))
    language: Mapped[str] = mapped_column(String(2), default="nl")
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(String(256))
    start_code_hash: Mapped[str | None] = mapped_column(String(64))
    start_code_until: Mapped[datetime | None] = mapped_column(Moment)
    # Closed in a SecretBox. The new one becomes the one in use when a code of it was shown.
    totp_secret: Mapped[str | None] = mapped_column(String(256))
    totp_new_secret: Mapped[str | None] = mapped_column(String(256))
    totp_last_step: Mapped[int] = mapped_column(default=0)
    # What the city's own login calls this officer, until they first came from there; then who they are over there.
    oidc_claim: Mapped[str | None] = mapped_column(String(128), unique=True)
    oidc_issuer: Mapped[str | None] = mapped_column(String(256))
    oidc_subject: Mapped[str | None] = mapped_column(String(256))
    held_roles: Mapped[list["AccountRole"]] = relationship(cascade="all, delete-orphan", lazy="selectin")

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(held.role for held in self.held_roles)

    def needs_second_step(self, rights: Rights) -> bool:
        return self.totp_secret is not None or not self.roles.isdisjoint(rights.two_steps)


class AccountRole(Base):
    """A role that an officer has."""

    __tablename__ = "account_role"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)


class RecoveryCode(Base):
    """A code on paper that stands for a phone, once."""

    __tablename__ = "recovery_code"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class OfficerSession(Base):
    """An officer who is logged in on one browser. The key itself is in the cookie only."""

    __tablename__ = "officer_session"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(Moment)
    seen_at: Mapped[datetime] = mapped_column(Moment)
    # Whether they proved it was them in a second way.
    second_step: Mapped[bool]
    account: Mapped[Account] = relationship(lazy="joined")


@dataclass(frozen=True)
class Officer:
    """Who is at the keyboard. `number` and `user_name` go into logs, `full_name` on the screen only."""

    number: int
    user_name: str
    full_name: str
    roles: frozenset[str]
    permissions: frozenset[str]
    # Whose role asks for a second step sees nothing else until there is one.
    must_enrol: bool = False

    def may(self, permission: str | None) -> bool:
        return opens(self.permissions, permission)


# What an administrator does


def all_accounts(session: Session) -> Sequence[Account]:
    return session.scalars(select(Account).order_by(Account.user_name)).all()


def account(session: Session, number: int) -> Account:
    found = session.get(Account, number)
    if found is None:
        raise Refusal("There is no account number {number}.", number=number)
    return found


def add_account(
    session: Session,
    rights: Rights,
    user_name: str,
    full_name: str,
    roles: frozenset[str],
    language: str = "nl",
    oidc_claim: str = "",
) -> Account:
    """A new account that nobody can log in to before it gets a start code, or by the city's own login."""
    user_name = user_name.strip().lower()
    if not (_SHORTEST_NAME <= len(user_name) <= _LONGEST_NAME and _USER_NAME_LETTERS.issuperset(user_name)):
        raise Refusal("A user name has 3 to 32 small letters, digits, dots, dashes or underscores.")
    if not full_name.strip():
        raise Refusal("Fill in the full name of the officer.")
    if session.scalar(select(Account.id).where(Account.user_name == user_name)) is not None:
        raise Refusal("There is an account with this user name already; take another name.")
    made = Account(user_name=user_name, full_name=full_name.strip(), language=language)
    _set_claim(session, made, oidc_claim)
    _set_roles(made, rights, roles)
    session.add(made)
    session.flush()
    return made


def change_account(
    session: Session,
    rights: Rights,
    by: Officer,
    number: int,
    full_name: str,
    roles: frozenset[str],
    active: bool,
    oidc_claim: str,
) -> Account:
    """Change somebody else's account. Taking a role or closing it works at once, also where they are logged in."""
    changed = account(session, number)
    if changed.id == by.number and (roles != changed.roles or not active):
        raise Refusal("Nobody changes their own roles. Ask another administrator.")
    if not full_name.strip():
        raise Refusal("Fill in the full name of the officer.")
    changed.full_name, changed.active = full_name.strip(), active
    _set_claim(session, changed, oidc_claim)
    _set_roles(changed, rights, roles)
    if not active:
        end_sessions(session, changed)
    return changed


def give_start_code(session: Session, by: Officer | None, number: int, now: datetime, second_step_too: bool) -> str:
    """A code to choose a new password with, shown once. The old password is gone; so is the phone, if asked."""
    found = account(session, number)
    if by is not None and found.id == by.number:
        raise Refusal("Nobody gives themselves a start code. Change your password instead.")
    code = random_code()
    found.start_code_hash, found.start_code_until = code_hash(code), now + timedelta(days=START_CODE_DAYS)
    found.password_hash = None
    if second_step_too:
        found.totp_secret = found.totp_new_secret = None
        session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == found.id))
    end_sessions(session, found)
    return code


def create_administrator(session: Session, rights: Rights, user_name: str, full_name: str, now: datetime) -> str:
    """The first account, and its start code; raises Refusal when somebody is administrator already."""
    there = select(Account.id).join(AccountRole).where(AccountRole.role == rights.administrator, Account.active)
    if session.scalar(there.limit(1)) is not None:
        raise Refusal("There is an administrator already; ask them for an account.")
    made = add_account(session, rights, user_name, full_name, frozenset({rights.administrator}))
    return give_start_code(session, None, made.id, now, second_step_too=False)


def end_sessions(session: Session, of: Account) -> None:
    """Log an officer out everywhere."""
    session.execute(delete(OfficerSession).where(OfficerSession.account_id == of.id))


def _set_roles(changed: Account, rights: Rights, roles: frozenset[str]) -> None:
    if not roles:
        raise Refusal("Choose at least one role.")
    if not roles <= set(rights.roles):
        raise Refusal("There is no such role.")
    changed.held_roles = [held for held in changed.held_roles if held.role in roles] + [
        AccountRole(role=role) for role in sorted(roles - changed.roles)
    ]


def _set_claim(session: Session, changed: Account, claim: str) -> None:
    claim = claim.strip().casefold()
    taken = session.scalar(select(Account.id).where(Account.oidc_claim == claim)) if claim else None
    if taken is not None and taken != changed.id:
        raise Refusal("Another account has this name at the city's login already.")
    if claim != (changed.oidc_claim or ""):
        # Somebody else over there: who they were is not who they are.
        changed.oidc_issuer = changed.oidc_subject = None
    changed.oidc_claim = claim or None


# What an officer does at the door


def named(session: Session, user_name: str) -> Account | None:
    """The account with this user name, when it is open."""
    asked = Account.user_name == user_name.strip().lower()
    return session.scalar(select(Account).where(asked, Account.active))


def by_password(session: Session, user_name: str, password: str) -> Account | None:
    """Whose password this is. A name that is not there costs the same work."""
    found = named(session, user_name)
    right = passwords.matches(found.password_hash if found else None, password)
    if not right or found is None or found.password_hash is None:
        return None
    if passwords.is_outdated(found.password_hash):
        found.password_hash = passwords.hashed(password, found.user_name)
    return found


def by_start_code(session: Session, user_name: str, code: str, now: datetime) -> Account | None:
    """Whose start code this is, while it is good."""
    found = named(session, user_name)
    if found is None or found.start_code_hash is None or found.start_code_until is None:
        return None
    return found if found.start_code_hash == code_hash(code) and now < found.start_code_until else None


def by_oidc(session: Session, issuer: str, subject: str, claim: str) -> Account | None:
    """Who comes from the city's login: linked already, or now, by the name that an administrator wrote down."""
    linked = select(Account).where(Account.oidc_issuer == issuer, Account.oidc_subject == subject)
    found = session.scalar(linked)
    if found is None and claim:
        first_time = Account.oidc_claim == claim.strip().casefold(), Account.oidc_subject.is_(None)
        found = session.scalar(select(Account).where(*first_time))
        if found is not None:
            found.oidc_issuer, found.oidc_subject = issuer, subject
    return found if found is not None and found.active else None


def choose_password(session: Session, of: Account, password: str) -> None:
    """A new password. The start code is used up, and other browsers are logged out."""
    of.password_hash = passwords.hashed(password, of.user_name)
    of.start_code_hash = of.start_code_until = None
    end_sessions(session, of)


def proves_second_step(session: Session, of: Account, code: str, box: SecretBox, now: datetime) -> bool:
    """Whether a code of the phone, or one from paper, is right; either opens once."""
    step = step_of(box.open(of.totp_secret), code, now) if of.totp_secret else None
    if step is not None:
        return _take_step(session, of, step)
    paper = delete(RecoveryCode).where(RecoveryCode.account_id == of.id, RecoveryCode.code_hash == code_hash(code))
    return session.execute(paper.returning(RecoveryCode.code_hash)).one_or_none() is not None


def new_phone(of: Account, box: SecretBox) -> str:
    """The secret for a phone that is not in use yet; the same one until it is."""
    if of.totp_new_secret is None:
        of.totp_new_secret = box.close(new_secret())
    return box.open(of.totp_new_secret)


def take_phone(session: Session, of: Account, code: str, box: SecretBox, now: datetime) -> list[str] | None:
    """Put the new phone to use if it shows the right code: the recovery codes to print, or None."""
    step = step_of(new_phone(of, box), code, now)
    if step is None or not _take_step(session, of, step):
        return None
    of.totp_secret, of.totp_new_secret = of.totp_new_secret, None
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == of.id))
    codes = recovery_codes()
    session.add_all(RecoveryCode(account_id=of.id, code_hash=code_hash(code)) for code in codes)
    return codes


def _take_step(session: Session, of: Account, step: int) -> bool:
    """Take a step once: of two who show the same code at the same time, one gets in."""
    later = update(Account).where(Account.id == of.id, Account.totp_last_step < step).values(totp_last_step=step)
    return session.execute(later.returning(Account.id)).one_or_none() is not None
