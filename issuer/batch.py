"""A stack of cards on several readers at once: the next card that is put down on any of them gets the next job.

Whatever stops it, the card or the computer, it goes on where it was. Before anything on a card changes, the card is
written down with its job; so the same card finishes the same job, on any reader, and no job ever has two cards.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from hardware.errors import ReaderError
from issuer.errors import CardLeft, CardRefused, DeskError, VaultRefused, VaultUnreachable
from issuer.personalise import Reader

_UID_BYTES = 7
_POLL_SECONDS = 0.2
# A card at the edge of the field may answer nonsense once. What it does twice it will do again.
_TRIES = 2
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Job:
    """A holder who waits for a pass. `code` is on the face of the card; `number` is the registry's own."""

    number: int
    code: str


class Jobs(Protocol):
    """What is to be made. Each call may come from any thread, and is durable when it returns.

    A job that `next` or `of_card` gave is in hand, and nobody else gets it, until it is put back.
    """

    def waiting(self) -> int:
        """How many are not done, those in hand included."""

    def next(self) -> Job | None:
        """A job that has no card yet."""

    def of_card(self, uid: bytes) -> Job | None:
        """The job that this card was begun for; CardRefused when it is in hand, so that this must be another card."""

    def begin(self, job: Job, uid: bytes) -> None:
        """This card belongs to this job from now on. CardRefused for one that cannot be, which stays as it was."""

    def put_back(self, job: Job) -> None:
        """Out of hand, done or not; a card that was begun for it stays with it."""

    def done(self, job: Job) -> None:
        """Its pass is ready."""

    def reject(self, job: Job | None, uid: bytes | None, reason: str) -> bool:
        """Put the card on the list of rejects. Whether the job may have another one: not when money may be on it."""

    def give_up(self, job: Job, reason: str) -> None:
        """Leave it to a person: it cannot be done here."""


# Makes the card on the reader the pass of a job, or finishes it. As Desk.issue: CardRefused is about the card, any
# other DeskError about the job.
Encode = Callable[[Job, Reader], None]
# Tells the UID of a pass that hides it.
Identify = Callable[[Reader], bytes]


class Step(Enum):
    """What to do at a reader, in Dutch and English."""

    PUT_DOWN = "Leg een nieuwe kaart neer.", "Put down a new card."
    PUT_THIS_DOWN = "Leg de kaart met deze code neer.", "Put down the card with this code."
    BUSY = "Bezig. Laat de kaart liggen.", "Busy. Leave the card where it is."
    TAKE_AWAY = "Klaar. Neem de pas weg.", "Ready. Take the pass away."
    PUT_BACK = "De kaart ging te vroeg weg. Leg dezelfde kaart terug.", "The card left too soon. Put the same one back."
    REJECTED = "Afgekeurd. Leg de kaart bij de afgekeurde kaarten.", "Rejected. Lay the card with the rejected ones."
    WRONG_CARD = "Deze kaart kan hier niet. Neem hem weg.", "Not this card. Take it away."
    BY_HAND = "Dit kan alleen aan de balie. Leg de kaart apart.", "Only the desk can do this one. Lay the card aside."
    NOT_NEEDED = (
        "Er wacht niemand op een nieuwe kaart. Neem hem weg. Leg een kaart terug die nog niet af is.",
        "Nobody waits for a new card. Take it away. Put back a card that is not finished.",
    )
    FINISH = "Leg een kaart terug die nog niet af is.", "Put back a card that is not finished."
    NOTHING_LEFT = "Alles is af. Neem de laatste pas weg.", "Everything is done. Take the last pass away."
    BROKEN = "Deze lezer doet het niet.", "This reader does not work."

    @property
    def dutch(self) -> str:
        return self.value[0]

    @property
    def english(self) -> str:
        return self.value[1]


