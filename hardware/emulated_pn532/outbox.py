"""What the chip has to say and nobody has taken yet; and where a fault comes between the chip and the host."""

import time
from collections.abc import Callable

# A frame of the chip in, what the host gets of it out: (seconds later, bytes), or nothing at all.
Fault = Callable[[bytes], list[tuple[float, bytes]]]


class Outbox:
    def __init__(self) -> None:
        self.fault: Fault | None = None
        self._waiting: list[tuple[float, bytes]] = []

    def put(self, frame: bytes) -> None:
        now = time.monotonic()
        spoilt = [(0.0, frame)] if self.fault is None else self.fault(frame)
        self._waiting += [(now + delay, data) for delay, data in spoilt]

    def clear(self) -> None:
        """A host that says something new does not get what it did not wait for (UM 6.2.2.1)."""
        self._waiting.clear()

    @property
    def due(self) -> float | None:
        """When the next can be taken, on the monotonic clock; None when there is none."""
        return self._waiting[0][0] if self._waiting else None

    @property
    def ready(self) -> bytes | None:
        """What can be taken now."""
        if not self._waiting or self._waiting[0][0] > time.monotonic():
            return None
        return self._waiting[0][1]

    def drop(self) -> None:
        """The first has been taken."""
        del self._waiting[0]
