"""The list of blocked passes on its way to a terminal: is it the city's, and which part does the terminal lack?"""

from collections.abc import Sequence
from dataclasses import dataclass

from card.errors import CardError
from card.hotlist import HEAD_BYTES, BaseHead, ChangesHead, begins_with_base
from card.signing import HOTLIST, SEAL_BYTES
from terminal.signed import NotSigned, checked

_VERSIONS_A_DAY = 1 << 16


@dataclass(frozen=True)
class HotlistFile:
    """A list as the desk signed it: base and changes, or changes alone (`base_bytes` is 0).

    `base` is the version of the base that the changes belong to.
    """

    content: bytes
    base_bytes: int
    base: int
    version: int

    def for_terminal(self, base: int) -> bytes | None:
        """What a terminal with this base lacks; None when this has changes to another base only."""
        if base == self.base:
            return self.content[self.base_bytes :]
        return self.content if self.base_bytes else None


def opened(signed: bytes, signers: Sequence[str]) -> HotlistFile:
    """A list from the desk; `signers` are the vault's public keys (hex), as the terminal has them from its lease.

    Raises NotSigned.
    """
    try:
        found = _taken_apart(signed[:-SEAL_BYTES])
    except CardError:
        raise NotSigned from None
    checked(HOTLIST, signed, signers, found.version // _VERSIONS_A_DAY)
    return found


def _taken_apart(content: bytes) -> HotlistFile:
    base_bytes = BaseHead.from_bytes(content[:HEAD_BYTES]).bytes if begins_with_base(content) else 0
    head = ChangesHead.from_bytes(content[base_bytes : base_bytes + HEAD_BYTES])
    if len(content) != base_bytes + head.bytes:
        raise NotSigned
    return HotlistFile(content, base_bytes, head.base, head.version)
