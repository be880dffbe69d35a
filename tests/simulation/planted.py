"""Ten bugs, each planted alone, to see which invariant finds it."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def in_place(name: str) -> Iterator[None]:
    """With the bug of that name in the code; with "" none."""
    yield
