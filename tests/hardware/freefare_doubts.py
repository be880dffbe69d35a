"""What libfreefare makes of a pass that lies, and the pass of a reader that does. Run by its test as a program."""

import ctypes as c

from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pn532 import EmulatedPN532
from tests.hardware.freefare import AUTHENTICATION_ERROR, CRYPTO_ERROR, Freefare, expect, u8

VALUE_FILE = u8(1)


class LyingPass(EmulatedPass):
    """Answers with a MAC of zeroes when asked to."""

    lies = False

    def exchange(self, command: bytes) -> bytes:
        answer = super().exchange(command)
        return answer[:-10] + bytes(8) + answer[-2:] if self.lies else answer


def master_key(reader: Freefare, aes: c.c_void_p, wrong: c.c_void_p) -> None:
    des = reader.make("des_key_new", bytes(8))
    reader.call("authenticate", u8(0), des)
    expect(reader.refused("authenticate_iso", u8(0), reader.make("des_key_new", b"stranger")), AUTHENTICATION_ERROR)
    reader.call("authenticate_iso", u8(0), des)
    reader.call("change_key", u8(0), aes, None)
    expect(reader.refused("authenticate_aes", u8(0), wrong), AUTHENTICATION_ERROR)
    reader.call("authenticate_aes", u8(0), aes)
    version = c.c_uint8()
    reader.call("get_key_version", u8(0), c.byref(version))
    expect(version.value, 9)


def value(reader: Freefare) -> int:
    seen = c.c_int32()
    reader.call("get_value", VALUE_FILE, c.byref(seen))
    return seen.value


def value_file(reader: Freefare) -> None:
    aid, zero = reader.make("aid_new", c.c_uint32(0x4D4545)), reader.make("aes_key_new", bytes(16))
    reader.call("create_application_aes", aid, u8(0x0F), u8(1))
    reader.call("select_application", aid)
    reader.call("authenticate_aes", u8(0), zero)
    limits = c.c_int32(0), c.c_int32(1000), c.c_int32(500)
    reader.call("create_value_file", VALUE_FILE, u8(1), c.c_uint16(0), *limits, u8(0))
    reader.call("debit", VALUE_FILE, c.c_int32(30))
    expect(value(reader), 500)
    reader.call("commit_transaction")
    expect(value(reader), 470)
    reader.call("credit", VALUE_FILE, c.c_int32(100))
    reader.call("abort_transaction")
    expect(value(reader), 470)
    expect(reader.refused("debit", VALUE_FILE, c.c_int32(471)), 0xBE)
    reader.call("authenticate_aes", u8(0), zero)


def main() -> None:
    card = LyingPass(Memory.factory(uid=bytes.fromhex("04DE5F1EACC040")))
    with EmulatedPN532(card) as pn532:
        reader = Freefare(pn532.path)
        master_key(
            reader,
            reader.make("aes_key_new_with_version", bytes(range(16)), u8(9)),
            reader.make("aes_key_new_with_version", bytes(range(1, 17)), u8(9)),
        )
        value_file(reader)
        card.lies = True
        version = c.c_uint8()
        expect(reader.refused("get_key_version", u8(0), c.byref(version)), CRYPTO_ERROR)
    print("agreed")


if __name__ == "__main__":
    main()
