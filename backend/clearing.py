"""The services of one municipality's clearing, over one store and one vault."""

from dataclasses import asdict
from datetime import date
from typing import Any

import httpx

from backend.bank.service import Bank
from backend.calendar import Calendar, Now, utc_now
from backend.config import Config
from backend.errors import NotFound
from backend.exceptions.service import Exceptions
from backend.finding import Findings
from backend.ingest import Ingest
from backend.ledger import Ledger, Rules
from backend.proposals import Proposals
from backend.reports.beancount import Beancount
from backend.reports.funds import FundReports
from backend.reports.reconciliation import Reconciling
from backend.reports.spreadsheets import Spreadsheets
from backend.reports.states import RecordReports
from backend.reports.statistics import StatisticsService
from backend.reports.xaf import Auditfile
from backend.reports.year_end import YearEnd
from backend.runs import AUDIT, VERIFY, Runs
from backend.settlement.recovery import Recovery
from backend.settlement.service import Settlements
from backend.signer import Signer
from backend.staff import answering
from backend.statements import Statements
from backend.store import Store
from backend.vault import Audit, VaultClient
from backend.venues import Venues
from backend.verify import Verification


class Clearing:
    """`transport`: how the vault is reached when it is in this process; `now`: the clock."""

    def __init__(self, config: Config, transport: httpx.BaseTransport | None = None, now: Now = utc_now) -> None:
        self.config = config
        self.calendar = Calendar(now, config.timezone)
        self.store = Store(config.database_url, config.municipality.number)
        self._vault = VaultClient(config.vault, transport)
        rules = Rules(config)
        self.year_end = YearEnd(self.store, config, self.calendar)
        self.ingest = Ingest(self.store, self._vault, rules, self.year_end, config.link_roots_bytes(), now)
        self.verification = Verification(self.store, self._vault, rules, config.link_roots_bytes(), config.overlap)
        self.findings = Findings(self.store, self._vault, config, self.calendar)
        works = {
            VERIFY: lambda heard: asdict(self.verification.run(heard)),
            AUDIT: lambda _heard: _audited(self.findings.audit()),
        }
        self.runs = Runs(self.store, self.calendar, works)
        self.exceptions = Exceptions(self.store, self.ingest, self.calendar, config.overdue_days)
        self.ledger = Ledger(self.store, config)
        self.records = RecordReports(self.store, config)
        self.venues = Venues(self.store, config, self.calendar)
        self.proposals = Proposals(self.store, config, self.calendar)
        self.statements = Statements(config.link_roots_bytes(), now)
        self.settlements = Settlements(self.store, config, now)
        self.recovery = Recovery(self.store, self.settlements, config.municipality, now)
        self.bank = Bank(self.store, config.municipality, now)
        self.funds = FundReports(self.store, config, self.calendar)
        self.reconciling = Reconciling(self.store)
        self.beancount = Beancount(self.store, config.municipality.name)
        self.statistics = StatisticsService(self.store, config, self.calendar)
        self.spreadsheets = Spreadsheets(self.store)
        self.signer = Signer(config, self.calendar)

    def lease(self, terminal: int, number: int) -> bytes:
        """Keys for a terminal that is in use here, as the vault wrapped them; raises NotFound or LinkError."""
        with self.store.reading() as tx:
            known = tx.catalogue.terminal(terminal)
        if known is None or not known.in_use:
            raise NotFound("terminal", f"Terminal {terminal} is not in use.")
        return self._vault.lease(terminal, number)

    def bundle(self, terminal: int, statement: bytes, day: date | None = None) -> bytes:
        """The bundle of a terminal, sealed for it and signed for its host, as the answer to its own statement.

        Raises NotFound, StatementRefused or CertificateOver.
        """
        sealed = self.venues.bundle_for(terminal, day)
        nonce = self.statements.nonce_in(terminal, statement, self.ingest.next_position(terminal))
        with self.store.transaction() as tx:
            tx.journal.advance(terminal, self.calendar.today())
        return self.signer.signed(self.statements.answer(terminal, nonce, sealed))

    def answering(self, by: str, permission: str) -> str:
        """Who answers for an act, as `staff.answering` has it."""
        return answering(self.config.data, by, permission)

    def totals(self) -> dict[str, Any]:
        """The totals of the books, and how far records came in all and of each venue, ready for JSON."""
        totals, states = self.ledger.totals(), asdict(self.records.now())
        for venue in totals["venues"]:
            venue["states"] = states["venues"][venue["venue"]]
        return totals | {"states": states["in_all"]}

    def auditfile(self, tax_number: str) -> Auditfile:
        """The writer of audit files of the municipality with this RSIN."""
        return Auditfile(self.store, self.config.municipality.name, tax_number)

    def set_up(self) -> None:
        """Make the tables and the municipality's desks; harmless when they are there."""
        self.config.data.mkdir(parents=True, exist_ok=True)
        self.store.migrate()
        with self.store.transaction() as tx:
            for desk in self.config.desks:
                if tx.catalogue.terminal(desk) is None:
                    tx.catalogue.add_terminal(desk, None, self.calendar.today())

    def close(self) -> None:
        self.runs.close()
        self._vault.close()
        self.store.close()


def _audited(found: Audit) -> dict[str, Any]:
    """What a screen says of an audit; what was found is among the exceptions."""
    return {"records": found.records, "unnamed": found.unnamed}
