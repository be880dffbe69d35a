"""Two serial ports joined by a cable that is not there: what goes into one comes out of the other."""

import contextlib
import os
import select
import threading
import tty
from types import TracebackType


class NullModem:
    """`left` and `right` are paths that any program can open as a serial port."""

    def __init__(self) -> None:
        self._masters = []
        self._slaves = []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self._masters.append(master)
            # Kept open, so that a port survives when a program at one end stops.
            self._slaves.append(slave)
        self.left, self.right = (os.ttyname(slave) for slave in self._slaves)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="null modem", daemon=True)
        self._thread.start()

    def __enter__(self) -> "NullModem":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Pull the cable."""
        os.write(self._stop_write, b"x")
        self._thread.join()
        for descriptor in (*self._masters, *self._slaves, self._stop_read, self._stop_write):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _carry(self) -> None:
        left, right = self._masters
        other = {left: right, right: left}
        while True:
            ready, _, _ = select.select([left, right, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            for source in ready:
                data = os.read(source, 4096)
                while data:
                    data = data[os.write(other[source], data) :]
