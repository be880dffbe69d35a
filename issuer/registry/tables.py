"""The tables of the desk. None has a place for where, when or on what a budget was spent.

What the schema can refuse it refuses, whoever writes to it: a state that is not there, a card that is two passes, a
grant that is given twice. How long each kind of row is kept stands in `issuer.retention`.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from issuer.lifecycle import CURRENT, STATES
from issuer.people import Household as HouseholdFacts
from issuer.people import Person, plain
from web.moment import Moment

IMPORT_STATES = ("looked", "accepted", "cancelled", "undone")
LOAD_STATES = ("planned", "written", "cancelled")
DECISION_STATES = ("proposed", "valid", "rejected")
RENEWAL_STATES = ("preview", "accepted", "cancelled")
OUTCOMES = ("keeps", "loses", "gains")


_IS_CURRENT = text(f"state in {CURRENT}")


def _one_of(column: str, allowed: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{each}'" for each in allowed)
    return CheckConstraint(f"{column} in ({listed})", name=f"{column}_is_known")


class Base(DeclarativeBase):
    """All tables of the desk."""

    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


# People


class Household(Base):
    """People who apply together. The band is the upper end in percent of the norm; no income is kept, only who said so.

    `reference` is the municipality's own. The address is there for letters only.
    """

    __tablename__ = "household"
    # Here and below: the number of a row that is gone is not given to another one.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    income_percent: Mapped[int]
    band_by: Mapped[str]
    band_on: Mapped[date]
    street: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    town: Mapped[str] = mapped_column(default="")
    members: Mapped[list["Holder"]] = relationship(back_populates="household", order_by="Holder.born")

    def facts(self, on: date) -> HouseholdFacts:
        """What the rules want to know of a household on a day."""
        return HouseholdFacts.of([member.born for member in self.members], on)


class Holder(Base):
    """A member of a household that may hold a pass."""

    __tablename__ = "holder"
    # For a search that begins with what was typed; PostgreSQL needs to be told that it is for that.
    __table_args__ = (
        Index("holder_by_name", "search_name", postgresql_ops={"search_name": "text_pattern_ops"}),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    # Person.identity, without the household: a child of two households is one holder, and who moves stays the same.
    identity: Mapped[str] = mapped_column(unique=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("household.id"), index=True)
    family_name: Mapped[str]
    infix: Mapped[str]
    given_name: Mapped[str]
    # The family name and then the others, without capitals and accents: what a clerk types.
    search_name: Mapped[str]
    born: Mapped[date] = mapped_column(index=True)
    roles: Mapped[list[Any]]
    school: Mapped[str] = mapped_column(default="")
    # The last day that a file or a clerk said that they are there.
    seen_on: Mapped[date | None]
    household: Mapped[Household] = relationship(back_populates="members", lazy="joined")
    passes: Mapped[list["CardPass"]] = relationship(back_populates="holder", order_by="CardPass.id")

    @property
    def person(self) -> Person:
        """This holder as the rules know them."""
        return Person(
            self.household.reference,
            self.family_name,
            self.infix,
            self.given_name,
            self.born,
            self.household.income_percent,
            frozenset(self.roles),
            self.school,
        )

    def become(self, person: Person) -> None:
        """Take over everything of a person but the household."""
        self.identity = person.identity
        self.family_name, self.infix, self.given_name = person.family_name, person.infix, person.given_name
        self.search_name = plain(f"{person.family_name} {person.given_name} {person.infix}")
        self.born, self.school = person.born, person.school
        self.roles = sorted(person.roles)


class Guardian(Base):
    """Who may act for a child, besides the adults of its own household."""

    __tablename__ = "guardian"

    child_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), primary_key=True)
    guardian_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), primary_key=True)


class ImportRun(Base):
    """A file of people that somebody looked at, and took in or not.

    `content` is there only while it waits to be accepted. `last_load` and `last_decision` are the latest there were
    when it was taken in: what came later may follow from it.
    """

    __tablename__ = "import_run"
    __table_args__ = (
        _one_of("state", IMPORT_STATES),
        CheckConstraint("(state = 'looked') = (content is not null)", name="only_what_waits_has_content"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    digest: Mapped[str]
    new: Mapped[int]
    changed: Mapped[int]
    unchanged: Mapped[int]
    faults: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="looked")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    last_load: Mapped[int] = mapped_column(default=0)
    last_decision: Mapped[int] = mapped_column(default=0)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class ImportedRow(Base):
    """What one person was before an import: None for somebody who was not there. `left`: a digest of what they became.

    Undoing puts `before` back, but only when they are still as the import left them.
    """

    __tablename__ = "imported_row"

    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    holder_id: Mapped[int] = mapped_column(primary_key=True, index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    left: Mapped[str]


class ImportedHousehold(Base):
    """The same of a household: its band, with who gave it and when, and its address."""

    __tablename__ = "imported_household"

    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    household_id: Mapped[int] = mapped_column(primary_key=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    left: Mapped[str]


# Passes


class CardPass(Base):
    """A pass, from the moment that a card is set aside for somebody. `printed_code` stands on its face.

    The code has nothing to do with the chip; a pass that is not encoded yet has no `uid` and no `handle`. `issued_day`
    is the number of the day on which it got its handle, as it stands on the chip; 0 when it was not written down.
    """

    __tablename__ = "card_pass"
    __table_args__ = (
        _one_of("state", STATES),
        Index("one_current_pass", "holder_id", unique=True, sqlite_where=_IS_CURRENT, postgresql_where=_IS_CURRENT),
        CheckConstraint(
            "state in ('stock', 'printed', 'destroyed') or uid is not null", name="an_encoded_pass_has_a_chip"
        ),
        CheckConstraint("(uid is null) = (handle is null)", name="chip_and_handle_come_together"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), index=True)
    uid: Mapped[bytes | None] = mapped_column(LargeBinary(7), unique=True)
    handle: Mapped[bytes | None] = mapped_column(LargeBinary(16), unique=True)
    generation: Mapped[int] = mapped_column(default=1)
    issued_day: Mapped[int] = mapped_column(default=0, server_default="0")
    key_versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    printed_code: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(index=True)
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    # A later last day, from before it is written on the chip until the chip is known to have it.
    renewing_until: Mapped[date | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("card_pass.id"), unique=True)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    holder: Mapped[Holder] = relationship(back_populates="passes", lazy="joined")


class PassEvent(Base):
    """What became of a pass when, by whose hand and why. `by` is the name of an officer, or `holder`."""

    __tablename__ = "pass_event"
    __table_args__ = (_one_of("state", STATES),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pass_id: Mapped[int] = mapped_column(ForeignKey("card_pass.id"), index=True)
    state: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    by: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")


class HotlistBase(Base):
    """What the lists of blocked passes are changes to: the last base that was made, sealed as terminals have it."""

    __tablename__ = "hotlist_base"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class BegunCard(Base):
    """A card that is being made a pass, from before anything on it changes until it is loaded."""

    __tablename__ = "begun_card"

    uid: Mapped[bytes] = mapped_column(LargeBinary(7), primary_key=True)
    # A pass has one card at a time.
    pass_id: Mapped[int] = mapped_column(ForeignKey("card_pass.id"), unique=True)


class Delivery(Base):
    """Blank cards as a supplier delivered them. `report`: of the acceptance test; refused cards are not used."""

    __tablename__ = "delivery"
    __table_args__ = (_one_of("state", ("waiting", "accepted", "refused")), CheckConstraint("count > 0"))

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    supplier: Mapped[str]
    count: Mapped[int]
    received_on: Mapped[date]
    state: Mapped[str] = mapped_column(default="waiting")
    report: Mapped[list[Any]] = mapped_column(default=list)


class StockMove(Base):
    """Cards that left a delivery, or came back to it by a count. `count` is what the stock changes by."""

    __tablename__ = "stock_move"
    __table_args__ = (
        _one_of("kind", ("used", "rejected", "destroyed", "counted")),
        CheckConstraint("(kind = 'counted' and count != 0) or count < 0", name="cards_leave_unless_counted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    kind: Mapped[str]
    count: Mapped[int]
    on: Mapped[date]
    by: Mapped[str]


class RejectedCard(Base):
    """A card that could not become a pass, and why. `uid` when the card still told it."""

    __tablename__ = "rejected_card"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[bytes | None] = mapped_column(LargeBinary(7), index=True)
    reason: Mapped[str]
    on: Mapped[date]
    by: Mapped[str]
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))


# Budgets


class Decision(Base):
    """What was decided for somebody and why; by the rules, or by a person in a case of hardship.

    `amount` in the unit of the purse of the grant; None when there is no such grant. `income_percent` is the band that
    it was decided on.
    """

    __tablename__ = "decision"
    __table_args__ = (
        _one_of("state", DECISION_STATES),
        CheckConstraint("amount is null or amount >= 0"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), index=True)
    # None: of the pass as a whole.
    grant_number: Mapped[int | None]
    grant_name: Mapped[str]
    period: Mapped[str]
    granted: Mapped[bool]
    hardship: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="valid")
    amount: Mapped[int | None]
    reason: Mapped[str]
    reason_en: Mapped[str]
    income_percent: Mapped[int]
    on: Mapped[date]
    by: Mapped[str]
    second_by: Mapped[str | None]


class PlannedLoad(Base):
    """An amount for a holder on its way to their pass, in the unit of the purse.

    A grant that becomes larger within its period (a child was born) gets another `part`. `grant_number` 0 is what a
    pass held that this one replaces. `refill`: add as much as lacks to `amount`.
    """

    __tablename__ = "planned_load"
    __table_args__ = (
        # The same part of a grant is given once a period, however often somebody asks.
        UniqueConstraint("holder_id", "grant_number", "period", "part"),
        CheckConstraint("amount > 0"),
        _one_of("state", LOAD_STATES),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), index=True)
    grant_number: Mapped[int]
    period: Mapped[str]
    part: Mapped[int] = mapped_column(default=1)
    purse: Mapped[int]
    amount: Mapped[int]
    refill: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="planned")


class PastLoads(Base):
    """What was written on passes of people who are not here any more, counted: nobody can be found in it."""

    __tablename__ = "past_loads"

    period: Mapped[str] = mapped_column(primary_key=True)
    grant_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    purse: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    amount: Mapped[int]


class Message(Base):
    """A letter or notice to a holder: what it was about, not its text. `sent_on` None: still to be printed."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id"), index=True)
    kind: Mapped[str]
    language: Mapped[str]
    facts: Mapped[dict[str, Any]]
    made_on: Mapped[date]
    sent_on: Mapped[date | None]


