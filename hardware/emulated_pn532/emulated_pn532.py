"""The chip on its serial line: a pseudo-terminal, and a thread that reads commands and answers them."""

import contextlib
import os
import select
import threading
import time
import tty
from types import TracebackType

from hardware.emulated_pass import EmulatedPass
from hardware.emulated_pn532.chip import BadCommand, Chip, Search
from hardware.emulated_pn532.field import AfterCard, Field
from hardware.emulated_pn532.frames import ACK, FROM_CHIP, SYNTAX_ERROR, TO_CHIP, Decoder, Signal, encode

# A frame that does not go on after this long is noise. Hosts write a frame at once.
_FRAME_GAP_SECONDS = 0.25


class EmulatedPN532:
    """`path` is what a host opens as its serial port, at any speed, as often as it likes.

    present and remove may be called from any thread and at any time, also from `after_card`. A pass that is torn out
    has been removed.
    """

    def __init__(self, emulated_pass: EmulatedPass | None = None) -> None:
        self._field = Field()
        self._chip = Chip(self._field)
        self._decoder = Decoder()
        self._last_answer = ACK
        self._search: tuple[int, Search, float | None] | None = None
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
        if emulated_pass is not None:
            self.present(emulated_pass)

    @property
    def after_card(self) -> AfterCard | None:
        """Called with a command to the pass and its answer, when the pass has executed it and nothing has been sent
        to the host. If it takes the pass away, the answer does not arrive. An error in it stops the chip."""
        return self._field.after_card

    @after_card.setter
    def after_card(self, callback: AfterCard | None) -> None:
        self._field.after_card = callback

    def present(self, emulated_pass: EmulatedPass) -> None:
        """Lay a pass on the reader; one that lies there leaves first."""
        self._field.present(emulated_pass)
        self._nudge()

    def remove(self) -> None:
        """Take the pass away: it is out of the field now, and every later exchange fails."""
        self._field.remove()

    def start(self) -> "EmulatedPN532":
        """Power on. Once."""
        self._thread = threading.Thread(target=self._run, name="PN532", daemon=True)
        self._thread.start()
        return self

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
        if self._master in ready:
            found = self._decoder.feed(os.read(self._master, 4096))
        elif not ready and self._decoder.in_frame and self._search is None:
            found = self._decoder.give_up()
        else:
            found = []
        for item in found:
            # Whatever the host says ends the command that it is waiting for (UM 6.2.2.1).
            self._search = None
            if isinstance(item, bytes):
                self._command(item)
            elif item is Signal.NACK:
                self._send(self._last_answer)
        if self._search is not None:
            self._look()

    def _patience(self) -> float | None:
        """Seconds until something must be done without being asked."""
        if self._search is not None:
            end = self._search[2]
            return None if end is None else max(0.0, end - time.monotonic())
        return _FRAME_GAP_SECONDS if self._decoder.in_frame else None

    def _command(self, body: bytes) -> None:
        self._send(ACK)
        try:
            if len(body) < 2 or body[0] != TO_CHIP:
                raise BadCommand("no command")
            result = self._chip.run(body[1], body[2:])
        except BadCommand:
            self._last_answer = SYNTAX_ERROR
            self._send(SYNTAX_ERROR)
            return
        if isinstance(result, Search):
            end = None if result.seconds is None else time.monotonic() + result.seconds
            self._search = body[1], result, end
        else:
            self._answer(body[1], result)

    def _look(self) -> None:
        assert self._search is not None
        code, search, end = self._search
        answer = self._chip.look(search)
        if answer is None and end is not None and time.monotonic() >= end:
            answer = self._chip.nothing_found()
        if answer is not None:
            self._search = None
            self._answer(code, answer)

    def _answer(self, code: int, data: bytes) -> None:
        self._last_answer = encode(bytes([FROM_CHIP, code + 1]) + data)
        self._send(self._last_answer)

    def _send(self, frame: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, frame)
