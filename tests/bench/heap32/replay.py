"""A recorded shift once more on MicroPython, from files, so that the recording takes no heap. See recorded_shift.py.

Usage: micropython replay.py ADDRESS LENGTH FLASH RECORDING   Of a ROM with the firmware; without one LENGTH is 0.
Prints `name bytes` after each stage: what is in use after a collection.
"""

import gc
import sys

# As terminal/firmware/unix.py does.
_COLLECT_AFTER = 4096
_JOURNAL_BLOCKS = 64
_AN_HOUR_S = 3600
_MOST_TURNS = 8


def main(address, length, flash, recording):
    gc.threshold(_COLLECT_AFTER)
    if length != "0":
        import uctypes
        import vfs

        vfs.mount(vfs.VfsRom(uctypes.bytearray_at(int(address), int(length))), "/rom")
        sys.path.insert(0, "/rom")
    from terminal.replayed import Replayed

    Replayed(flash, recording).run()


main(*sys.argv[1:])
