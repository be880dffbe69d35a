"""Raw flash that somebody spoilt, or that refuses; on both Pythons."""

from tests.twin.nor_flash import NorFlash


class WornFlash(NorFlash):
    """Writing to what was written clears more bits and says nothing of it, as NOR flash does. `failing`: reads too."""

    def read_into(self, at, buffer):
        self._may_fail()
        NorFlash.read_into(self, at, buffer)

    def write(self, at, data):
        self._may_fail()
        self.writes += 1
        self.steps += len(data)
        for offset in range(len(data)):
            self.content[at + offset] &= data[offset]

    def renew(self):
        """As it came from the factory."""
        for at in range(len(self.content)):
            self.content[at] = 0xFF
        self.steps = 0
        self.failing = False
