"""Starts the firmware: the slot that counts, or once a new one that is to be tried. This file is never updated.

    micropython boot.py FLASH READER LINK

On a board it is `main.py` in the root of the flash. It imports nothing of ours before it has chosen, and each of its
choices is one rename, so a power cut leaves the choice before it or after it.
"""

import gc
import os
import sys

_FLASH = "/"
# A watchdog of a small board waits 8.3 seconds at most.
_WATCHDOG_MS = 8000
_MOST_ERROR = 300


def _read(path):
    try:
        with open(path) as file:
            return file.read(32)
    except (OSError, ValueError):
        return ""  # not there, or spoilt


def choose(slots):
    """The slot to start now."""
    tried = _read(slots + "/tried")
    if tried:
        # It was started once. When the mark was made and only the tidying was cut off, the two files say the same.
        if tried == _read(slots + "/good"):
            os.remove(slots + "/tried")
        else:
            os.rename(slots + "/tried", slots + "/failed")
    trial = _read(slots + "/trial")
    if trial:
        # Before anything of it runs: whatever it does, the next start knows.
        os.rename(slots + "/trial", slots + "/tried")
    slot = (trial or _read(slots + "/good") or "a")[0]
    return slot if slot in "ab" else "a"


def _watch():
    """A new version that hangs is stopped by the watchdog, on a board that has one."""
    try:
        from machine import WDT
    except ImportError:
        return
    WDT(timeout=_WATCHDOG_MS)


def _restart():
    try:
        from machine import reset
    except ImportError:
        sys.exit(1)
    reset()


def _note(flash, error):
    """For who asks what went wrong: the last error that stopped the firmware."""
    text = "%s: %s" % (type(error).__name__, error)
    try:
        with open(flash + "/error", "w") as file:
            file.write(text[:_MOST_ERROR])
    except OSError:
        pass


def main(flash, arguments):
    slots = flash + "/slots"
    slot = choose(slots)
    if _read(slots + "/tried"):
        _watch()
    sys.path.insert(0, slots + "/" + slot)
    # What this file left behind would otherwise lie between the modules of the firmware.
    gc.collect()
    try:
        if sys.platform == "linux":
            from terminal.firmware.unix import main as run
        else:
            from terminal.firmware.board import main as run
        run(flash, *arguments)
    except Exception as error:
        _note(flash, error)
    _restart()


if __name__ == "__main__":
    if sys.platform == "linux":
        main(sys.argv[1], sys.argv[2:])
    else:
        main(_FLASH.rstrip("/"), [])
