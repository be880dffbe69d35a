"""The chip behind any of its three interfaces: bytes of frames in, whole frames into the outbox."""

import time
from collections.abc import Callable

from hardware.emulated_pn532.chip import BadCommand, Chip, Search
from hardware.emulated_pn532.frames import ACK, FROM_CHIP, SYNTAX_ERROR, TO_CHIP, Decoder, Signal, encode
from hardware.emulated_pn532.outbox import Outbox


class Dialogue:
    """Not thread-safe. `said()` is called when something was put into `outbox`."""

    def __init__(self, chip: Chip, outbox: Outbox, said: Callable[[], None]) -> None:
        self._chip = chip
        self._outbox = outbox
        self._said = said
        self._decoder = Decoder()
        self._last_answer = ACK
        self._search: tuple[int, Search, float | None] | None = None

    @property
    def in_frame(self) -> bool:
        """A frame from the host has begun and not ended."""
        return self._decoder.in_frame

    @property
    def searching(self) -> bool:
        return self._search is not None

    @property
    def search_ends(self) -> float | None:
        """When the chip gives up the search, on the monotonic clock; None when it does not."""
        return self._search[2] if self._search is not None else None

    def hear(self, data: bytes) -> None:
        self._heed(self._decoder.feed(data))

    def give_up_frame(self) -> None:
        """What seemed to be a frame does not go on."""
        self._heed(self._decoder.give_up())

    def look(self) -> None:
        """Is there a pass, or is it time to stop looking for one?"""
        if self._search is None:
            return
        code, search, end = self._search
        answer = self._chip.look(search)
        if answer is None and end is not None and time.monotonic() >= end:
            answer = self._chip.nothing_found()
        if answer is not None:
            self._search = None
            self._answer(code, answer)

    def _heed(self, items: list[bytes | Signal]) -> None:
        for item in items:
            # Whatever the host says ends the command that it is waiting for (UM 6.2.2.1).
            self._search = None
            self._outbox.clear()
            if isinstance(item, bytes):
                self._command(item)
            elif item is Signal.NACK:
                self._say(self._last_answer)
            else:
                self._chip.acknowledged()

    def _command(self, body: bytes) -> None:
        self._say(ACK)
        try:
            if len(body) < 2 or body[0] != TO_CHIP:
                raise BadCommand("no command")
            result = self._chip.run(body[1], body[2:])
        except BadCommand:
            self._last_answer = SYNTAX_ERROR
            self._say(SYNTAX_ERROR)
            return
        if isinstance(result, Search):
            end = None if result.seconds is None else time.monotonic() + result.seconds
            self._search = body[1], result, end
        else:
            self._answer(body[1], result)

    def _answer(self, code: int, data: bytes) -> None:
        self._last_answer = encode(bytes([FROM_CHIP, code + 1]) + data)
        self._say(self._last_answer)

    def _say(self, frame: bytes) -> None:
        self._outbox.put(frame)
        self._said()
