"""Signs bundles for the hosts that carry them, with a key that the vault certified for it. Terminals check a MAC."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.calendar import Calendar, day_number, day_of
from backend.config import Config
from backend.errors import CertificateOver
from card.signing import BUNDLE, read_certificate, signed


class Signer:
    """One municipality's clearing, as hosts know it."""

    def __init__(self, config: Config, calendar: Calendar) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(config.signing_key.get_secret_value()))
        self._certificate = bytes.fromhex(config.certificate)
        self._calendar = calendar

    def signed(self, bundle: bytes) -> bytes:
        """The bundle with our certificate and signature behind it.

        Raises CertificateOver: hosts take nothing that was signed after the last day of the certificate.
        """
        last = read_certificate(self._certificate)[0]
        if day_number(self._calendar.today()) > last:
            raise CertificateOver(day_of(last))
        made: bytes = signed(BUNDLE, bundle, self._certificate, self._key.sign)
        return made
