"""The boards a terminal can be built on, each a module with one dict: pins, buses, kinds of parts.

A dict says: `name`; `buses` by name, whose first letters are the kind; `reader`, `display`, `keypad`, `buzzer`, `light`
(pins by number) and `clock`; the number of the `timer` for melodies; `watchdog_ms`; and `journal`: so many `books` of
so many `blocks` of 4 KB, at the end of the flash or in a `partition`. The unix port needs none: see `unix.py`.
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
