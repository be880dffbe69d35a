"""A reader inside this process, with an emulated pass on it or none."""

from hardware.emulated_pass import EmulatedPass, PassTorn
from hardware.errors import PassGone


class InProcessReader:
    """Same promises as a real reader: APDUs in, answers with their status word out, PassGone when the pass left."""

    def __init__(self, emulated_pass: EmulatedPass | None = None) -> None:
        self._pass = emulated_pass

    def present(self, emulated_pass: EmulatedPass) -> None:
        """Lay a pass on the reader; one that lies there leaves first."""
        self.remove()
        self._pass = emulated_pass

    def remove(self) -> None:
        """Take the pass off the reader. It is then out of the field, whatever it was doing."""
        self.release()
        self._pass = None

    def find_pass(self) -> bytes | None:
        """Switch the field on: the UID seen at activation (a random one changes each time), or None."""
        if self._pass is None:
            return None
        return self._pass.activate().uid

    def transmit(self, apdu: bytes) -> bytes:
        """One wrapped or ISO APDU; answers data and status word. PassGone if no pass is activated, or it left."""
        if self._pass is None:
            raise PassGone("no pass on the reader")
        try:
            return self._pass.exchange(apdu)
        except PassTorn as error:
            raise PassGone(str(error) or "the pass left the reader") from error

    def release(self) -> None:
        """Switch the field off. The pass may stay where it is and be found again."""
        if self._pass is not None:
            self._pass.deactivate()
