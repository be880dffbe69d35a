"""Work of minutes that a page begins and then watches: the books computed again, the vault's audit.

A row says who began it, how far it is and what it came to, for every process over the same database. There is one of a
kind at a time. While it works it gives a sign of life every few seconds; one that has been silent for a minute was
broken off, with the server it worked in, and may be begun again. What it left half is nothing: the books computed again
change nothing, and an audit changes all or nothing at its end.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from backend.calendar import Calendar
from backend.errors import LinkError, ReportRefused
from backend.people import named
from backend.store import Store
from backend.verify import Heard
from web.database import is_passing

VERIFY, AUDIT = "verify", "audit"
RUNNING, DONE, NO_VAULT, FAILED, BROKEN_OFF = "running", "done", "no vault", "failed", "broken off"
# What is done, told how far it is; what it found can be written as JSON.
Work = Callable[[Heard], dict[str, Any]]
_BEAT_S = 5
_SILENT = timedelta(seconds=60)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """`total`: None when nobody can say. `found`: None unless the state is done."""

    id: int
    kind: str
    state: str
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    done: int
    total: int | None
    found: dict[str, Any] | None


class Runs:
    """`works`: what each kind does."""

    def __init__(self, store: Store, calendar: Calendar, works: Mapping[str, Work]) -> None:
        self._store = store
        self._calendar = calendar
        self._works = works
        self._threads: list[threading.Thread] = []

    def last(self, kind: str) -> Run | None:
        """The one that was begun last."""
        with self._store.reading() as tx:
            held = tx.runs.last(kind)
        return None if held is None else self._run(held)

    def start(self, kind: str, by: str) -> None:
        """Begin it in the background. Raises ReportRefused while one of its kind is working, wherever that is."""
        by, now = named(by), self._calendar.now()
        with self._store.transaction() as tx:
            held = tx.runs.last(kind)
            if held is not None and held.ended_at is None:
                if self._run(held).state == RUNNING:
                    raise ReportRefused("running", f"{held.started_by} began this already. Wait until it is ready.")
                tx.runs.change(held.id, ended_at=now, outcome=BROKEN_OFF)
            values = {"kind": kind, "started_by": by, "started_at": now, "heard_at": now, "done": 0}
            number = tx.runs.add(values)
        thread = threading.Thread(target=self._watch, args=(number, self._works[kind]), daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def close(self) -> None:
        """Let what was begun in this process come to its end."""
        for thread in self._threads:
            thread.join()

    def _run(self, held: Row[Any]) -> Run:
        silent = held.ended_at is None and self._calendar.now() - held.heard_at > _SILENT
        found = None if held.found is None else json.loads(held.found)
        return Run(
            held.id,
            held.kind,
            held.outcome or (BROKEN_OFF if silent else RUNNING),
            held.started_by,
            held.started_at,
            held.ended_at,
            held.done,
            held.total,
            found,
        )

    def _watch(self, number: int, work: Work) -> None:
        """Write down how far it is and how it ended; a database that is busy is asked again."""
        job = _Job(work)
        job.start()
        while True:
            job.over.wait(_BEAT_S)
            over, now = job.over.is_set(), self._calendar.now()
            values = job.far | {"heard_at": now} | (job.end | {"ended_at": now} if over else {})
            try:
                with self._store.transaction() as tx:
                    going_on = tx.runs.change(number, **values)
            except SQLAlchemyError as error:
                if not is_passing(error):
                    _log.exception("run %s cannot be written down", number)
                    return
                time.sleep(_BEAT_S)
                continue
            if over or not going_on:
                return


class _Job(threading.Thread):
    """The work itself. `over`: it came to an end, which is in `end` then."""

    def __init__(self, work: Work) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self._work = work
        self.far: dict[str, Any] = {}
        self.end: dict[str, Any] = {}

    def run(self) -> None:
        try:
            self.end = {"found": json.dumps(self._work(self._hear)), "outcome": DONE}
        except LinkError:
            self.end = {"outcome": NO_VAULT}
        except Exception:
            _log.exception("work broke")
            self.end = {"outcome": FAILED}
        finally:
            self.over.set()

    def _hear(self, done: int, total: int) -> None:
        self.far = {"done": done, "total": total}
