"""An update on MicroPython that ends at the Nth change of the flash, as when the plug is pulled there.

Usage: micropython update_steps.py ROOT FLASH N   (N 0: to its end, and says how many changes there were)
       micropython update_steps.py ROOT FLASH start   (what boot would start)
"""

import builtins
import os
import sys

root, folder, what = sys.argv[1:]
sys.path.insert(0, root)
sys.path.insert(0, root + "/terminal/firmware")

changes = 0
left = 0 if what == "start" else int(what)


def change():
    global changes
    changes += 1
    if changes == left:
        # Nothing of the program runs after this: no `except`, no `finally`.
        os.system("kill -9 $PPID")


class File:
    """A file whose every write may be the last; half of what it should have written is there then."""

    def __init__(self, file):
        self._file = file

    def write(self, data):
        half = len(data) // 2
        self._file.write(data[:half])
        self._file.flush()
        change()
        self._file.write(data[half:])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


opened = open


def open_counted(path, mode="r"):
    if "r" in mode:
        return opened(path, mode)
    change()
    return File(opened(path, mode))


class Os:
    """`os`, with each change of the flash counted: before it is made."""

    def __getattr__(self, name):
        made = getattr(os, name)
        if name not in ("rename", "remove", "mkdir", "rmdir"):
            return made

        def counted(*paths):
            change()
            return made(*paths)

        return counted


builtins.open = open_counted

import boot  # noqa: E402

if what == "start":
    from terminal.firmware.flash import Flash
    from terminal.firmware.slots import Slots

    slot = boot.choose(folder + "/slots")
    slots = Slots(Flash(folder))
    if slots.on_trial:
        # It comes up, and says so.
        slots.came_up()
    print(slot, slots._good[1])
else:
    from binascii import hexlify

    import terminal.firmware.flash as flash_module
    import terminal.firmware.update as update_module
    from terminal.firmware.flash import Flash
    from terminal.firmware.incoming import sha256_of
    from terminal.firmware.slots import Slots

    flash_module.os = update_module.os = Os()
    slots = Slots(Flash(folder))
    path = folder + "/package"
    if slots._good[1] == 1:
        slots.take(path, [{"version": 2, "sha256": hexlify(sha256_of(path)).decode()}])
    print(changes)
