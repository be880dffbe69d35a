"""The configuration of one municipality's clearing: `config.json` in the data folder, readable by its owner only."""

import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException

from backend.errors import ConfigError, ImportRefused
from card.signing import CERTIFICATE_BYTES
from web.outside import from_json, from_toml

FILE_NAME = "config.json"
_OF_THE_PLACE = (
    "desks",
    "timezone",
    "overdue_days",
    "statistics_minimum",
    "database",
    "transport_token",
    "finance_token",
)
# The rule of thumb of statistical offices is ten units behind each count (ESSnet SDC, Guidelines for the checking of
# output based on microdata research, 2010).
_LEAST_COUNT = 10
DESK = 1
_WHOLE = 100
# Not a year with 29 February: a pass year ends on a day that every year has.
_COMMON_YEAR = 2025

Unit = Literal["cent", "point", "visit", "item"]
PurseNumber = Annotated[int, Field(ge=1, le=14)]
Secret = Annotated[SecretStr, Field(min_length=16)]


def _hexadecimal(value: SecretStr) -> SecretStr:
    bytes.fromhex(value.get_secret_value())
    return value


Key = Annotated[SecretStr, Field(min_length=32, max_length=32), AfterValidator(_hexadecimal)]
DoubleKey = Annotated[SecretStr, Field(min_length=64, max_length=64), AfterValidator(_hexadecimal)]
Certificate = Annotated[str, Field(pattern=f"^[0-9a-f]{{{2 * CERTIFICATE_BYTES}}}$")]


def iban(text: str) -> str:
    """The IBAN without spaces; raises ValueError when length, country or check digits are wrong."""
    try:
        return str(IBAN(text).compact)
    except SchwiftyException as error:
        raise ValueError(f"not an IBAN: {error}") from None


def bic(text: str) -> str:
    """The BIC; raises ValueError when its form is wrong."""
    try:
        return str(BIC(text).compact)
    except SchwiftyException as error:
        raise ValueError(f"not a BIC: {error}") from None


def _every_year(value: tuple[int, int]) -> tuple[int, int]:
    date(_COMMON_YEAR, *value)
    return value


