"""One pass in front of one reader: commands go in, values come out.

Secure messaging is a stack of processors that `card.ev2` puts below; without one, commands travel in plain.
"""

from card.aes import Scratch
from card.errors import BadAnswer, OutOfRange, refusal

OK = 0x00
MORE = 0xAF
# Where parameters and answers stand in the scratch, so that what a MAC covers besides them fits in front.
FRONT = 7
_HEADER_BYTES = 5
_APDU_AT = 2  # right before FRONT
_STATUS_BYTES = 2
_MOST_PARAMETERS = 255
_MOST_FRAMES = 32
# No command of ours is answered by more, and a small heap has no room for much more in one piece.
_MOST_BYTES = 1024
_GO_ON = b"\x90\xaf\x00\x00\x00"


class Session:
    """`transmit(apdu) -> answer` is the reader: one ISO-wrapped command there, data and two status bytes back."""

    def __init__(self, transmit):
        self.scratch = Scratch()
        # The memory of the last channel, for the next one.
        self.kept_channel = None
        self._apdu_header = bytearray(b"\x90\x00\x00\x00\x00")
        self.meet(transmit)

    def meet(self, transmit):
        """Go on with the pass that is behind `transmit` now, and with no channel."""
        self.transmit = transmit
        self.channel = None

    def forget(self):
        """The pass is gone: nothing that was said is kept, nor what it was protected with."""
        self.channel = None
        self.scratch.wipe()
        if self.kept_channel is not None:
            self.kept_channel.wipe()

    def run(self, command):
        """Send a command under the protection it asks for and return what it parses.

        Raises Refused when the pass says no, BadMac when the answer is not the pass's, BadAnswer when it is out of
        shape, and whatever the reader raises when the pass leaves. After any of these there is no session.
        """
        channel, self.channel = self.channel, None
        message = self.scratch.message
        message.seek(FRONT)
        if channel is None:
            message.write(command.header)
            message.write(command.data)
        else:
            channel.wrap(command)
        self._send(command.INS)
        if channel is not None and not command.ends_session:
            channel.unwrap(command)
            self.channel = channel
        length = message.tell() - FRONT
        message.seek(FRONT)
        return command.parse(message.read(length))

    def exchange(self, ins, parameters=b""):
        """One frame in plain: `(status, data)`, where the status is success or more-to-come."""
        message = self.scratch.message
        message.seek(FRONT)
        message.write(parameters)
        answer = self.ask(ins)
        return answer[-1], answer[:-_STATUS_BYTES]

    def ask(self, ins):
        """As `exchange`, with the parameters that stand in the scratch; the answer with its status, there as well."""
        message = self.scratch.message
        answer = self._transmit(ins, self._frame(ins))
        message.seek(FRONT)
        message.write(answer)
        return answer

    def _frame(self, ins):
        """The APDU with the parameters that stand in the scratch up to its position."""
        message, header = self.scratch.message, self._apdu_header
        length = message.tell() - FRONT
        if length > _MOST_PARAMETERS:
            raise OutOfRange("command %02X: %d bytes do not fit one frame" % (ins, length))
        header[1] = ins
        # Without parameters this zero is not their length, which is left out, but that of the answer: any.
        header[4] = length
        message.write(b"\x00")
        message.seek(_APDU_AT)
        message.write(header)
        message.seek(_APDU_AT)
        return message.read(_HEADER_BYTES + length + 1 if length else _HEADER_BYTES)

    def _transmit(self, ins, apdu):
        answer = self.transmit(apdu)
        if len(answer) < _STATUS_BYTES or answer[-2] != 0x91:
            raise BadAnswer("command %02X: the answer has no DESFire status" % ins)
        if len(answer) > _MOST_BYTES:
            raise BadAnswer("command %02X: the answer does not end" % ins)
        status = answer[-1]
        if status != OK and status != MORE:
            self.channel = None
            raise refusal(status)
        return answer

    def _send(self, ins):
        """Send the parameters in the scratch; then the whole answer stands there, however many frames it took."""
        message = self.scratch.message
        answer = self.ask(ins)
        frames = 1
        while answer[-1] == MORE:
            if frames == _MOST_FRAMES or message.tell() > _MOST_BYTES:
                raise BadAnswer("command %02X: the answer does not end" % ins)
            answer = self._transmit(MORE, _GO_ON)
            message.seek(message.tell() - _STATUS_BYTES)
            message.write(answer)
            frames += 1
        message.seek(message.tell() - _STATUS_BYTES)
