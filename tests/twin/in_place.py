"""What is worked out where it stands, against the plainest version of the same; runs on both Pythons.

Prints one line a case: `ok CASE`, or `WRONG CASE`.
"""

from card.aes import Scratch, cbc_decrypt, cbc_encrypt, counter_mode, decryption, encryption
from card.batch import chain_mac
from card.bytewise import double_in_place, odd_bytes, same, xor_into
from card.cmac import Cmac
from card.diversify import diversify
from card.siv import Siv
from card.wire import put_uint
from tests import plain_crypto as plain

KEY = bytes(range(16))
OTHER = bytes(range(200, 216))
TEXT = bytes([number * 7 & 0xFF for number in range(200)])


def said(name, good):
    print("%s %s" % ("ok" if good else "WRONG", name))


def block(seed):
    return bytearray(plain.encrypted(KEY, bytes([seed]) * 16))


def bytes_alone():
    for seed in range(8):
        left, right = block(seed), block(seed + 100)
        wanted = plain.xor(left, right)
        xor_into(left, right)
        said("exclusive or %d" % seed, left == wanted and right == block(seed + 100))
        doubled = block(seed)
        double_in_place(doubled)
        said("doubled %d" % seed, doubled == plain.doubled(bytes(block(seed))))
        short = bytearray(8)
        odd_bytes(right, short)
        said("odd bytes %d" % seed, short == plain.odd_bytes(right))
    for at in range(16):
        changed = block(1)
        changed[at] ^= 1 << at % 8
        said("unequal at %d" % at, same(block(1), bytes(block(1))) is True and same(block(1), changed) is False)
    said("unequal length", not same(KEY, KEY[:15]) and not same(KEY[:15], KEY) and same(b"", b""))


def numbers():
    for size, number in ((1, 0), (1, 255), (2, 0x1234), (4, 0x3FFFFFFF), (4, 0x80000000), (4, 0xFFFFFFFF)):
        buffer = bytearray(b"\xa5" * 8)
        put_uint(buffer, 2, number, size)
        wanted = b"\xa5\xa5" + number.to_bytes(size, "little") + bytes([0xA5] * (6 - size))
        said("%d in %d bytes" % (number, size), buffer == wanted)


def macs():
    scratch = Scratch()
    one, other = Cmac(KEY, scratch), Cmac(OTHER, scratch)
    for length in list(range(50)) + [63, 64, 65, 128, 200]:
        message = TEXT[:length]
        good = one.full(message) == plain.cmac(KEY, message) and other.full(message) == plain.cmac(OTHER, message)
        said("MAC of %d bytes" % length, good and one.short(message) == plain.odd_bytes(plain.cmac(KEY, message)))
    for length in (1, 15, 16, 30, 31):
        wanted = plain.diversified(KEY, TEXT[:length])
        said("key from %d bytes" % length, diversify(KEY, TEXT[:length]) == wanted == diversify(one, TEXT[:length]))
    one.rekey(OTHER)
    said("MAC under another key", one.full(TEXT) == plain.cmac(OTHER, TEXT))
    entry = TEXT[:4] + KEY + b"\x01" + TEXT[:42] + TEXT[42:102]
    wanted = plain.cmac(OTHER, entry)
    position = int.from_bytes(TEXT[:4], "little")
    for kept in (OTHER, other):
        said("entry", chain_mac(kept, position, KEY, 1, TEXT[:42], TEXT[42:102]) == wanted)


def modes():
    scratch = Scratch()
    for blocks in (1, 2, 3, 9):
        text = TEXT[: 16 * blocks]
        scratch.message.seek(0)
        scratch.message.write(b"before " + text + b"behind")
        scratch.state[:] = OTHER
        cbc_encrypt(encryption(KEY), scratch, 7, blocks)
        ends = scratch.message.tell()
        scratch.message.seek(0)
        there = scratch.message.read(7 + len(text) + 6)
        wanted = b"before " + plain.cbc_encrypted(KEY, OTHER, text) + b"behind"
        said("CBC of %d blocks" % blocks, there == wanted and ends == 7 + len(text))
        scratch.state[:] = OTHER
        cbc_decrypt(decryption(KEY), scratch, 7, blocks)
        scratch.message.seek(0)
        said("CBC of %d blocks back" % blocks, scratch.message.read(len(there)) == b"before " + text + b"behind")
    for counter in (0, 0x7FFFFFFE, 0xFF, 0xFFFE, 0x00FFFFFF):
        begins = OTHER[:12] + counter.to_bytes(4, "big")
        scratch.message.seek(5)
        scratch.message.write(TEXT[:60])
        counter_mode(encryption(KEY), scratch, bytearray(begins), 5, 4)
        scratch.message.seek(5)
        said("counter from %d" % counter, scratch.message.read(60) == plain.counted(KEY, begins, TEXT[:60]))


def seals():
    kept = Siv(KEY + OTHER)
    for length in (0, 1, 15, 16, 17, 44, 200):
        for associated in ([], [b"one"], [TEXT[:42], b"", KEY]):
            text = TEXT[:length]
            wanted = plain.siv_encrypted(KEY + OTHER, associated, text)
            good = kept.encrypt(associated, text) == wanted and kept.decrypt(associated, wanted) == text
            said("seal of %d bytes, bound to %d" % (length, len(associated)), good)


bytes_alone()
numbers()
macs()
modes()
seals()
