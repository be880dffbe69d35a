"""One pass in front of one reader: commands go in, values come out.

Secure messaging is a stack of processors that `card.ev2` puts below; without one, commands travel in plain.
"""

from card.errors import BadAnswer, OutOfRange, refusal

OK = 0x00
MORE = 0xAF
_CLA = 0x90
_MOST_FRAMES = 32
# No command of ours is answered by more, and a small heap has no room for much more in one piece.
_MOST_BYTES = 1024


class Session:
    """`transmit(apdu) -> answer` is the reader: one ISO-wrapped command there, data and two status bytes back."""

    def __init__(self, transmit):
        self.transmit = transmit
        self.channel = None

    def run(self, command):
        """Send a command under the protection it asks for and return what it parses.

        Raises Refused when the pass says no, BadMac when the answer is not the pass's, BadAnswer when it is out of
        shape, and whatever the reader raises when the pass leaves. After any of these there is no session.
        """
        channel, self.channel = self.channel, None
        if channel is None:
            answer = self._whole(command.INS, command.header + command.data)
        elif command.ends_session:
            answer = self._whole(command.INS, channel.wrap(command))
        else:
            answer = channel.unwrap(command, self._whole(command.INS, channel.wrap(command)))
            self.channel = channel
        return command.parse(answer)

    def exchange(self, ins, parameters=b""):
        """One frame in plain: `(status, data)`, where the status is success or more-to-come."""
        if len(parameters) > 255:
            raise OutOfRange("command %02X: %d bytes do not fit one frame" % (ins, len(parameters)))
        body = bytes([len(parameters)]) + parameters if parameters else b""
        answer = self.transmit(bytes([_CLA, ins, 0, 0]) + body + b"\x00")
        if len(answer) < 2 or answer[-2] != 0x91:
            raise BadAnswer("command %02X: the answer has no DESFire status" % ins)
        status = answer[-1]
        if status not in (OK, MORE):
            self.channel = None
            raise refusal(status)
        return status, answer[:-2]

    def _whole(self, ins, parameters):
        status, data = self.exchange(ins, parameters)
        frames = 1
        while status == MORE:
            if frames == _MOST_FRAMES or len(data) > _MOST_BYTES:
                raise BadAnswer("command %02X: the answer does not end" % ins)
            status, part = self.exchange(MORE)
            data += part
            frames += 1
        return data
