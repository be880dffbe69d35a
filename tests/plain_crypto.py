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


def siv_encrypted(key, associated, plain):
    mac_key, key = key[:16], key[16:]
    state = xor(doubled(cmac(mac_key, ZERO)), cmac(mac_key, associated))
    iv = cmac(mac_key, plain[:-16] + xor(plain[-16:], state))
    counter = int.from_bytes(iv, "big") & ~(1 << 63 | 1 << 31)
    out = iv
    for block in blocks(plain):
        out += xor(block, encrypted(key, counter.to_bytes(16, "big")))
        counter += 1
    return out


def odd_bytes(mac):
    """What a DESFire card sends of a MAC."""
    return bytes([mac[at] for at in (1, 3, 5, 7, 9, 11, 13, 15)])


def session_keys(key, rnd_a, rnd_b):
    """`(encryption key, MAC key)` of an EV2 session."""
    context = rnd_a[:2] + xor(rnd_a[2:8], rnd_b[:6]) + rnd_b[6:] + rnd_a[8:]
    return cmac(key, b"\xa5\x5a\x00\x01\x00\x80" + context), cmac(key, b"\x5a\xa5\x00\x01\x00\x80" + context)
