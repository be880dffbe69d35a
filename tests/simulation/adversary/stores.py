"""What each party stores when a city has run: databases, files, logs, backups, exports, flash, and what hosts carried.

Keys are among it where a party has them in a file. What a party could have seen and does not keep is not here.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pypdf import PdfReader

from backend.clearing import Clearing
from backend.reports.periods import period
from tests.simulation.city import City
from tests.simulation.run import BACKUP, Run

CLEARING, DESK, VAULT = "clearing", "desk", "vault"
# The number of the municipality itself in its audit files; it passes the test of eleven, as those of people do.
RSIN = "123456782"
_SQLITE = b"SQLite format 3\0"


class Stored(NamedTuple):
    """`files` by their names; `databases` are those of them that can be asked."""

    files: dict[str, bytes]
    databases: list[Path]

    def and_of(self, other: "Stored") -> "Stored":
        """What two who collude have."""
        return Stored(self.files | other.files, self.databases + other.databases)


def stored_by(run: Run, party: str) -> Stored:
    """Of clearing, the desk, the vault, or a venue: the number of its terminal."""
    return {CLEARING: _clearing, DESK: _desk, VAULT: _vault}[party](run) if not party.isdigit() else _venue(run, party)


def _clearing(run: Run) -> Stored:
    city = run.city
    on_disk = _folders(city.folder, "backend", BACKUP, "vault/backend.json")
    exported = {f"export {name}": content for name, content in exports(city.clearing)}
    return on_disk.and_of(Stored({"log of clearing": city.logged("clearing").encode(), **exported}, []))


def _desk(run: Run) -> Stored:
    city = run.city
    logs = {"log of the desk": city.logged("desk").encode()}
    return _folders(city.folder, "desk", "households.csv", "vault/issuer.json").and_of(Stored(logs, []))


def _vault(run: Run) -> Stored:
    city = run.city
    register = json.dumps(vars(city.vault.register), default=vars).encode()
    said = (city.logged("vault") + repr(city.vault_log.lines)).encode()
    return Stored({"register of the vault": register, "log of the vault": said}, [])


def _venue(run: Run, terminal: str) -> Stored:
    place = next(place for place in run.city.places if str(place.terminal) == terminal)
    carried = [body for url, body in run.city.network.carried if f"/terminals/{terminal}" in url]
    return _folders(run.city.folder, place.flash.name).and_of(
        Stored(
            {
                f"journal of {terminal}": bytes(place.storage.content),
                f"what the host of {terminal} carried": b"".join(carried),
                f"log of {terminal}": run.city.logged("terminal").encode(),
            },
            [],
        )
    )


def _folders(root: Path, *names: str) -> Stored:
    found = [path for name in names for path in (root / name, *sorted((root / name).rglob("*")))]
    paths = [path for path in found if path.is_file()]
    files = {str(path.relative_to(root)): path.read_bytes() for path in paths}
    return Stored(files, [path for path in paths if files[str(path.relative_to(root))].startswith(_SQLITE)])


def exports(clearing: Clearing) -> Iterator[tuple[str, bytes]]:
    """All that clearing gives to others, as text where it is packed."""
    today = clearing.calendar.today()
    yield "totals", json.dumps(clearing.totals(), default=str).encode()
    yield "books for beancount", "\n".join(clearing.beancount.lines(today)).encode()
    for year in ("2026", "2027"):
        audit = io.BytesIO()
        clearing.auditfile(RSIN).write(audit, period(year), today)
        yield f"audit file of {year}", audit.getvalue()
        yield f"books of {year}", clearing.spreadsheets.books(period(year)).encode()
        workbook = zipfile.ZipFile(io.BytesIO(clearing.spreadsheets.workbook(clearing.funds.of(period(year)))))
        yield f"funds of {year}", b"".join(workbook.read(name) for name in workbook.namelist())
    made = clearing.settlements.all()
    for settlement in made:
        yield f"payments of {settlement.number}", clearing.settlements.payment_file(settlement.number) or b""
    for line in made[-1].lines if made else ():
        pages = PdfReader(io.BytesIO(clearing.settlements.statement(made[-1].number, line.venue))).pages
        yield f"statement of venue {line.venue}", "\n".join(page.extract_text() for page in pages).encode()


def everybody(city: City) -> list[str]:
    """All parties."""
    return [CLEARING, DESK, VAULT, *(str(place.terminal) for place in city.places)]
