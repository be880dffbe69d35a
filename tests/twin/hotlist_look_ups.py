"""Looks passes up in a hotlist on flash; runs on both Pythons.

Usage: PYTHON hotlist_look_ups.py FOLDER KEY QUERIES COUNT   KEY in hex; QUERIES has handle (16) and day (2) for each.
Prints an answer for each, 1 or 0, and on MicroPython how much the heap grew from the second look-up on, uncollected.
"""

import binascii
import gc
import sys

from terminal.firmware.hotlist import open_hotlist


def on_the_heap():
    return gc.mem_alloc() if sys.implementation.name == "micropython" else 0


def main(folder, key, queries, count):
    count = int(count)
    hotlist = open_hotlist(folder, [binascii.unhexlify(key)])
    handle, day, answers = bytearray(16), bytearray(2), bytearray(count)
    gc.collect()
    gc.disable()
    before = 0
    with open(queries, "rb") as file:
        for at in range(count):
            file.readinto(handle)
            file.readinto(day)
            answers[at] = 49 if hotlist.blocks(handle, day[0] | day[1] << 8) else 48
            if at == 0:
                before = on_the_heap()
    print("heap %d" % (on_the_heap() - before))
    print(answers.decode())


main(*sys.argv[1:])