@dataclass(frozen=True)
class Line:
    """What a reader shows. `code` of the pass that it is about, `reason` of what went wrong."""

    step: Step
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """How far it is. `seconds` since the beginning; the estimates are None until a first pass is done."""

    done: int
    rejected: int
    by_hand: int
    waiting: int
    seconds: int

    @property
    def per_hour(self) -> int | None:
        return self.done * _SECONDS_AN_HOUR // self.seconds if self.done and self.seconds else None

    @property
    def minutes_left(self) -> int | None:
        """Rounded up: somebody plans their afternoon by it."""
        if not self.done:
            return None
        return -(-self.waiting * self.seconds // (self.done * 60))


@dataclass
class _Counts:
    done: int = 0
    rejected: int = 0
    by_hand: int = 0
    lines: dict[str, Line] = field(default_factory=dict)


class Batch:
    """One run over all jobs. `readers` by the name that the operator knows; `ahead` when every card has its face
    already, so that each reader asks for one card. `show(reader, line)` hears what a reader wants, from its thread.
    """

    def __init__(
        self,
        readers: Mapping[str, Reader],
        jobs: Jobs,
        encode: Encode,
        identify: Identify,
        show: Callable[[str, Line], None] = lambda reader, line: None,
        ahead: bool = False,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self._readers = readers
        self._jobs = jobs
        self._encode = encode
        self._identify = identify
        self._show = show
        self._ahead = ahead
        self._poll_seconds = poll_seconds
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._counts = _Counts()
        self._counting = threading.Lock()
        self._failure: BaseException | None = None

    def run(self) -> Progress:
        """Until every job is done, or stopped. Raises what kept it from going on: no vault, or no reader that works."""
        self._began = time.monotonic()
        threads = [
            threading.Thread(target=self._serve, args=[name, reader], name=f"reader {name}")
            for name, reader in self._readers.items()
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            # Also when somebody interrupts: a card that is being made is finished first.
            self.stop()
            for thread in threads:
                thread.join()
        if self._failure is not None:
            raise self._failure
        if self._jobs.waiting() and all(line.step is Step.BROKEN for line in self.lines().values()):
            raise ReaderError("no reader works: look at the cables and start again")
        return self.progress()

    def stop(self) -> None:
        """End after the cards that are being made."""
        self._stop.set()

    def progress(self) -> Progress:
        with self._counting:
            done, rejected, by_hand = self._counts.done, self._counts.rejected, self._counts.by_hand
        return Progress(done, rejected, by_hand, self._jobs.waiting(), int(time.monotonic() - self._began))

    def lines(self) -> dict[str, Line]:
        """What each reader shows now."""
        with self._counting:
            return dict(self._counts.lines)

    # One reader

    def _serve(self, name: str, reader: Reader) -> None:
        try:
            self._serve_until_done(name, reader)
        except ReaderError as error:
            # The others go on; what was begun here can be finished there.
            self._say(name, Line(Step.BROKEN, reason=str(error)))
        except BaseException as error:
            self._failure = error
            self.stop()

    def _serve_until_done(self, name: str, reader: Reader) -> None:
        left = ""
        while not self._stop.is_set() and self._jobs.waiting():
            job = self._jobs.next() if self._ahead else None
            try:
                self._say(name, self._invitation(job, left))
                uid = self._card_on(name, reader, job)
                left = "" if uid is None else self._turn(name, reader, job, uid)
            finally:
                if job is not None:
                    self._jobs.put_back(job)
        if not self._jobs.waiting():
            self._say(name, Line(Step.NOTHING_LEFT))

    def _invitation(self, job: Job | None, left: str) -> Line:
        if left:
            return Line(Step.PUT_BACK, left)
        if self._ahead:
            return Line(Step.FINISH) if job is None else Line(Step.PUT_THIS_DOWN, job.code)
        return Line(Step.PUT_DOWN)

    def _card_on(self, name: str, reader: Reader, job: Job | None) -> bytes | None:
        """The UID of the card, once there is one; None when it is of no use or there is nothing left to do."""
        while not self._stop.is_set() and self._jobs.waiting():
            uid = reader.find_pass()
            if uid is None:
                self._stop.wait(self._poll_seconds)
                continue
            if len(uid) == _UID_BYTES:
                return uid
            try:
                return self._identify(reader)
            except CardLeft:
                continue
            except CardRefused as error:
                self._reject(name, reader, None, None, error)
                return None
        return None

    def _turn(self, name: str, reader: Reader, job: Job | None, uid: bytes) -> str:
        """Do what there is to do with this card; the code of the pass when the card left half-way."""
        try:
            begun = self._jobs.of_card(uid)
        except CardRefused as error:
            self._conclude(name, reader, uid, Line(Step.WRONG_CARD, reason=str(error)))
            return ""
        mine = begun or job or self._jobs.next()
        if mine is None:
            self._conclude(name, reader, uid, Line(Step.NOT_NEEDED))
            return ""
        try:
            return self._make(name, reader, mine, uid)
        finally:
            if mine is not job:
                self._jobs.put_back(mine)

    def _make(self, name: str, reader: Reader, job: Job, uid: bytes) -> str:
        try:
            self._jobs.begin(job, uid)
        except CardRefused as error:
            self._conclude(name, reader, uid, Line(Step.WRONG_CARD, reason=str(error)))
            return ""
        except DeskError as error:
            self._give_up(name, reader, job, uid, error)
            return ""
        self._say(name, Line(Step.BUSY, job.code))
        try:
            self._try(job, _OneCard(reader, uid))
        except CardLeft:
            return job.code
        except CardRefused as error:
            self._reject(name, reader, job, uid, error)
        except (VaultUnreachable, VaultRefused):
            raise
        except DeskError as error:
            self._give_up(name, reader, job, uid, error)
        else:
            self._jobs.done(job)
            self._count(done=1)
            self._conclude(name, reader, uid, Line(Step.TAKE_AWAY, job.code))
        return ""

    def _try(self, job: Job, card: Reader) -> None:
        for _ in range(_TRIES - 1):
            try:
                self._encode(job, card)
                return
            except CardRefused:
                continue
        self._encode(job, card)

    def _reject(self, name: str, reader: Reader, job: Job | None, uid: bytes | None, error: CardRefused) -> None:
        if self._jobs.reject(job, uid, str(error)):
            self._count(rejected=1)
            self._conclude(name, reader, uid, Line(Step.REJECTED, job.code if job else "", str(error)))
        else:
            self._count(by_hand=1)
            self._conclude(name, reader, uid, Line(Step.BY_HAND, job.code if job else "", str(error)))

    def _give_up(self, name: str, reader: Reader, job: Job, uid: bytes, error: DeskError) -> None:
        self._jobs.give_up(job, str(error))
        self._count(by_hand=1)
        self._conclude(name, reader, uid, Line(Step.BY_HAND, job.code, str(error)))

    def _conclude(self, name: str, reader: Reader, uid: bytes | None, line: Line) -> None:
        """Show how it ended until the card is gone, or another one lies there. What hides its UID is the same one."""
        self._say(name, line)
        while not self._stop.is_set() and self._jobs.waiting():
            seen = reader.find_pass()
            if seen is None or (len(seen) == _UID_BYTES and seen != uid):
                break
            reader.release()
            self._stop.wait(self._poll_seconds)

    def _say(self, name: str, line: Line) -> None:
        with self._counting:
            if self._counts.lines.get(name) == line:
                return
            self._counts.lines[name] = line
        self._show(name, line)

    def _count(self, done: int = 0, rejected: int = 0, by_hand: int = 0) -> None:
        with self._counting:
            self._counts.done += done
            self._counts.rejected += rejected
            self._counts.by_hand += by_hand


class _OneCard:
    """A reader that knows one card only: when another one lies there, or none, that card has left.

    Without this, a card that was swapped at the wrong moment would become the second pass of somebody.
    """

    def __init__(self, reader: Reader, uid: bytes) -> None:
        self._reader = reader
        self._uid = uid

    def find_pass(self) -> bytes:
        seen = self._reader.find_pass()
        if seen is None or (len(seen) == _UID_BYTES and seen != self._uid):
            raise CardLeft("The card left the reader. Put the same card back and try again.")
        return seen

    def transmit(self, apdu: bytes) -> bytes:
        return self._reader.transmit(apdu)

    def release(self) -> None:
        self._reader.release()
