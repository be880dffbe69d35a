"""From a command to its answer: chaining, protection, dispatch, and the rule that every error ends everything
(but for the session of the legacy messaging).

The order of refusals: length (7E), unknown command (1C), chain (CA), protection (7E, 1E), then what the handler finds:
existence (A0, F0), rights (AE, 9D), parameters (9E), limits (BE, 0E, CE, DE).
"""

from dataclasses import dataclass

from hardware.emulated_pass.access import wire_of
from hardware.emulated_pass.command import Call, Command, Handshake
from hardware.emulated_pass.messaging import Answer, Wire
from hardware.emulated_pass.powered import Powered
from hardware.emulated_pass.status import (
    ADDITIONAL_FRAME,
    BOUNDARY_ERROR,
    COMMAND_ABORTED,
    ILLEGAL_COMMAND,
    LENGTH_ERROR,
    OK,
    Refused,
    require,
)
from hardware.emulated_pass.table import BY_INS, LONGEST

NEXT = 0xAF
Outcome = tuple[int, bytes]


@dataclass
class Arriving:
    """A command of which more frames must come."""

    command: Command
    wire: Wire
    verdict: int
    message: bytes
    expected: int


@dataclass
class Leaving:
    """Frames of an answer that the reader has yet to ask for."""

    frames: list[bytes]


class Processor:
    """`take` one command frame at a time; nothing that comes in makes it raise."""

    def __init__(self, card: Powered) -> None:
        self._card = card
        self._pending: Arriving | Leaving | Handshake | None = None

    @property
    def chain_open(self) -> bool:
        return self._pending is not None

    def take(self, ins: int | None, body: bytes, frame: int) -> Outcome:
        """`frame`: how many bytes of data fit into one frame of the answer."""
        try:
            if ins is None:
                raise Refused(LENGTH_ERROR)
            if self._pending is not None:
                return self._continue(ins, body, frame)
            return self._begin(ins, body, frame)
        except Refused as refusal:
            self.reset()
            return refusal.status, b""

    def reset(self) -> None:
        """What any error does: no chain, no transaction, and but in the legacy messaging no session."""
        self._pending = None
        session = self._card.session
        if session is not None and session.channel.outlives_refusal:
            self._card.abort_transaction()
        else:
            self._card.drop()

    def _begin(self, ins: int, body: bytes, frame: int) -> Outcome:
        command = BY_INS.get(ins)
        if command is None or not command.known_to(self._card.picc.generation):
            raise Refused(ILLEGAL_COMMAND)
        require(len(body) >= command.clear, LENGTH_ERROR)
        wire, verdict = wire_of(self._card, command, body)
        if command.chained:
            arriving = Arriving(command, wire, verdict, b"", self._expected(command, wire, body))
            return self._arrive(arriving, body, frame)
        return self._run(command, wire, verdict, body, frame)

    def _expected(self, command: Command, wire: Wire, body: bytes) -> int:
        """How long a chained command will be: its header says how many data bytes, its protection adds to that."""
        declared = int.from_bytes(body[command.clear - 3 : command.clear], "little")
        require(declared < LONGEST, BOUNDARY_ERROR)
        session = self._card.session
        return command.clear + (session.channel.sealed_length(wire, declared) if session else declared)

    def _continue(self, ins: int, body: bytes, frame: int) -> Outcome:
        pending, self._pending = self._pending, None
        require(ins == NEXT, COMMAND_ABORTED)
        match pending:
            case Handshake():
                answer = pending.finish(body)
                return OK, answer.data
            case Arriving():
                require(bool(body), LENGTH_ERROR)
                return self._arrive(pending, body, frame)
            case Leaving():
                require(not body, LENGTH_ERROR)
                return self._leave(pending.frames)
        raise AssertionError("nothing was pending")

    def _arrive(self, arriving: Arriving, body: bytes, frame: int) -> Outcome:
        arriving.message += body
        require(len(arriving.message) <= arriving.expected, LENGTH_ERROR)
        if len(arriving.message) < arriving.expected:
            self._pending = arriving
            return ADDITIONAL_FRAME, b""
        return self._run(arriving.command, arriving.wire, arriving.verdict, arriving.message, frame)

    def _run(self, command: Command, wire: Wire, verdict: int, message: bytes, frame: int) -> Outcome:
        session = self._card.session
        header, sealed = message[: command.clear], message[command.clear :]
        if session is not None:
            sealed = session.channel.open(wire, command.ins, header, sealed)
        require(len(header) + len(sealed) in command.lengths, LENGTH_ERROR)
        require(verdict == OK, verdict)
        result = command.handler(self._card, Call(command.ins, header + sealed))
        if isinstance(result, Handshake):
            self._pending = result
            return ADDITIONAL_FRAME, result.challenge
        data = result.data
        # A command that ended or replaced the session answers without protection.
        if session is not None and self._card.session is session:
            data = session.channel.close(wire, result)
        return self._leave([data] if command.whole else _cut(data, result, frame))

    def _leave(self, frames: list[bytes]) -> Outcome:
        first, rest = frames[0], frames[1:]
        if rest:
            self._pending = Leaving(rest)
            return ADDITIONAL_FRAME, first
        return OK, first


def _cut(data: bytes, answer: Answer, frame: int) -> list[bytes]:
    """Cut a protected answer into frames: where its definition says, and else where a frame is full.

    The protection, if any, travels with the last piece.
    """
    pieces, start = [], 0
    for size in answer.frames[:-1]:
        pieces.append(data[start : start + size])
        start += size
    last = data[start:]
    while len(last) > frame:
        pieces.append(last[:frame])
        last = last[frame:]
    return [*pieces, last]