MonthDay = Annotated[tuple[int, int], AfterValidator(_every_year)]
Iban = Annotated[str, AfterValidator(iban)]
Bic = Annotated[str, AfterValidator(bic)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Funded(_Strict):
    """Where money comes from: the first fund until its budget is used up and then the next, or each its percentage."""

    funds: tuple[str, ...] = Field(min_length=1)
    split: Literal["order", "share"] = "order"
    shares: tuple[Annotated[int, Field(ge=1)], ...] = ()

    @model_validator(mode="after")
    def _a_share_for_each_fund(self) -> Self:
        if self.split == "share" and (len(self.shares) != len(self.funds) or sum(self.shares) != _WHOLE):
            raise ValueError(f"shares are a percentage for each of the funds, together {_WHOLE}")
        return self


class Purse(_Funded):
    """A purse of the scheme: its unit, and its funds. Discounts at its offers are booked on the first of them."""

    name: str
    unit: Unit
    # The class of the purse in the scheme, such as sport or clothes; reports add purses up by it.
    category: str = ""


class Grant(_Funded):
    """What a load is for: the purse it goes to and the funds that it is taken from."""

    purse: PurseNumber


class Municipality(_Strict):
    """Who pays. `aid` as printed."""

    name: str = Field(min_length=1, max_length=70)
    number: int = Field(ge=1, le=0xFFFF)
    aid: str = Field(pattern=r"^[0-9A-F]{6}$")
    iban: Iban
    bic: Bic | None = None


class PaymentRules(_Strict):
    """How venues are paid, in cents. A venue that is owed less than `minimum` has it carried to its next statement.
    A settlement of more than `second_check_above` is checked by a third person; None: two are enough."""

    minimum: Annotated[int, Field(ge=0)] = 0
    second_check_above: Annotated[int, Field(ge=0)] | None = None


class InvoiceAddress(_Strict):
    """Who the municipality is on the invoices that it makes out for venues. `oin`: its number as a public body."""

    oin: str = Field(pattern=r"^\d{20}$")
    street: str = Field(min_length=1, max_length=70)
    postcode: str = Field(pattern=r"^\d{4} ?[A-Z]{2}$")
    city: str = Field(min_length=1, max_length=70)


class Vault(_Strict):
    """Where proofs come from: `unix:` and the path of a socket, or an https address and the files for mutual TLS."""

    address: str
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


class Config(_Strict):
    """All that clearing is told. A token that is None leaves that part of the HTTP interface open: one machine only."""

    data: Path = Field(exclude=True)
    municipality: Municipality
    purses: dict[PurseNumber, Purse]
    grants: dict[int, Grant]
    # What a fund may give in a pass year, in the unit of its purses; a fund that is not in it has no end.
    budgets: dict[str, Annotated[int, Field(ge=1)]] = {}
    year_ends: MonthDay = (12, 31)
    payments: PaymentRules = PaymentRules()
    invoice: InvoiceAddress | None = None
    # How long a pass of last year still works, while it is renewed.
    overlap_days: Annotated[int, Field(ge=0)] = 0
    vault: Vault
    link_roots: tuple[Key, ...] = Field(min_length=1)
    table_key: DoubleKey
    # What bundles are signed with, and the vault's word that this key may.
    signing_key: DoubleKey
    certificate: Certificate
    desks: tuple[int, ...] = (DESK,)
    timezone: str = "Europe/Amsterdam"
    # How long a terminal may stay away before it is an exception; its keys end after 30 days.
    overdue_days: Annotated[int, Field(ge=1)] = 14
    # Smaller counts are not published.
    statistics_minimum: Annotated[int, Field(ge=_LEAST_COUNT)] = _LEAST_COUNT
    # None: an SQLite file in the data folder. An address may hold a password.
    database: SecretStr | None = None
    transport_token: Secret | None = None
    finance_token: Secret | None = None

    @property
    def database_url(self) -> str:
        if self.database is not None:
            return self.database.get_secret_value()
        return f"sqlite:///{self.data / 'clearing.db'}"

    def link_roots_bytes(self) -> list[bytes]:
        """Newest first: what is sealed for a terminal takes the first, what comes from it may take any."""
        return [bytes.fromhex(root.get_secret_value()) for root in self.link_roots]

    def table_key_bytes(self) -> bytes:
        """What the table of nullifiers is sealed with for the vault."""
        return bytes.fromhex(self.table_key.get_secret_value())

    def funds(self) -> list[str]:
        """Every fund, in order of name."""
        return sorted({fund for each in (*self.purses.values(), *self.grants.values()) for fund in each.funds})

    @property
    def overlap(self) -> timedelta:
        return timedelta(days=self.overlap_days)

    def pass_year(self, day: date) -> tuple[date, date]:
        """First and last day of the pass year that a day is in."""
        end = date(day.year, *self.year_ends)
        end = end if day <= end else date(day.year + 1, *self.year_ends)
        return date(end.year - 1, *self.year_ends) + timedelta(days=1), end

    def save(self) -> None:
        """Write the file, complete or not at all, mode 0600."""
        content = self.model_dump(mode="json")
        content["link_roots"] = [root.get_secret_value() for root in self.link_roots]
        content["table_key"] = self.table_key.get_secret_value()
        content["signing_key"] = self.signing_key.get_secret_value()
        for key in ("database", "transport_token", "finance_token"):
            secret: SecretStr | None = getattr(self, key)
            content[key] = secret.get_secret_value() if secret else None
        self.data.mkdir(parents=True, exist_ok=True)
        path, new = self.data / FILE_NAME, self.data / (FILE_NAME + ".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def bic_of(account: str) -> str | None:
    """The BIC of the bank that an IBAN names, when the registry knows it."""
    found = IBAN(account).bic
    return None if found is None else str(found.compact)


def load(data: Path) -> Config:
    """The configuration of a data folder."""
    path = data / FILE_NAME
    try:
        return Config(data=data, **from_json(path.read_text()))
    except FileNotFoundError:
        raise ConfigError(f"{data} is not set up; run `meedoen backend init`.") from None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} does not hold: {_faults(error)}") from None


def of_the_place(data: Path) -> dict[str, Any]:
    """What a data folder was set up with that no scheme, key file or account says; nothing when it is new."""
    if not (data / FILE_NAME).exists():
        return {}
    held = load(data)
    return {name: getattr(held, name) for name in _OF_THE_PLACE}


def make(data: Path, scheme: Path, secrets: Path, account: str, bank: str | None = None, **rest: Any) -> Config:
    """A Config from a scheme, the file that the vault made for clearing, and the account that pays.

    `rest` are further fields of Config (desks, timezone, tokens), and `vault_address` where it is not that of the file.
    """
    content = read_toml(scheme)
    vault_address = rest.pop("vault_address", None)
    given = _key_file(secrets)
    if vault_address:
        given["vault"] = {**given["vault"], "address": vault_address}
    try:
        iban(account)
    except ValueError as error:
        raise ConfigError(f"The account that pays is {error}.") from None
    try:
        municipality = {key: content["municipality"].get(key) for key in ("name", "number", "aid")}
        return Config(
            data=data,
            municipality=Municipality(**municipality, iban=account, bic=bank),
            purses=_purses(content),
            grants=_grants(content),
            budgets={entry["name"]: entry["budget"] for entry in content.get("fund", []) if "budget" in entry},
            year_ends=_year_ends(content),
            payments=PaymentRules(**content.get("payments", {})),
            invoice=InvoiceAddress(**content["invoice"]) if "invoice" in content else None,
            overlap_days=content["pass"].get("overlap_days", 0),
            **given,
            **rest,
        )
    except KeyError as error:
        raise ConfigError(f"{scheme} lacks {error}.") from None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{scheme} or {secrets} does not hold: {_faults(error)}") from None


def _key_file(path: Path) -> dict[str, Any]:
    """What the vault gave clearing: where it is, and keys. Paths in it start from its folder."""
    try:
        given = from_json(path.read_text())
        vault = dict(given["vault"])
        vault |= {name: path.parent / vault[name] for name in ("certificate", "key", "ca") if name in vault}
        keys = ("link_roots", "table_key", "signing_key", "certificate")
        return {"vault": vault, **{name: given[name] for name in keys}}
    except FileNotFoundError:
        raise ConfigError(f"{path} is not there; it is made by the vault's set-up.") from None
    except (ValueError, TypeError, KeyError):
        raise ConfigError(f"{path} is not the file for clearing, backend.json of the vault's set-up.") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file; raises ImportRefused with the line of a fault in its syntax."""
    try:
        return from_toml(path.read_text(encoding="utf-8"))
    except OSError:
        raise ImportRefused([f"{path} cannot be read."]) from None
    except ValueError as error:
        raise ImportRefused([f"{path}: {error}"]) from None


def _purses(content: dict[str, Any]) -> dict[int, Purse]:
    return {
        entry["number"]: Purse(
            name=entry["name"], unit=entry["unit"], category=entry.get("class", ""), **_funded(entry)
        )
        for entry in content["purse"]
    }


def _grants(content: dict[str, Any]) -> dict[int, Grant]:
    """A grant without a fund of its own is taken from the funds of its purse."""
    purses = {entry["number"]: entry for entry in content["purse"]}
    return {
        entry["number"]: Grant(purse=entry["purse"], **_funded(entry if "fund" in entry else purses[entry["purse"]]))
        for entry in content.get("grant", [])
    }


def _funded(entry: dict[str, Any]) -> dict[str, Any]:
    """`fund` for one, or `funds` with how they share."""
    if "fund" in entry:
        return {"funds": (entry["fund"],)}
    return {"funds": entry["funds"]} | {key: entry[key] for key in ("split", "shares") if key in entry}


def _year_ends(content: dict[str, Any]) -> tuple[int, int]:
    """(month, day) of the "12-31" in the scheme."""
    month, day = content["pass"]["year_ends"].split("-")
    return int(month), int(day)


def _faults(error: Exception) -> str:
    """What is wrong and where; never the value, which may be a secret."""
    if isinstance(error, ValidationError):
        return "; ".join(".".join(str(part) for part in fault["loc"]) + ": " + fault["msg"] for fault in error.errors())
    return str(error)
