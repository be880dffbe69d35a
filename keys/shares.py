"""The root in shares of 33 words (SLIP-39): made, and typed in again with every mistake named.

What is said about a share never holds a word of it, and nothing that helps to guess the root.
"""

import re
from itertools import combinations

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from keys.errors import ShareError

WORDS = 33
# SLIP-39: the first four letters of a word are enough to know it.
_BY_START = {word[:4]: word for word in WORDLIST}


def split(root: bytes, threshold: int, custodians: int) -> list[str]:
    """A share for each custodian; any `threshold` of them make the root again, fewer tell nothing."""
    shares: list[str]
    (shares,) = generate_mnemonics(1, [(threshold, custodians)], root)
    return shares


def share_set(share: str) -> int:
    """The number that the shares of one root have in common, and no others."""
    identifier: int = Share.from_mnemonic(share).identifier
    return identifier


class Shares:
    """Shares as they are typed. `expected_set`: the set that they must be of, when that is known."""

    def __init__(self, expected_set: int | None = None) -> None:
        self.expected_set = expected_set
        self._shares: dict[int, str] = {}
        self._first: Share | None = None

    def add(self, text: str) -> int:
        """Take in one share; its number on the sheet. Raises ShareError, and then nothing has changed.

        Words may be in capitals, on several lines, with numbers before them, or cut to their first four letters.
        """
        words = _words(text)
        share = _share(words)
        first = self._first or share
        if self.expected_set is not None and share.identifier != self.expected_set:
            raise ShareError("set", found=share.identifier, wanted=self.expected_set)
        if share.identifier != first.identifier:
            raise ShareError("mixed_sets", found=share.identifier, wanted=first.identifier)
        if _made_with(share) != _made_with(first):
            raise ShareError("apart")
        number: int = share.index + 1
        if number in self._shares:
            raise ShareError("twice", number=number)
        self._first = first
        self._shares[number] = " ".join(words)
        return number

    @property
    def missing(self) -> int | None:
        """How many more are needed; None before the first."""
        return None if self._first is None else max(0, self._first.member_threshold - len(self._shares))

    def root(self) -> bytes:
        """The root; raises ShareError when there are too few shares, or they do not make one root."""
        if self._first is None or self.missing:
            raise ShareError("too_few", missing=self.missing or "?")
        return _combined(list(self._shares.values())[: self._first.member_threshold])

    def check_all(self) -> int:
        """How many combinations of just enough shares there are; refuses when two make different roots."""
        root = self.root()
        assert self._first is not None  # or there was no root
        groups = list(combinations(self._shares.values(), self._first.member_threshold))
        if any(_combined(list(group)) != root for group in groups):
            raise ShareError("different")
        return len(groups)


def _words(text: str) -> list[str]:
    # Numbers as on the sheet may stand before the words, with or without a space.
    typed = (re.sub(r"^\d+[.):]?", "", word) for word in re.split(r"[\s,;]+", text.lower()))
    words = [word for word in typed if word]
    if len(words) != WORDS:
        raise ShareError("length", count=len(words), wanted=WORDS)
    known = []
    for number, word in enumerate(words, 1):
        whole = _BY_START.get(word[:4])
        if whole is None or not whole.startswith(word):
            raise ShareError("word", number=number)
        known.append(whole)
    return known


def _share(words: list[str]) -> Share:
    try:
        return Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        # What the library says begins with the words.
        raise ShareError("checksum") from None


def _made_with(share: Share) -> tuple[object, ...]:
    return *share.common_parameters(), *share.group_parameters()


def _combined(shares: list[str]) -> bytes:
    try:
        root: bytes = combine_mnemonics(shares)
    except MnemonicError:
        raise ShareError("apart") from None
    return root
