"""Bytes of a fuzzer as choices: every input means something, and what it lacks is zero, the honest choice."""


class Draw:
    """Takes choices from the front of `data`."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    @property
    def more(self):
        """Whether there is anything left to choose by."""
        return self._at < len(self._data)

    def byte(self):
        if not self.more:
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def below(self, count):
        """A number from 0 to `count` - 1."""
        return (self.byte() << 8 | self.byte()) % count if count > 256 else self.byte() % count

    def of(self, choices):
        return choices[self.below(len(choices))]

    def piece(self):
        """At most 255 bytes as they are."""
        return self.exactly(min(self.byte(), len(self._data) - self._at))

    def rest(self):
        return self.exactly(len(self._data) - self._at)

    def exactly(self, count):
        """So many bytes, with zeros for what is lacking."""
        taken = self._data[self._at : self._at + count]
        self._at += len(taken)
        return bytes(taken) + bytes(count - len(taken))


def mutated(draw, content):
    """`content` as it is, or spoilt in one of the ways in which bytes are spoilt."""
    how = draw.below(8)
    at = draw.below(max(1, len(content)))
    if how == 1:
        return content[:at] + bytes([draw.byte()]) + content[at + 1 :]
    if how == 2:
        return content[:at]
    if how == 3:
        return content[:at] + draw.piece() + content[at:]
    if how == 4:
        return content[:at] + content[at + draw.byte() :]
    if how == 5:
        piece = draw.piece()
        return content[:at] + piece + content[at + len(piece) :]
    if how == 6:
        return draw.piece()
    if how == 7:
        return content + content[at:]
    return content


_ODD = (
    None,
    True,
    -1,
    0,
    1,
    255,
    1 << 16,
    1 << 31,
    1 << 32,
    1 << 64,
    1.5,
    "",
    "x",
    "é" * 40,
    [],
    [None],
    {},
    {"x": []},
)


def odd_json(draw, value):
    """A value of JSON with one part, at any depth, gone or another than it was."""
    keys = sorted(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if not keys or not draw.below(4):
        return draw.of(_ODD)
    changed = value.copy() if isinstance(value, dict) else list(value)
    key = draw.of(keys)
    how = draw.below(8)
    if how == 1:
        del changed[key]
    elif how == 2 and isinstance(value, list):
        changed.extend(value)
    else:
        changed[key] = odd_json(draw, changed[key])
    return changed
