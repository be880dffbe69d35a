"""The boards a terminal can be built on, each a module with one dict: pins, buses, kinds of parts.

A dict says: `name`; `buses` by name, whose first letters are the kind; `reader`, `display`, `keypad`, `buzzer`, `light`
(pins by number) and `clock`; the number of the `timer` for melodies; `watchdog_ms`; and `journal`: so many `books` of
so many `blocks` of 4 KB, at the end of the flash or in a `partition`. The unix port needs none: see `unix.py`.

With an ATECC608 on a bus of its own it also has, for example, `"softi2c": {"sda": 2, "scl": 3, "freq": 100000}` among
the buses (slower than 100 kHz is good, faster does not wake the chip) and
`"key_chip": {"bus": "softi2c", "address": 0x60, "slot": 9}`. Without, the flash keeps all of the device's key.
"""

import sys


def of_this_machine():
    """The dict of the board that this program runs on."""
    machine = sys.implementation._machine
    if "Pico W" in machine:
        from terminal.firmware.boards.pico_w import BOARD
    elif "Pico 2 W" in machine:
        from terminal.firmware.boards.pico_2_w import BOARD
    elif "ESP32S3" in machine:
        from terminal.firmware.boards.esp32_s3 import BOARD
    else:
        raise OSError("there is no description of %s in terminal/firmware/boards" % machine)
    return BOARD
