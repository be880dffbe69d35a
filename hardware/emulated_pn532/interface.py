"""What a person with a pass can do, whichever interface the host has to the chip."""

from hardware.emulated_pass import EmulatedPass
from hardware.emulated_pn532.chip import Chip
from hardware.emulated_pn532.dialogue import Dialogue
from hardware.emulated_pn532.field import AfterCard, Field
from hardware.emulated_pn532.outbox import Fault, Outbox


class Interface:
    """present and remove may be called from any thread and at any time, also from `after_card`. A pass that is torn
    out has been removed.
    """

    def __init__(self, emulated_pass: EmulatedPass | None = None) -> None:
        self._field = Field()
        self._chip = Chip(self._field)
        self._outbox = Outbox()
        self._dialogue = Dialogue(self._chip, self._outbox, self._said)
        if emulated_pass is not None:
            self._field.present(emulated_pass)

    @property
    def after_card(self) -> AfterCard | None:
        """Called with a command to the pass and its answer, when the pass has executed it and nothing has been sent
        to the host. If it takes the pass away, the answer does not arrive. An error in it stops the chip."""
        return self._field.after_card

    @after_card.setter
    def after_card(self, callback: AfterCard | None) -> None:
        self._field.after_card = callback

    @property
    def fault(self) -> Fault | None:
        """What spoils the frames of the chip on their way to the host, ACK frames too."""
        return self._outbox.fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        self._outbox.fault = fault

    @property
    def air_kbit(self) -> int:
        """How fast the chip talks to the pass."""
        return self._chip.air_kbit

    def present(self, emulated_pass: EmulatedPass) -> None:
        """Lay a pass on the reader; one that lies there leaves first."""
        self._field.present(emulated_pass)

    def remove(self) -> None:
        """Take the pass away: it is out of the field now, and every later exchange fails."""
        self._field.remove()

    def _said(self) -> None:
        """Something was put into the outbox."""
