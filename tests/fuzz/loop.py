"""Seeded inputs for one target after the other, on both Pythons.

    PYTHON loop.py KIT FOLDER TARGET SEED COUNT EACH      COUNT inputs; a good pass is tried after one of EACH
    PYTHON loop.py KIT FOLDER TARGET these INPUT...       these inputs, in hexadecimal digits

Says `fault INPUT: what` for an input that brought about what none may, and at the end `done COUNT FAULTS GROWTH`: on
MicroPython GROWTH is how many bytes of heap the second half of the inputs left behind.
"""

import gc
import sys

from tests.fuzz.worn_flash import WornFlash

# In one piece, before the rest makes many pieces of a small heap.
if hasattr(gc, "threshold") and sys.implementation.name == "micropython":
    gc.threshold(32768)
STORAGE = WornFlash(4)

import binascii  # noqa: E402

from tests.fuzz.targets import Targets  # noqa: E402
from tests.fuzz.world import Kit, World  # noqa: E402

_LONGEST = 64
_MOST_FAULTS = 20


class Inputs:
    """As many zeros, which are the honest choice, as a seed and a place give; so garbage begins early or late."""

    def __init__(self, seed):
        self._state = seed * 2654435761 + 1 & 0xFFFFFFFF

    def _next(self, count):
        # xorshift32 (Marsaglia, 2003), in numbers that MicroPython keeps small.
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return (state >> 8) % count

    def one(self):
        length = self._next(_LONGEST)
        data = bytearray(length)
        odds = 1 + self._next(8)
        for at in range(self._next(length + 1) if self._next(2) else 0, length):
            if self._next(8) < odds:
                data[at] = self._next(256)
        return bytes(data)


def _held():
    gc.collect()
    return gc.mem_alloc() if hasattr(gc, "mem_alloc") else 0


def run(world, target, inputs, count):
    """How many of the inputs brought about a fault, and the growth of the heap."""
    faults = growth = 0
    for number in range(count):
        if number == count // 2:
            growth = -_held()
        data = inputs()
        try:
            target(data)
        except Exception as error:
            faults += 1
            print("fault %s: %r" % (binascii.hexlify(data).decode(), error))
            world.touched = True
            if faults == _MOST_FAULTS:
                break
    return faults, growth + _held()


def main(kit, folder, name, *rest):
    world = World(Kit(kit), folder, STORAGE)
    if rest[0] == "these":
        given = [binascii.unhexlify(text) for text in rest[1:]]
        count, each, inputs = len(given), 1, lambda: given.pop(0)
    else:
        count, each, inputs = int(rest[1]), int(rest[2]), Inputs(int(rest[0])).one
    target = getattr(Targets(world, each), name)
    faults, growth = run(world, target, inputs, count)
    print("done %d %d %d" % (count, faults, growth))


if __name__ == "__main__":
    main(*sys.argv[1:])
