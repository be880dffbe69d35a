"""The flash of a RP2040 or RP2350: files at its start, journals at its end."""

import rp2

_BLOCK_COUNT = 4
_BLOCK_BYTES = 4096


def device(journal):
    """`(flash, first block of the journals)`; `journal` of the dict of a board."""
    flash = rp2.Flash()
    return flash, _first(flash, journal)


def files(journal):
    """The part for files, as a device of its own; _boot.py mounts it."""
    return rp2.Flash(start=0, len=_first(rp2.Flash(), journal) * _BLOCK_BYTES)


def _first(flash, journal):
    return flash.ioctl(_BLOCK_COUNT, 0) - journal["books"] * journal["blocks"]
