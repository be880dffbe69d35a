"""The second step of a login: a code of the moment (TOTP, RFC 6238) from a phone, or a recovery code from paper."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
import segno
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_STEP_S = 30
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_RECOVERY_CODES = 8


class SecretBox:
    """Keeps secrets of phones in the registry such that the registry alone does not give them away."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(SHA256(), 32, None, b"desk second step").derive(key)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, closed: str) -> str:
        return self._fernet.decrypt(closed.encode()).decode()


def new_secret() -> str:
    """A secret to share with a phone."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute that a code is of: this one, or one before or after. None when it is wrong. A caller takes each
    step once, and none before the last one that was taken."""
    totp, this = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_S
    for step in (this, this - 1, this + 1):
        if hmac.compare_digest(totp.at(step * _STEP_S).encode(), code.replace(" ", "").encode()):
            return step
    return None


def picture(secret: str, user_name: str, city: str) -> str:
    """The QR code that a phone reads it from, as SVG."""
    address = pyotp.TOTP(secret).provisioning_uri(name=user_name, issuer_name=city)
    drawn: str = segno.make(address).svg_inline(scale=5, border=4, svgclass=None, lineclass=None, omitsize=False)
    return drawn


def recovery_codes() -> list[str]:
    """Codes to print and keep, like `K7QW-M2XP-3FGH-9RST`; each opens once."""
    return [random_code() for _ in range(_RECOVERY_CODES)]


def random_code() -> str:
    """16 letters that nobody guesses (80 bits), easy to copy from paper."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def code_hash(code: str) -> str:
    """What is kept of a code from paper, however it was typed."""
    letters = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()
