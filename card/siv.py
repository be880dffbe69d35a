"""AES-SIV (RFC 5297) with a 32-byte key: authenticated encryption that a repeated nonce cannot break.

A terminal has no trustworthy source of nonces after a power cut; SIV needs none.
"""

from card.aes import BLOCK, ZERO_BLOCK, Ecb
from card.cmac import Cmac, double, pad
from card.errors import BadMac
from card.wire import exactly, same, xor

KEY_BYTES = 32
OVERHEAD_BYTES = BLOCK


def _s2v(mac, associated, plaintext):
    """RFC 5297 section 2.4."""
    state = mac.full(ZERO_BLOCK)
    for part in associated:
        state = xor(double(state), mac.full(part))
    if len(plaintext) >= BLOCK:
        end = len(plaintext) - BLOCK
        cut = end - end % BLOCK
        return mac.full(plaintext[cut:end] + xor(plaintext[end:], state), memoryview(plaintext)[:cut])
    return mac.full(xor(double(state), pad(plaintext)))


def _counter_mode(key, synthetic_iv, data):
    """RFC 5297 section 2.5: two bits of the counter are cleared, so that it never carries past 31 bits in use."""
    counter = int.from_bytes(synthetic_iv, "big") & ~(1 << 63 | 1 << 31)
    cipher = Ecb(key)
    out = bytearray(data)
    for at in range(0, len(data), BLOCK):
        stream = cipher.encrypt(counter.to_bytes(BLOCK, "big"))
        part = data[at : at + BLOCK]
        out[at : at + BLOCK] = xor(part, stream[: len(part)])
        counter = (counter + 1) & ((1 << 128) - 1)
    return bytes(out)


def siv_encrypt(key, associated, plaintext):
    """16 bytes of synthetic IV, then the ciphertext; `associated` lists byte strings that are bound, not hidden."""
    exactly(key, KEY_BYTES, "AES-SIV key")
    synthetic_iv = _s2v(Cmac(key[:16]), associated, plaintext)
    return synthetic_iv + _counter_mode(key[16:], synthetic_iv, plaintext)


def siv_decrypt(key, associated, sealed):
    """The plaintext; raises BadMac when key, associated data or ciphertext differ in one bit."""
    exactly(key, KEY_BYTES, "AES-SIV key")
    if len(sealed) < OVERHEAD_BYTES:
        raise BadMac("sealed data is shorter than its own seal")
    synthetic_iv = sealed[:BLOCK]
    plaintext = _counter_mode(key[16:], synthetic_iv, sealed[BLOCK:])
    if not same(_s2v(Cmac(key[:16]), associated, plaintext), synthetic_iv):
        raise BadMac("the seal does not fit the key or the data")
    return plaintext
