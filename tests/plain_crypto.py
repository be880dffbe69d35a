"""The cryptography of a pass as plainly as it can be written: what `card/` is measured against, and tested against.

AES one block at a time under a key that is scheduled anew, subkeys derived for each MAC, exclusive or byte by byte,
every message put together from its parts. Runs on both Pythons, and shares no code with `card/`.
"""

ZERO = bytes(16)

try:
    from cryptolib import aes

    def encrypted(key, block):
        return aes(key, 1).encrypt(block)

    def decrypted(key, block):
        return aes(key, 1).decrypt(block)

except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def encrypted(key, block):
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)

    def decrypted(key, block):
        return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(block)


def xor(left, right):
    return bytes([a ^ b for a, b in zip(left, right)])


def doubled(block):
    bits = int.from_bytes(block, "big") << 1
    if bits >> 128:
        bits = (bits ^ 0x87) & ((1 << 128) - 1)
    return bits.to_bytes(16, "big")


def padded(data):
    return data + b"\x80" + bytes(15 - len(data) % 16)


def blocks(data):
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def cbc_encrypted(key, iv, data):
    out = b""
    for block in blocks(data):
        iv = encrypted(key, xor(block, iv))
        out += iv
    return out


def cbc_decrypted(key, iv, data):
    out = b""
    for block in blocks(data):
        out += xor(decrypted(key, block), iv)
        iv = block
    return out


def cmac(key, message):
    subkey = doubled(encrypted(key, ZERO))
    if not message or len(message) % 16:
        subkey = doubled(subkey)
        message = padded(message)
    return cbc_encrypted(key, ZERO, message[:-16] + xor(message[-16:], subkey))[-16:]


def diversified(key, about):
    """AN10922: a CMAC, but of two blocks also where one would do."""
    message = b"\x01" + about
    if len(message) > 16:
        return cmac(key, message)
    subkey = doubled(doubled(encrypted(key, ZERO)))
    message = message + b"\x80" + bytes(31 - len(message))
    return cbc_encrypted(key, ZERO, message[:16] + xor(message[16:], subkey))[16:]


def counted(key, counter, data):
    """Counter mode, from a counter block on."""
    number = int.from_bytes(counter, "big")
    out = b""
    for block in blocks(data):
        out += xor(block, encrypted(key, number.to_bytes(16, "big")))
        number += 1
    return out


def siv_encrypted(key, associated, plain):
    mac_key, key = key[:16], key[16:]
    state = cmac(mac_key, ZERO)
    for part in associated:
        state = xor(doubled(state), cmac(mac_key, part))
    if len(plain) >= 16:
        iv = cmac(mac_key, plain[:-16] + xor(plain[-16:], state))
    else:
        iv = cmac(mac_key, xor(doubled(state), padded(plain)))
    cleared = int.from_bytes(iv, "big") & ~(1 << 63 | 1 << 31)
    return iv + counted(key, cleared.to_bytes(16, "big"), plain)


def odd_bytes(mac):
    """What a DESFire card sends of a MAC."""
    return bytes([mac[at] for at in (1, 3, 5, 7, 9, 11, 13, 15)])


def session_keys(key, rnd_a, rnd_b):
    """`(encryption key, MAC key)` of an EV2 session."""
    context = rnd_a[:2] + xor(rnd_a[2:8], rnd_b[:6]) + rnd_b[6:] + rnd_a[8:]
    return cmac(key, b"\xa5\x5a\x00\x01\x00\x80" + context), cmac(key, b"\x5a\xa5\x00\x01\x00\x80" + context)
