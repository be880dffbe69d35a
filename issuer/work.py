"""Work that takes longer than a page: on the reader, or over everybody; a screen can watch how far it is.

One piece of work at a time on a bench: a reader has room for one card. What came of the last ones is kept until the
desk is switched off; everything that matters stands in the registry.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hardware.errors import ReaderError
from issuer.errors import DeskError

T = TypeVar("T")
RUNNING, DONE, REFUSED, BROKEN = "running", "done", "refused", "broken"
_MOST_KEPT = 50
# A screen that lost its line asks again; nobody waits longer than this for news.
_NEWS_SECONDS = 15

_log = logging.getLogger(__name__)


@dataclass
class Work(Generic[T]):
    """One piece of work. `steps`: what was told so far; `error`: why it was refused."""

    number: int
    about: str
    steps: list[str] = field(default_factory=list)
    state: str = RUNNING
    error: DeskError | ReaderError | None = None
    result: T | None = None


class Workbench(Generic[T]):
    """Where one thing is done at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._all: dict[int, Work[T]] = {}
        self._number = 0

    def start(self, about: str, do: Callable[[Callable[[str], None]], T]) -> Work[T]:
        """Begin something in the background: `do(tell)`. Raises DeskError while something else is being done."""
        with self._changed:
            if any(each.state == RUNNING for each in self._all.values()):
                raise DeskError("This desk is busy with something else. Wait until that is ready.")
            self._number += 1
            work: Work[T] = Work(self._number, about)
            self._all[work.number] = work
            for number in list(self._all)[:-_MOST_KEPT]:
                del self._all[number]
        threading.Thread(target=self._run, args=(work, do), daemon=True).start()
        return work

    def find(self, number: int) -> Work[T] | None:
        """A piece of work, while it is kept."""
        with self._changed:
            return self._all.get(number)

    def news(self, work: Work[T], seen: int) -> bool:
        """Wait for more than the `seen` steps, or the end; False when nothing came in the meantime."""
        with self._changed:
            return self._changed.wait_for(
                lambda: len(work.steps) > seen or work.state != RUNNING, timeout=_NEWS_SECONDS
            )

    def _run(self, work: Work[T], do: Callable[[Callable[[str], None]], T]) -> None:
        def tell(step: str) -> None:
            with self._changed:
                work.steps.append(step)
                self._changed.notify_all()

        state, error, result = BROKEN, None, None
        try:
            result, state = do(tell), DONE
        except (DeskError, ReaderError) as refused:
            error, state = refused, REFUSED
        except Exception as broken:
            # Not its text: that may hold what was being written.
            _log.error("Work on the reader broke: %s", type(broken).__name__)
        finally:
            with self._changed:
                work.result, work.error, work.state = result, error, state
                self._changed.notify_all()
