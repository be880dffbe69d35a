"""A session of libfreefare, an independent DESFire reader in C, with the emulated pass. Run by its test as a program.

libfreefare reaches the pass through libnfc and the emulated PN532. It checks every MAC and checksum the pass answers.
It stops at the first refusal, and says which call it was.
"""

import ctypes as c
import sys

from hardware.emulated_pass import EmulatedPass, Memory, inspect
from hardware.emulated_pn532 import EmulatedPN532
from tests.hardware.freefare import Freefare, expect, u8


def picc_key(reader: Freefare, keys: dict[str, c.c_void_p]) -> None:
    """The master key through every kind there is, from the factory's DES to AES."""
    reader.call("authenticate", u8(0), keys["DES 0"])
    for way, name in (("aes", "AES"), ("iso", "3TDEA"), ("iso", "2TDEA"), ("aes", "AES")):
        reader.call("change_key", u8(0), keys[name], None)
        reader.call("authenticate_" + way, u8(0), keys[name])
    uid = c.c_char_p()
    reader.call("get_card_uid", c.byref(uid))
    expect(uid.value, b"04de5f1eacc040")
    reader.call("set_default_key", keys["AES 0"])
    reader.call("change_key_settings", u8(0x0F))


def application(reader: Freefare, number: int, settings: int, way: str, old: c.c_void_p, new: c.c_void_p) -> None:
    """One application: files of every kind in every mode, then both keys changed."""
    aid = reader.make("aid_new", c.c_uint32(number))
    name = b"application %d" % number
    iso = u8(0x0F), u8(settings), c.c_int(0), c.c_uint16(number), name, c.c_size_t(len(name))
    reader.call("create_application_iso", aid, *iso)
    reader.call("select_application", aid)
    reader.call(way, u8(0), old)
    for first, mode in ((0, 0), (3, 1), (6, 3)):
        data_file(reader, u8(first), u8(mode))
        value_file(reader, u8(first + 1), u8(mode))
        record_file(reader, u8(first + 2), u8(mode))
    reader.call("change_key", u8(1), new, old)
    reader.call("change_key", u8(0), new, None)
    for key in (1, 0):
        reader.call(way, u8(key), new)
    reader.call("select_application", None)


# Lengths such that neither 8 nor 7 bytes are over: for these libfreefare pads a legacy MAC that it reads by one block
# more than one that it sends.


def data_file(reader: Freefare, number: c.c_uint8, mode: c.c_uint8) -> None:
    data, out = bytes(range(1, 151)), c.create_string_buffer(300)
    reader.call("create_std_data_file", number, mode, c.c_uint16(0), c.c_uint32(198))
    reader.call("write_data", number, c.c_long(3), c.c_size_t(150), data)
    expect(reader.call("read_data", number, c.c_long(3), c.c_size_t(150), out), 150)
    expect(out.raw[:150], data)
    expect(reader.call("read_data", number, c.c_long(0), c.c_size_t(0), out), 198)
    expect(out.raw[:198], bytes(3) + data + bytes(45))
    reader.call("change_file_settings", number, u8(0), c.c_uint16(0))


def value_file(reader: Freefare, number: c.c_uint8, mode: c.c_uint8) -> None:
    limits = c.c_int32(-10), c.c_int32(1000), c.c_int32(500)
    reader.call("create_value_file", number, mode, c.c_uint16(0), *limits, u8(1))
    for steps in ((("debit", 30),), (("limited_credit", 5), ("credit", 5))):
        for name, amount in steps:
            reader.call(name, number, c.c_int32(amount))
        reader.call("commit_transaction")
    value = c.c_int32()
    reader.call("get_value", number, c.byref(value))
    expect(value.value, 480)


def record_file(reader: Freefare, number: c.c_uint8, mode: c.c_uint8) -> None:
    out = c.create_string_buffer(300)
    reader.call("create_cyclic_record_file", number, mode, c.c_uint16(0), c.c_uint32(19), c.c_uint32(4))
    for text in (b"one", b"two", b"three", b"four"):
        reader.call("write_record", number, c.c_long(0), c.c_size_t(len(text)), text)
        reader.call("commit_transaction")
    reader.call("read_records", number, c.c_long(0), c.c_size_t(2), out)
    expect(out.raw[:38], b"three".ljust(19, b"\x00") + b"four".ljust(19, b"\x00"))
    reader.call("clear_record_file", number)
    reader.call("abort_transaction")


def main(generation: str) -> None:
    memory = Memory.factory(uid=bytes.fromhex("04DE5F1EACC040"), generation=generation)
    with EmulatedPN532(EmulatedPass(memory)) as pn532:
        personalise(Freefare(pn532.path), memory)
    print("agreed")


def personalise(reader: Freefare, memory: Memory) -> None:
    keys = {
        "DES 0": reader.make("des_key_new", bytes(8)),
        "DES": reader.make("des_key_new", bytes(range(0x10, 0x18))),
        "2TDEA": reader.make("3des_key_new", bytes(range(16))),
        "3TDEA 0": reader.make("3k3des_key_new", bytes(24)),
        "3TDEA": reader.make("3k3des_key_new", bytes(range(24))),
        "AES 0": reader.make("aes_key_new_with_version", bytes(16), u8(0)),
        "AES": reader.make("aes_key_new_with_version", bytes(range(16)), u8(9)),
    }
    picc_key(reader, keys)
    application(reader, 1, 0x02, "authenticate", keys["DES 0"], keys["DES"])
    application(reader, 2, 0x02, "authenticate", keys["DES 0"], keys["2TDEA"])
    application(reader, 3, 0x02, "authenticate_iso", keys["DES 0"], keys["2TDEA"])
    application(reader, 4, 0x42, "authenticate_iso", keys["3TDEA 0"], keys["3TDEA"])
    application(reader, 5, 0x82, "authenticate_aes", keys["AES 0"], keys["AES"])
    expect(len(inspect(memory)["applications"]), 5)
    reader.call("authenticate_aes", u8(0), keys["AES"])
    reader.call("format_picc")
    reader.call("authenticate_aes", u8(0), keys["AES"])
    reader.call("set_ats", bytes.fromhex("0675778102AA"))
    reader.call("set_configuration", c.c_bool(False), c.c_bool(True))
    seen = inspect(memory)
    expect((seen["applications"], seen["random_id"], seen["key"]), ({}, True, ("AES", 9, bytes(range(16)))))


if __name__ == "__main__":
    main(sys.argv[1])