# The yearly test


class RenewalRun(Base):
    """The test of all holders for a pass year, as on the day `on`; `counts` is what was shown.

    Accepted, it is finished when every row is done.
    """

    __tablename__ = "renewal_run"
    __table_args__ = (
        _one_of("state", RENEWAL_STATES),
        CheckConstraint("accepted_by is null or accepted_by != made_by", name="a_second_person_accepts"),
        CheckConstraint("(state = 'accepted') = (accepted_by is not null)", name="somebody_accepted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pass_year: Mapped[str]
    on: Mapped[date]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="preview")
    counts: Mapped[dict[str, Any]]
    accepted_by: Mapped[str | None]
    accepted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class RenewalRow(Base):
    """What one holder gets in the pass year of a run, and what they had in the year before.

    Kept and not computed again, because what a second person accepts is what the first one saw. `before` is
    {grant: amount}, `after` the budgets decided, `reasons` in Dutch and English why there is no pass. `became` is set
    when something changed after the preview: the outcome, budgets and reasons that counted instead.
    """

    __tablename__ = "renewal_row"
    __table_args__ = (_one_of("outcome", OUTCOMES),)

    run_id: Mapped[int] = mapped_column(ForeignKey("renewal_run.id", ondelete="CASCADE"), primary_key=True)
    holder_id: Mapped[int] = mapped_column(ForeignKey("holder.id", ondelete="CASCADE"), primary_key=True, index=True)
    outcome: Mapped[str]
    needs_card: Mapped[bool]
    before: Mapped[dict[str, Any]]
    after: Mapped[list[Any]]
    reasons: Mapped[list[Any]]
    done: Mapped[bool] = mapped_column(default=False)
    became: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


# The desk's own journal of loads


class OpenIntent(Base):
    """A load whose commit was about to be sent and whose outcome is not written down yet."""

    __tablename__ = "open_intent"

    terminal: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    handle: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    load_id: Mapped[int] = mapped_column(ForeignKey("planned_load.id"))
    clear: Mapped[bytes] = mapped_column(LargeBinary(42))
    tmc: Mapped[int]
    enc_tmri: Mapped[bytes] = mapped_column(LargeBinary(16))
    in_doubt: Mapped[bytes] = mapped_column(LargeBinary(60))
    handed_in: Mapped[bool] = mapped_column(default=False)


class JournalEntry(Base):
    """An entry of a desk's journal, as it goes to the backend. `terminal` is the number of the desk."""

    __tablename__ = "journal_entry"

    terminal: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(index=True)
    entry: Mapped[bytes] = mapped_column(LargeBinary(119))


class HandedIn(Base):
    """Up to and with which position the backend has a desk's journal."""

    __tablename__ = "handed_in"

    terminal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]


class SealingState(Base):
    """The sealing key (card.sealing.SealingKey) of the last day that a desk used."""

    __tablename__ = "sealing_state"

    terminal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[bytes] = mapped_column(LargeBinary(40))


# How long it is kept


class RetentionRun(Base):
    """A report for the data-protection officer: how many rows of each class went. Nothing in it is personal."""

    __tablename__ = "retention_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    on: Mapped[date]
    report: Mapped[list[Any]]
