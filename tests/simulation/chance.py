"""Randomness that only depends on the seed and on the event that it is drawn in.

So an event that is left out, when a failing story is made shorter, does not change the bytes of the others.
"""

import random


class Chance:
    """`chance(n)` gives n bytes, as all code here takes its randomness."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.begin("the beginning")

    def begin(self, what: object) -> None:
        """Draw for this from now on."""
        self.of_now = random.Random(f"{self._seed}: {what}")

    def __call__(self, count: int) -> bytes:
        return self.of_now.randbytes(count)
