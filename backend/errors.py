"""What clearing refuses. Texts name the fault and never hold keys, tokens or sealed bytes.

Each has a `reason`: one word for machines, the same in the quarantine, in an answer over HTTP and on the command line.
"""

from datetime import date

# Said where an error of the database passes by itself (`web.database.is_passing`).
DATABASE_BUSY = "The database is busy or does not answer. Nothing is lost; try the same again in a moment."


class LedgerError(Exception):
    """Clearing cannot do what was asked; the books are as they were."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class BatchRefused(LedgerError):
    """A batch that cannot be taken as it is; it is kept in quarantine. `reason` as of card.errors.BadBatch."""


class TwoJournals(LedgerError):
    """A batch that contradicts what is held of the same terminal: it was cloned, or restored from a copy."""

    def __init__(self, text: str) -> None:
        super().__init__("two journals", text)


class RecordRefused(LedgerError):
    """A record that must not reach the books; it is kept in quarantine."""


class ImportRefused(LedgerError):
    """A file of venues or a scheme with faults, all of them in `faults`; nothing of it was taken."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("import", "\n".join(faults))
        self.faults = faults


class OfferRefused(LedgerError):
    """A proposal of an offer, or a purse of a venue, that cannot be as it is."""


class SettlementRefused(LedgerError):
    """A settlement that must not be made, approved, sent, revoked or withdrawn like this."""


class RecoveryRefused(LedgerError):
    """What is done after a copy was put back, and must not be done like this; nothing has changed."""


class BankFileRefused(LedgerError):
    """A file that is no message of the bank, or not of our account; nothing of it was taken."""


class BankEntryRefused(LedgerError):
    """An entry of the bank that must not be decided on like this."""


class PersonRefused(LedgerError):
    """Nobody, where somebody has to answer for it."""


class AccountRefused(LedgerError):
    """Who does this has no account in use, or none of a role that may."""

    def __init__(self, text: str) -> None:
        super().__init__("account", text)


class ReportRefused(LedgerError):
    """A report, export or closing that cannot be made like this."""


class StatementRefused(LedgerError):
    """What is said of a terminal is not its own word of this moment, or it says that records are kept back."""


class ExceptionRefused(LedgerError):
    """An act on an exception that does not fit its case, its person or its reason; nothing has changed."""


class CertificateOver(LedgerError):
    """Nothing that clearing signs counts any more."""

    def __init__(self, last: date) -> None:
        advice = "Have the key custodian run `meedoen keys desk`, and run `meedoen backend init` with the new file."
        super().__init__("certificate", f"Clearing could sign bundles until {last}. {advice}")


class NotFound(LedgerError):
    """There is no such terminal, settlement, statement or exception here."""


class ConfigError(LedgerError):
    """The data folder is not set up, or its configuration does not hold."""

    def __init__(self, text: str) -> None:
        super().__init__("config", text)


class LinkError(Exception):
    """The vault did not answer, or not with proofs. Nothing is lost: ask again later."""
