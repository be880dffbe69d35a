"""The first contact with a card as the factory delivers it: a 2TDEA master key of zeros, replaced by an AES key.

ISO authentication (1A) with DES and the session that follows it, for this one command. Only the desk meets such a card,
so this is not part of `card/`. (MIFARE DESFire EV1 data sheet, second hand; checked against libfreefare through the
emulated pass.)
"""

from binascii import crc32
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from card.administration import AES_KEYS
from card.errors import BadAnswer, BadMac
from card.session import MORE, OK, Session
from card.wire import same, uint

_AUTHENTICATE_ISO = 0x1A
_CHANGE_KEY = 0xC4
_BLOCK = 8
_FACTORY_KEY = bytes(8)
# At PICC level the top bits of the key number choose the type of the new master key.
_MASTER_KEY_AS_AES = AES_KEYS | 0


def replace_factory_key(session: Session, new_key: bytes, version: int, random: Callable[[int], bytes]) -> None:
    """Replace the factory's PICC master key by an AES key, with the PICC level selected.

    Raises NotAuthenticated when the card has another master key; then nothing changed.
    """
    session_key, iv = _authenticate(session, random)
    fields = new_key + uint(version, 1)
    fields += uint(crc32(uint(_CHANGE_KEY, 1) + uint(_MASTER_KEY_AS_AES, 1) + fields) ^ 0xFFFFFFFF, 4)
    fields += bytes(-len(fields) % _BLOCK)
    session.exchange(_CHANGE_KEY, uint(_MASTER_KEY_AS_AES, 1) + _encrypt(session_key, iv, fields))


def _authenticate(session: Session, random: Callable[[int], bytes]) -> tuple[bytes, bytes]:
    """`(session key, IV)`. The IV chains over the exchange, and starts at zero after it."""
    status, enc_rnd_b = session.exchange(_AUTHENTICATE_ISO, b"\x00")
    if status != MORE or len(enc_rnd_b) != _BLOCK:
        raise BadAnswer("the card did not answer with a challenge")
    rnd_b = _decrypt(_FACTORY_KEY, bytes(_BLOCK), enc_rnd_b)
    rnd_a = random(_BLOCK)
    token = _encrypt(_FACTORY_KEY, enc_rnd_b, rnd_a + rnd_b[1:] + rnd_b[:1])
    status, answer = session.exchange(MORE, token)
    if status != OK or len(answer) != _BLOCK:
        raise BadAnswer("the authentication did not end")
    if not same(_decrypt(_FACTORY_KEY, token[-_BLOCK:], answer), rnd_a[1:] + rnd_a[:1]):
        raise BadMac("the card does not know the factory key")
    # Both halves of the factory key are equal, which makes it, and the session, single DES.
    return rnd_a[:4] + rnd_b[:4], bytes(_BLOCK)


def _encrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    return Cipher(TripleDES(3 * key), modes.CBC(iv)).encryptor().update(data)


def _decrypt(key: bytes, iv: bytes, data: bytes) -> bytes:
    return Cipher(TripleDES(3 * key), modes.CBC(iv)).decryptor().update(data)
