"""What the three secure-messaging channels have in common: the words a command and a channel share.

A channel knows how to open what a reader sent and to close what the pass answers. It knows no command and no file.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from hardware.emulated_pass.model import Mode


class Guard(Enum):
    """How the table of commands says a command is protected inside a session."""

    NONE = "none"  # outside all messaging: authentication and selection
    MAC = "MAC"  # EV2 sends a MAC both ways; the older channels do not append one to the command
    FULL = "full"
    KEY = "full, with its own checksums"  # ChangeKey
    FILE = "as the file says"
    CHANGE = "full unless the right to change is free"  # ChangeFileSettings


@dataclass(frozen=True)
class Wire:
    """The protection of one command as it is actually sent: the guard from the table and the mode that results."""

    guard: Guard
    mode: Mode


@dataclass(frozen=True)
class Answer:
    """What a command answers when it went well.

    `frames` are the sizes at which the answer is cut by definition (GetVersion); () cuts it where a frame is full.
    `open_ended`: the reader did not say how much it wants, so EV1 messaging pads with 80 (its data sheet's method 2).
    """

    data: bytes = b""
    frames: tuple[int, ...] = ()
    open_ended: bool = False


class Channel(Protocol):
    # Whether the session goes on when a command is refused.
    outlives_refusal: bool

    def sealed_length(self, wire: Wire, length: int) -> int:
        """How many bytes `length` bytes of data have on the wire, protection included."""

    def open(self, wire: Wire, ins: int, header: bytes, sealed: bytes) -> bytes:
        """Check and decrypt what follows the header. Refuses with 7E (too short) or 1E (not what was sent)."""

    def close(self, wire: Wire, answer: Answer) -> bytes:
        """Protect an answer of status 00."""

    def new_key(self, header: bytes, opened: bytes, size: int, old: bytes | None) -> bytes:
        """The new key out of an opened ChangeKey: `size` bytes of key (and version). `old` is the key that it
        replaces, or None when that is the key of the session. Refuses with 1E."""
