"""One board of the firmware with stand-ins for what is soldered to it; MicroPython only, for its framebuf.

Usage: micropython board.py BOARD    Prints what the parts noticed.
"""

import sys
import time
from binascii import hexlify

from tests.twin import machine_parts as parts
from tests.twin.emulated_atecc608 import ADDRESS, SLOT, EmulatedAtecc608

YES = ("showing", "00", ("Ja, akkoord", "Over: 16,00"))


def held(storage, at, count):
    buffer = bytearray(count)
    storage.read_into(at, buffer)
    return bytes(buffer)


def refused(name, call):
    """What is said, for a call that must not succeed."""
    try:
        call()
    except Exception as error:
        print(name, error)


def main(name):
    parts.install(parts.NorFlash(512))
    data = __import__("terminal.firmware.boards." + name, None, None, ("BOARD",)).BOARD
    parts.KEYPAD["rows"], parts.KEYPAD["columns"] = data["keypad"]["rows"], data["keypad"]["columns"]
    display = parts.DEVICES[0x3C] = parts.Display(data["display"]["kind"])
    parts.DEVICES[0x68] = parts.Registers()

    import framebuf

    from terminal.firmware import screen
    from terminal.firmware.board import Board

    board = Board(data)
    print("buses", sorted(parts.MADE))
    print("radio", ("radio", True) in parts.LOG)
    print("display", display.on, any(display.seen()))

    parts.LOG.clear()
    board.show(*YES)
    parts.let_timers_run()
    print("yes", [entry for entry in parts.LOG if entry[0] != "wait"])
    expected = bytearray(1024)
    screen.draw(framebuf.FrameBuffer(expected, 128, 64, framebuf.MONO_VLSB), *YES)
    print("picture", display.seen() == bytes(expected), any(expected))

    pressed = []
    for key in "1#":
        for down in (True, False):
            if down:
                parts.PRESSED.add(key)
            else:
                parts.PRESSED.remove(key)
            for _ in range(4):
                pressed.append(board.key())
                time.sleep_ms(8)
    print("keys", [key for key in pressed if key])
    print("watchdog", parts.MADE["WDT"], parts.WDT.fed)

    print("day", board.today())
    board.set_today(2516)
    print("day", board.today())
    print("seconds", board.seconds_on())

    first, second = board.storage(0), board.storage(1)
    first.write(300, b"journal")
    second.write(0, b"other")
    print("journal", held(first, 300, 7), first.blocks, first.block_bytes)
    print("other", held(second, 0, 7))
    first.erase(0)
    print("erased", held(first, 300, 7))
    refused("refused", lambda: board.storage(data["journal"]["books"]))
    refused("reader", board.reader.find_pass)
    parts.LOG.clear()
    board.set_calendar(2516)
    print("calendar", parts.LOG)
    parts.LOG.clear()
    wifi = board.radio({"ssid": "pool", "password": "secret"})
    parts.Wlan.in_the_air = {"pool": "secret"}
    print("joined", [wifi.joined() for _ in range(5)])
    wifi.leave()
    print("joins", [entry for entry in parts.LOG if entry[0] != "radio"], board.radio({}))
    print("after", [entry[1] for entry in parts.LOG if entry[0] == "radio"])
    board.rest()
    print("random", len(board.random(16)))

    with_chip = dict(data, key_chip={"bus": "softi2c", "address": ADDRESS, "slot": SLOT})
    with_chip["buses"] = dict(data["buses"], softi2c={"sda": 2, "scl": 3, "freq": 100000})
    secret = Board(with_chip).secret
    refused("chip", lambda: secret(b"what is asked"))
    parts.DEVICES[ADDRESS] = EmulatedAtecc608(bytes(range(32)))
    print("secret", hasattr(board, "secret"), hexlify(secret(b"what is asked")).decode())


main(sys.argv[1])
