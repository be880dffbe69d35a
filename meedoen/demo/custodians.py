"""The people who keep the keys of Gelredam: three custodians with a share each, and two officers who sign."""

import json
import secrets
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from issuer.scheme import Scheme
from keys import register as registers
from keys.audit_log import AuditLog
from keys.balance import SIGNED
from keys.custody import Seeds, compare, destroy_year, establish, rotate
from keys.days import TIMEZONE
from keys.files import write_secret
from keys.hierarchy import ROOT_BYTES
from keys.register import Register
from keys.sealed_file import FILE_NAME, SealedFile
from keys.shares import Shares, share_set, split
from keys.sheets import Sheet, share_sheet
from keys.vault import Vault

CUSTODIANS = ("F. Pauw", "M. El Amrani", "P. van Xanten")
OFFICERS = ("T. Zonneveld", "L. Yperen")
NEEDED = 2
_PASSPHRASES = ("tulips in the rain", "a bicycle without a bell")


class Custodians:
    """Makes the vault of a city in a folder, as a ceremony does; `now` is the clock of the story."""

    def __init__(self, folder: Path, scheme: Scheme, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        root = secrets.token_bytes(ROOT_BYTES)
        self._shares = split(root, NEEDED, len(CUSTODIANS))
        number_of_set = share_set(self._shares[0])
        self._register = Register(scheme.number, scheme.aid, rehearsal=True, share_set=number_of_set, passphrases=2)
        self._register.threshold, self._register.custodians = NEEDED, len(CUSTODIANS)
        for at, custodian in enumerate(CUSTODIANS):
            place = at + 1, len(CUSTODIANS), NEEDED, number_of_set
            sheet = Sheet(scheme.name, custodian, *place, self._shares[at].split(), self._today(), True)
            write_secret(folder / f"share-{at + 1}.pdf", share_sheet(sheet))
        self._officers = {officer: Ed25519PrivateKey.generate() for officer in OFFICERS}
        for officer, key in self._officers.items():
            self._register.officers[officer] = key.public_key().public_bytes_raw().hex()
        self._store = SealedFile.create(folder / FILE_NAME, _PASSPHRASES)
        establish(root, self._register, self._store, Seeds(folder), self._today())
        registers.save(folder, self._register, self._store)
        self.vault = Vault(self._store, self._register, self._today)
        self.log = AuditLog(folder, now)

    def _today(self) -> date:
        return self._now().astimezone(TIMEZONE).date()

    def tell(self, console: Console) -> None:
        """Two of the three come back with their shares, and see that these still make all keys."""
        console.print(
            f"{len(CUSTODIANS)} custodians make the keys of the city. Each takes a share home on paper; "
            f"{NEEDED} of them together can make the keys again, nobody can alone."
        )
        count = compare(self._together(), self._register, Seeds(self._folder))
        console.print(f"Two shares are typed in as a check: they make all {count} keys. Each party gets its part.")

    def _together(self) -> bytes:
        """The root, from the shares of two of the three."""
        shares = Shares(self._register.share_set)
        for share in (self._shares[2], self._shares[0]):
            shares.add(share)
        return shares.root()

    def rotate(self, purpose: str, until: date) -> None:
        """A new version of a key; the old one counts until a day."""
        rotate(self._together(), self._register, self._store, purpose, until)
        registers.save(self._folder, self._register, self._store)

    def sign(self, request: bytes) -> list[bytes]:
        """Both officers sign one request."""
        return [
            json.dumps({"officer": officer, "signature": key.sign(SIGNED + request).hex()}).encode()
            for officer, key in self._officers.items()
        ]

    def destroy(self, year: int, console: Console) -> None:
        """The keys of a closed year."""
        gone = destroy_year(self._register, self._store, Seeds(self._folder), year, self._today())
        registers.save(self._folder, self._register, self._store)
        lines, _ = self.log.verify()
        console.print(
            f"The keys of {year} ({', '.join(gone.checks.values())}) are destroyed: nobody can link two transactions "
            f"of that year any more. The vault's log of {lines} calls is whole, and names no pass."
        )
