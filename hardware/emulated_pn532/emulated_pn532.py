"""The chip on its serial line: a pseudo-terminal, and a thread that reads commands and answers them."""

import contextlib
import os
import select
import termios
import threading
import time
import tty
from types import TracebackType

from hardware.emulated_pass import EmulatedPass
from hardware.emulated_pn532.interface import Interface

# A frame that does not go on after this long is noise. Hosts write a frame at once.
_FRAME_GAP_SECONDS = 0.25
_OUTPUT_SPEED = 5


class EmulatedPN532(Interface):
    """`path` is what a host opens as its serial port, as often as it likes.

    At any speed, unless it `minds_speed`: then it understands a host, and is understood, only when the port is set to
    the speed that the chip was told to work at.

    `heard` and `said`: how many bytes it has acted on, and said, since it was switched on. A pseudo-terminal and this
    thread are slower than a line and a chip when the computer is busy, and a host can tell by these.
    """

    def __init__(self, emulated_pass: EmulatedPass | None = None, *, minds_speed: bool = False) -> None:
        super().__init__(emulated_pass)
        self._minds_speed = minds_speed
        self.heard = self.said = 0
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        # The slave is kept open, so that the port survives when a host closes it.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        # A serial line without flow control: what nobody reads is lost, and the chip goes on.
        os.set_blocking(self._master, False)
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self.path = os.ttyname(self._slave)

    def present(self, emulated_pass: EmulatedPass) -> None:
        super().present(emulated_pass)
        self._nudge()

    def start(self) -> "EmulatedPN532":
        """Power on. Once."""
        self._thread = threading.Thread(target=self._run, name="PN532", daemon=True)
        self._thread.start()
        return self

    @property
    def is_on(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Power off and close the port. Raises what went wrong inside, if anything did."""
        if self._stopping:
            return
        self._stopping = True
        self._nudge()
        if self._thread is not None:
            self._thread.join()
        self._field.remove()
        for descriptor in (self._master, self._slave, self._woken, self._wake):
            os.close(descriptor)
        if self._error is not None:
            raise self._error

    def __enter__(self) -> "EmulatedPN532":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _nudge(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake, b"x")

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._step()
        except BaseException as error:
            self._error = error

    def _step(self) -> None:
        ready, _, _ = select.select([self._master, self._woken], [], [], self._patience())
        if self._woken in ready:
            os.read(self._woken, 4096)
        came = b""
        if self._master in ready:
            came = os.read(self._master, 4096)
            self._dialogue.hear(self._through_line(came))
        elif not ready and self._dialogue.in_frame and not self._dialogue.searching:
            self._dialogue.give_up_frame()
        self._dialogue.look()
        self._said()
        self.heard += len(came)

    def _patience(self) -> float | None:
        """Seconds until something must be done without being asked."""
        ends = [end for end in (self._dialogue.search_ends, self._outbox.due) if end is not None]
        if ends:
            return max(0.0, min(ends) - time.monotonic())
        return _FRAME_GAP_SECONDS if self._dialogue.in_frame and not self._dialogue.searching else None

    def _said(self) -> None:
        while (frame := self._outbox.ready) is not None:
            self._outbox.drop()
            with contextlib.suppress(BlockingIOError):
                self.said += os.write(self._master, self._through_line(frame))

    def _through_line(self, data: bytes) -> bytes:
        """Between two speeds the edges fall elsewhere, and other bytes arrive."""
        if not self._minds_speed or termios.tcgetattr(self._slave)[_OUTPUT_SPEED] == self._chip.line_speed:
            return data
        return bytes((byte * 7 + 0x5A) & 0xFF for byte in data)
