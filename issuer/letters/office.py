"""What a municipality says of itself in its letters, from a TOML file beside its scheme."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from issuer.toml_table import Document, Table

_LONGEST_YEARS_IN_MONTHS = 120


@dataclass(frozen=True)
class Address:
    """Where a letter goes to, or comes from."""

    to: str
    street: str
    postcode: str
    town: str


@dataclass(frozen=True)
class InLanguage:
    """What an office says in one language."""

    hours: str
    position: str
    proof: str


@dataclass(frozen=True)
class Office:
    """Who writes. `objection`: where somebody objects to a decision.

    `proof_after_months`: how old an income band may be before a new proof is asked for; 0 for never.
    """

    name: str
    pass_name: str
    address: Address
    phone: str
    signatory: str
    objection: Address
    proof_after_months: int
    words: dict[str, InLanguage]

    def proof_before(self, year_end: date) -> date | None:
        """For a new year after `year_end`: an income band from before this day needs a new proof. None: none does."""
        if not self.proof_after_months:
            return None
        months = year_end.year * 12 + year_end.month - self.proof_after_months
        return date(months // 12, months % 12 + 1, 1)


def file_of(scheme: Path) -> Path:
    """The file for the scheme in another one: `schemes/letters/x.toml` for `schemes/x.toml`."""
    return scheme.parent / "letters" / scheme.name


def load_office(path: Path) -> Office:
    """The office in a file; raises SchemeError with every fault, its line, its key and what is expected there."""
    document = Document(path)
    office, objection, renewal = (document.one(name) for name in ("office", "objection", "renewal"))
    found = Office(
        name=_line(office, "name"),
        pass_name=_line(office, "pass_name"),
        address=_address(office, "department"),
        phone=_line(office, "phone"),
        signatory=_line(office, "signatory"),
        objection=_address(objection, "to"),
        proof_after_months=renewal.whole("proof_after_months", 0, _LONGEST_YEARS_IN_MONTHS),
        words={
            "nl": InLanguage(_line(office, "hours"), _line(office, "position"), _line(renewal, "proof")),
            "en": InLanguage(_line(office, "hours_en"), _line(office, "position_en"), _line(renewal, "proof_en")),
        },
    )
    for table in (office, objection, renewal):
        table.close()
    document.finish()
    return found


def _address(table: Table, to: str) -> Address:
    return Address(_line(table, to), _line(table, "street"), _line(table, "postcode"), _line(table, "town"))


def _line(table: Table, key: str) -> str:
    return table.text(key, r"\S(.{0,118}\S)?", "a text of 1 to 120 characters on one line")
