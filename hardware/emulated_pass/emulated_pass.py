"""The pass as a reader meets it: it comes into the field, exchanges frames, and leaves, sometimes too early."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from hardware.emulated_pass.framing import (
    ANSWER_DATA,
    ISO_CONDITIONS,
    NATIVE_COMMAND,
    Form,
    Frame,
    NotAnApdu,
    answer,
    iso_answer,
    parse,
)
from hardware.emulated_pass.iso_select import select
from hardware.emulated_pass.memory import Memory, PassTorn, PowerCut
from hardware.emulated_pass.powered import Powered
from hardware.emulated_pass.processor import Processor
from hardware.emulated_pass.table import BY_INS

ATQA = bytes.fromhex("0344")
ATQA_RANDOM_ID = bytes.fromhex("0304")
SAK = 0x20


@dataclass(frozen=True)
class Activation:
    """What anticollision and RATS show. `atqa` high byte first (on the air it comes low byte first)."""

    uid: bytes
    atqa: bytes
    sak: int
    ats: bytes


class EmulatedPass:
    """A DESFire pass over `memory`. `random(n)` gives its challenges and identifiers, in the order they are used.

    `wrapped_answer`: how many bytes of data it answers in one APDU before it wants to be asked for more; up to 256.
    """

    def __init__(
        self, memory: Memory, random: Callable[[int], bytes] = os.urandom, *, wrapped_answer: int = ANSWER_DATA
    ) -> None:
        self.memory = memory
        self._random = random
        self._wrapped_answer = wrapped_answer
        self._powered: Powered | None = None
        self._processor: Processor | None = None
        self._wrapped = False
        self._planned_tear: tuple[int, bool] | None = None
        self._tear: tuple[int, bool] | None = None

    @property
    def in_field(self) -> bool:
        return self._powered is not None

    def activate(self) -> Activation:
        """Enter the field. With random ID every activation shows another UID of four bytes that starts with 08."""
        self.deactivate()
        picc = self.memory.picc
        self._powered = Powered(self.memory, self._random)
        self._processor = Processor(self._powered)
        self._tear, self._planned_tear = self._planned_tear, None
        if picc.random_id:
            return Activation(b"\x08" + self._random(3), ATQA_RANDOM_ID, SAK, picc.ats)
        return Activation(picc.uid, ATQA, SAK, picc.ats)

    def deactivate(self) -> None:
        """Leave the field: session and transaction are gone."""
        self._powered = self._processor = None
        self._wrapped = False
        self._tear = None

    def tear_after(self, exchange: int, executed: bool) -> None:
        """Tear the `exchange`-th exchange (1 = first) after the next activation: before or after it ran. Once."""
        if exchange < 1:
            raise ValueError("counted from 1")
        self._planned_tear = exchange, executed

    def exchange(self, command: bytes) -> bytes:
        """One frame in, one out, whatever the frame. PassTorn when the pass is not in the field or leaves it."""
        if self._powered is None:
            raise PassTorn("the pass is not in the field")
        torn, executed = self._torn_now()
        if torn and not executed:
            self.deactivate()
            raise PassTorn("the pass left before the command ran")
        try:
            reply = self._answer(command)
        except PowerCut:
            self.deactivate()
            self.memory.reload()
            raise
        if torn:
            self.deactivate()
            raise PassTorn("the pass left before it answered")
        return reply

    def _torn_now(self) -> tuple[bool, bool]:
        if self._tear is None:
            return False, False
        left, executed = self._tear
        self._tear = (left - 1, executed) if left > 1 else None
        return left == 1, executed

    def _answer(self, command: bytes) -> bytes:
        assert self._powered is not None
        assert self._processor is not None
        try:
            frame = parse(command, self._wrapped)
        except NotAnApdu as error:
            self._processor.reset()
            return iso_answer(error.word)
        self._wrapped = self._wrapped or frame.form is not Form.NATIVE
        if frame.form is Form.ISO:
            return iso_answer(self._iso(self._powered, self._processor, frame))
        room = self._wrapped_answer if frame.form is Form.WRAPPED else ANSWER_DATA
        status, data = self._processor.take(_command(frame), frame.body, room)
        return answer(Form.WRAPPED if self._wrapped else Form.NATIVE, status, data)

    def _iso(self, powered: Powered, processor: Processor, frame: Frame) -> int:
        if processor.chain_open:
            processor.reset()
            return ISO_CONDITIONS
        return select(powered, frame)


def _command(frame: Frame) -> int | None:
    """INS, or None if the frame is no command: APDU parameters that are not 00, or more than fits a native frame
    (unless the command is one that uses ISO chaining)."""
    if frame.form is Form.WRAPPED:
        return None if frame.p1 or frame.p2 else frame.ins
    known = None if frame.ins is None else BY_INS.get(frame.ins)
    whole = known is not None and known.whole
    return frame.ins if whole or len(frame.body) < NATIVE_COMMAND else None
