"""Raw flash in memory that behaves as NOR flash does, and whose power can be cut at any byte; runs on both Pythons."""

BLOCK_BYTES = 4096
# An erase has no bytes on a wire; it can be cut before it begins, when half of the block is gone, and when it is done.
_ERASE_STEPS = 2


class PowerCut(BaseException):
    """Not an Exception: nothing in the firmware may catch it, as nothing can catch a power cut."""


class NorFlash:
    """`steps_left`: how many bytes (and steps of erasing) the power lasts; None for ever. `failing`: writes fail."""

    block_bytes = BLOCK_BYTES

    def __init__(self, blocks):
        self.blocks = blocks
        self.content = bytearray(b"\xff" * (blocks * BLOCK_BYTES))
        self.steps_left = None
        self.failing = False
        self.writes = self.erases = self.steps = 0

    def read_into(self, at, buffer):
        buffer[:] = memoryview(self.content)[at : at + len(buffer)]

    def write(self, at, data):
        self._may_fail()
        self.writes += 1
        lasts = len(data) if self.steps_left is None else min(len(data), self.steps_left)
        if bytes(self.content[at : at + lasts]) != b"\xff" * lasts:
            raise ValueError("bytes from %d on were written before and not erased since" % at)
        self.content[at : at + lasts] = data[:lasts]
        self._steps(lasts)
        if lasts < len(data):
            self._steps(1)

    def erase(self, block):
        self._may_fail()
        self.erases += 1
        half = BLOCK_BYTES // _ERASE_STEPS
        for step in range(_ERASE_STEPS):
            self._steps(1)
            start = block * BLOCK_BYTES + step * half
            self.content[start : start + half] = b"\xff" * half

    def _may_fail(self):
        if self.failing:
            raise OSError(5)

    def _steps(self, count):
        self.steps += count
        if self.steps_left is not None:
            if self.steps_left < count:
                raise PowerCut
            self.steps_left -= count
