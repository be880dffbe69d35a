"""A session of libfreefare, an independent DESFire reader in C, with the emulated pass. Run by its test as a program.

libfreefare reaches the pass through libnfc and a PN532 that is played here on a pseudo-terminal. It checks every MAC
and checksum the pass answers. It stops at the first refusal, and says which call it was.
"""

import ctypes as c
import os
import sys
import threading
import tty

from hardware.emulated_pass import EmulatedPass, Memory, inspect

ACK = bytes.fromhex("0000FF00FF00")
FIXED_ANSWERS = {0x02: bytes.fromhex("32010607"), 0x42: b"\x01", 0x44: b"\x00", 0x52: b"\x00", 0x54: b"\x00"}


class Pn532:
    """As much of a PN532 as libnfc needs (HSU frames), with `card` on it."""

    def __init__(self, card: EmulatedPass) -> None:
        self._card = card
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            command = self._command()
            os.write(
                self._master,
                ACK + self._frame(bytes([0xD5, command[1] + 1]) + self._answer(*command[1:2], command[2:])),
            )

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            data += os.read(self._master, length - len(data))
        return data

    def _command(self) -> bytes:
        """The next information frame; acknowledgements and wake-up bytes before it are skipped."""
        last = b""
        while True:
            last = (last + self._read(1))[-2:]
            if last != b"\x00\xff":
                continue
            length, check = self._read(2)
            if (length + check) % 256 == 0 and length:
                return self._read(length + 2)[:-2]
            if (length, check) == (0xFF, 0xFF):
                high, low, _ = self._read(3)
                return self._read((high << 8 | low) + 2)[:-2]

    @staticmethod
    def _frame(data: bytes) -> bytes:
        return bytes([0, 0, 0xFF, len(data), -len(data) & 0xFF]) + data + bytes([-sum(data) & 0xFF, 0])

    def _answer(self, command: int, body: bytes) -> bytes:
        if command == 0x00:
            return body
        if command == 0x06:
            return bytes(len(body) // 2)
        if command == 0x4A:
            if body[1] != 0:  # only the modulation of DESFire finds something
                return b"\x00"
            seen = self._card.activate()
            return b"\x01\x01" + seen.atqa + bytes([seen.sak, len(seen.uid)]) + seen.uid + seen.ats
        if command == 0x40:
            return b"\x00" + self._card.exchange(body[1:])
        return FIXED_ANSWERS.get(command, b"")


class Freefare:
    """Calls libfreefare by name: `call("authenticate", ...)` is mifare_desfire_authenticate on the pass."""

    def __init__(self, device: str) -> None:
        os.environ["LIBNFC_DEFAULT_DEVICE"] = "pn532_uart:" + device
        os.environ["LIBNFC_AUTO_SCAN"] = "false"
        nfc, self._library = c.CDLL("libnfc.so.6"), c.CDLL("libfreefare.so.0")
        nfc.nfc_open.restype = c.c_void_p
        self._library.freefare_get_tags.restype = c.POINTER(c.c_void_p)
        context = c.c_void_p()
        nfc.nfc_init(c.byref(context))
        self._tag = c.c_void_p(self._library.freefare_get_tags(c.c_void_p(nfc.nfc_open(context, None)))[0])
        self.call("connect")

    def call(self, name: str, *arguments: object) -> int:
        result = int(getattr(self._library, "mifare_desfire_" + name)(self._tag, *arguments))
        if result < 0:
            status = self._library.mifare_desfire_last_picc_error(self._tag) & 0xFF
            sys.exit(f"{name}: {result}, the pass said {status:02X}")
        return result

    def make(self, name: str, *arguments: object) -> c.c_void_p:
        function = getattr(self._library, f"mifare_desfire_{name}")
        function.restype = c.c_void_p
        return c.c_void_p(function(*arguments))


def expect(seen: object, wanted: object) -> None:
    if seen != wanted:
        sys.exit(f"{seen!r} instead of {wanted!r}")


def u8(number: int) -> c.c_uint8:
    return c.c_uint8(number)


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
    reader = Freefare(Pn532(EmulatedPass(memory)).path)
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
    print("agreed")


if __name__ == "__main__":
    main(sys.argv[1])
