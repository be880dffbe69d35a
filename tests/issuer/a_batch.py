"""A batch for tests: jobs in memory, an operator with cards, and a desk on files that can be started again."""

import json
import os
import signal
import sys
import threading
from datetime import date
from pathlib import Path

from hardware.emulated_pass import EmulatedPass
from hardware.in_process import InProcessReader
from issuer.batch import Batch, Job, Line, Progress, Step
from issuer.desk import Desk
from issuer.emulated_stack import EmulatedStack
from issuer.encoding import RegistryJobs
from issuer.errors import CardRefused
from issuer.people import Person
from issuer.registry import Registry
from issuer.scheme import load_scheme
from tests.city import ROOT, DirectKeys, desk_secrets
from tests.issuer.a_registry import TODAY, noon

SCHEME = load_scheme(ROOT / "schemes" / "gelrepas.toml")
SECRETS = desk_secrets()
PEOPLE = [
    Person("1", "Vos", "de", "Sam", date(2015, 5, 1), 110),
    Person("1", "Vos", "de", "Noor", date(2013, 2, 9), 110),
    Person("2", "Bos", "", "Ali", date(1990, 7, 3), 110),
    Person("3", "Kok", "", "Eva", date(1980, 7, 3), 110),
]


class JobsInMemory:
    """issuer.batch.Jobs without a database: what it keeps is what would be on disk, but for who has what in hand."""

    def __init__(self, count: int) -> None:
        self.jobs = [Job(number, f"CODE-{number:04}") for number in range(1, count + 1)]
        self.begun: dict[bytes, Job] = {}
        self.made: dict[Job, bytes] = {}
        self.rejected: list[tuple[bytes | None, str]] = []
        self.given_up: dict[Job, str] = {}
        self.in_hand: set[Job] = set()
        self._lock = threading.RLock()

    def waiting(self):
        return len([job for job in self.jobs if job not in self.made and job not in self.given_up])

    def next(self):
        with self._lock:
            taken = {*self.in_hand, *self.begun.values(), *self.made, *self.given_up}
            job = next((job for job in self.jobs if job not in taken), None)
            if job:
                self.in_hand.add(job)
            return job

    def of_card(self, uid):
        with self._lock:
            job = self.begun.get(uid)
            if job in self.in_hand:
                raise CardRefused("in hand")
            if job:
                self.in_hand.add(job)
            return job

    def begin(self, job, uid):
        with self._lock:
            if uid in self.made.values() or any(uid == card for card, _ in self.rejected):
                raise CardRefused("not this card")
            assert self.begun.setdefault(uid, job) == job
            assert list(self.begun.values()).count(job) == 1, "a job with two cards"

    def put_back(self, job):
        with self._lock:
            assert job in self.in_hand, "put back what nobody had"
            self.in_hand.remove(job)

    def done(self, job):
        with self._lock:
            (uid,) = [uid for uid, begun in self.begun.items() if begun == job]
            assert job not in self.made, "a job done twice"
            self.made[job] = uid
            del self.begun[uid]

    def reject(self, job, uid, reason):
        with self._lock:
            self.rejected.append((uid, reason))
            self.begun.pop(uid, None)
            return True

    def give_up(self, job, reason):
        self.given_up[job] = reason


class Operator:
    """Does what readers ask for, with the cards of a stack; keeps what each of them showed."""

    def __init__(self, cards: list[EmulatedPass | None], readers: int = 1) -> None:
        self.cards = list(cards)
        self.readers = {str(number): InProcessReader() for number in range(1, readers + 1)}
        self.lines: list[tuple[str, Line]] = []
        self._lying: dict[str, EmulatedPass] = {}
        self._lock = threading.Lock()
        self._shown = {step: threading.Event() for step in Step}

    def wait_for(self, step: Step) -> bool:
        return self._shown[step].wait(10)

    def show(self, name: str, line: Line) -> None:
        self._shown[line.step].set()
        with self._lock:
            self.lines.append((name, line))
            if line.step in (Step.PUT_DOWN, Step.PUT_THIS_DOWN, Step.FINISH) and self.cards:
                self._lying[name] = self.cards.pop(0)
                self.readers[name].present(self._lying[name])
            elif line.step is Step.PUT_BACK:
                self.readers[name].present(self._lying[name])
            elif line.step not in (Step.BUSY, Step.PUT_DOWN, Step.PUT_THIS_DOWN, Step.FINISH):
                self.readers[name].remove()

    def steps(self) -> list[Step]:
        return [line.step for _, line in self.lines]


def desk_on(registry: Registry) -> Desk:
    return Desk(registry, SCHEME, SECRETS, DirectKeys(), os.urandom, noon)


def run_emulated(registry: Registry, folder: Path, readers: int, moment=lambda: None, delivery=None) -> Progress:
    """One run of everybody in the registry over emulated readers with cards that are files.

    `moment` is called twice an exchange: before the card has it, and before its answer is heard.
    """
    desk = desk_on(registry)
    jobs = RegistryJobs(registry, desk, TODAY, noon, "clerk", delivery)
    stack = EmulatedStack(folder, readers)
    for reader in stack.readers.values():
        reader.transmit = _counted(reader.transmit, moment)
    return Batch(stack.readers, jobs, jobs.encode, desk.identify, stack.show, poll_seconds=0.01).run()


def _counted(transmit, moment):
    def counted(apdu):
        moment()
        answer = transmit(apdu)
        moment()
        return answer

    return counted


def _main(folder: str, readers: str, last_moment: str) -> None:
    """A process that is killed, without a word, at some moment of some exchange."""
    left, lock = [int(last_moment)], threading.Lock()

    def count():
        with lock:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    progress = run_emulated(Registry.at(Path(folder)), Path(folder) / "cards", int(readers), count)
    sys.stdout.write(json.dumps({"done": progress.done, "rejected": progress.rejected}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
