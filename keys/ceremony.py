"""A key ceremony on a terminal: three to seven people make the root, take a share each on paper, and read it back.

One instruction at a time, in plain words. Whoever types `stop`, or stops the program, leaves nothing behind; only
once the keys are made, the ceremony comes to its end.
"""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol

import typer
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.custody import check_value
from keys.days import TIMEZONE
from keys.errors import KeyStoreError, ShareError
from keys.files import write_secret
from keys.hierarchy import ROOT_BYTES, derive
from keys.shares import Shares, share_set, split
from keys.sheets import Sheet, share_sheet
from keys.store import MemoryStore
from keys.transcript import KeyCheck, Transcript
from keys.words import SENTENCES, STEPS

FEWEST, MOST = 3, 7
FEWEST_NEEDED = 2
STOP = "stop"
# What the same person can mend by typing the same sheet again.
_TYPOS = ("length", "word", "checksum")
# The key that every vault has and that never changes: by its check value people know a root.
_KNOWN = ("register", 1)


class Console(Protocol):
    """Where people read and type. `ask` raises EOFError or KeyboardInterrupt when they leave."""

    def say(self, text: str) -> None: ...
    def ask(self, prompt: str) -> str: ...
    def clear(self) -> None: ...


class TerminalConsole:
    """The terminal that the program runs in."""

    def __init__(self) -> None:
        # A key that is not UTF-8 is a typo like others, and no end of the ceremony.
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")

    def say(self, text: str) -> None:
        typer.echo(text)

    def ask(self, prompt: str) -> str:
        return input(prompt)

    def clear(self) -> None:
        """Screen and what was scrolled away: a share was on it."""
        sys.stdout.write("\x1b[H\x1b[2J\x1b[3J")
        sys.stdout.flush()


@dataclass(frozen=True)
class City:
    """The municipality whose keys are made."""

    number: int
    name: str


class _Talk:
    """Says the sentences of one language."""

    def __init__(self, console: Console, language: str) -> None:
        self._console, self.language = console, language

    def say(self, sentence: str, **about: object) -> None:
        self._console.say(SENTENCES[sentence][self.language].format(**about))

    def ask(self, sentence: str, **about: object) -> str:
        """What somebody types; raises _Stopped at `stop`."""
        typed = self._console.ask(SENTENCES[sentence][self.language].format(**about) + " ").strip()
        if typed.lower() == STOP:
            raise _Stopped
        return typed

    def step(self, step: str, **about: object) -> str:
        return STEPS[step][self.language].format(**about)

    def clear(self) -> None:
        self._console.clear()


class _Stopped(Exception):
    """Somebody typed `stop`."""


def hold(
    console: Console,
    city: City,
    custodians: Sequence[str],
    threshold: int,
    rehearsal: bool,
    sheets: Path,
    establish: Callable[[bytes, Transcript], list[KeyCheck]],
    now: Callable[[], datetime],
    random: Callable[[int], bytes],
    language: str = "nl",
) -> Transcript:
    """Lead a ceremony to its end; `establish(root, transcript)` makes the store and says the check values of its keys.

    `custodians` and `threshold` are asked for where they are not given. Raises KeyStoreError when the ceremony stops;
    then no sheet is left. Once `establish` has made the store nobody can stop it any more: keys without a record
    would be worse than either.
    """
    talk = _Talk(console, language)
    with _hanging_up_is_leaving(), _nothing_left(talk, sheets):
        talk.say("welcome", city=city.name)
        if rehearsal:
            talk.say("rehearsal")
        names = _names(talk, custodians)
        needed = _threshold(talk, threshold, len(names))
        transcript = Transcript(city.number, city.name, rehearsal, language, needed, names)
        transcript.add(now(), talk.step("began", names=", ".join(names)))
        root = mixed(random(ROOT_BYTES), [_something(talk, name) for name in names])
        transcript.add(now(), talk.step("root"))
        _hand_out_shares(talk, city, transcript, root, sheets, now)
        seal = derive(root, city.number, "transcript")
        transcript.keys = establish(root, transcript)
        _show_the_end(talk, console, transcript)
        transcript.add(now(), talk.step("keys", count=len(transcript.keys)))
        transcript.add(now(), talk.step("ended"))
        transcript.sign(seal)
    return transcript


def read_shares(console: Console, expected_set: int, needed: int, language: str = "nl") -> bytes:
    """The root from the shares that custodians type, as many as are needed; raises ShareError when they stop."""
    talk = _Talk(console, language)
    shares = Shares(expected_set)
    try:
        while shares.missing != 0:
            _read_one(talk, shares, "type_share", missing=shares.missing or needed)
        return shares.root()
    except (_Stopped, EOFError, KeyboardInterrupt):
        raise ShareError("stopped") from None


def mixed(machine: bytes, typed: Sequence[str]) -> bytes:
    """The root from the machine's randomness and what everybody typed: good when either is."""
    parts = [machine, *(each.encode() for each in typed)]
    material = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return HKDF(SHA256(), ROOT_BYTES, salt=None, info=b"meedoen root").derive(material)


def _names(talk: _Talk, given: Sequence[str]) -> list[str]:
    names = [name.strip() for name in given if name.strip()]
    if FEWEST <= len(names) <= MOST and len({name.lower() for name in names}) == len(names):
        return names
    names = []
    talk.say("names", fewest=FEWEST, most=MOST)
    while len(names) < MOST:
        name = talk.ask("name", number=len(names) + 1)
        if name.lower() in (known.lower() for known in names):
            talk.say("same_name", name=name)
        elif name:
            names.append(name)
        elif len(names) >= FEWEST:
            break
        else:
            talk.say("few_names", fewest=FEWEST, count=len(names))
    return names


def _threshold(talk: _Talk, given: int, count: int) -> int:
    needed = given
    while not FEWEST_NEEDED <= needed <= count:
        typed = talk.ask("threshold", fewest=FEWEST_NEEDED, count=count)
        needed = int(typed) if typed.isascii() and typed.isdigit() else 0
        if not FEWEST_NEEDED <= needed <= count:
            talk.say("bad_threshold", fewest=FEWEST_NEEDED, count=count)
    return needed


def _something(talk: _Talk, name: str) -> str:
    while not (typed := talk.ask("mix", name=name)):
        talk.say("nothing_typed")
    talk.clear()
    return typed


def _hand_out_shares(
    talk: _Talk, city: City, transcript: Transcript, root: bytes, folder: Path, now: Callable[[], datetime]
) -> None:
    names = transcript.custodians
    shares = split(root, transcript.threshold, len(names))
    transcript.share_set = share_set(shares[0])
    typed = Shares(transcript.share_set)
    check = check_value(MemoryStore({_KNOWN: derive(root, city.number, *_KNOWN)}), _KNOWN)
    for number, (name, share) in enumerate(zip(names, shares, strict=True), 1):
        path = folder / f"share-{number}.pdf"
        sheet = Sheet(
            city.name,
            name,
            number,
            len(names),
            transcript.threshold,
            transcript.share_set,
            share.split(),
            now().astimezone(TIMEZONE).date(),
            transcript.rehearsal,
            check,
        )
        write_secret(path, share_sheet(sheet))
        talk.say("print", name=name, path=path)
        talk.ask("printed", name=name)
        _read_one(talk, typed, "read_back", number, name=name)
        _erase(path)
        transcript.add(now(), talk.step("share", number=number, name=name))
    count = typed.check_all()
    if typed.root() != root:
        raise ShareError("different")
    talk.say("combinations", count=count, needed=transcript.threshold)
    transcript.add(now(), talk.step("combinations", count=count, needed=transcript.threshold))


def _read_one(talk: _Talk, shares: Shares, sentence: str, wanted: int | None = None, **about: object) -> None:
    """One share, typed until it is right; then it goes from the screen."""
    talk.say(sentence, **about)
    while True:
        try:
            words = talk.ask("words")
            # A share may be typed on several lines; an empty line ends it.
            while words and (more := talk.ask("more_words")):
                words += " " + more
        finally:
            talk.clear()
        try:
            if wanted is not None and (number := Shares(shares.expected_set).add(words)) != wanted:
                talk.say("other_share", number=number, wanted=wanted, **about)
                continue
            talk.say("share_good", number=shares.add(words))
            return
        except ShareError as error:
            talk.say("share_wrong", why=error.words(talk.language))
            if error.reason in _TYPOS:
                talk.say("type_again")


def _show_the_end(talk: _Talk, console: Console, made: Transcript) -> None:
    """The check values, and what everybody takes home; whoever leaves here, or hangs up, leaves a whole ceremony."""
    with suppress(KeyboardInterrupt, OSError):
        talk.say("checks")
        for key in made.keys:
            console.say(f"  {key.purpose.replace('_', ' '):<18}{key.version:>5}   {key.value}")
        with suppress(_Stopped, EOFError, KeyboardInterrupt):
            talk.ask("written_down")
        ending = "goodbye_rehearsal" if made.rehearsal else "goodbye"
        talk.say(ending, needed=made.threshold, count=len(made.custodians), set=made.share_set)


@contextmanager
def _hanging_up_is_leaving() -> Iterator[None]:
    """A line that breaks, and a machine that goes down, are as Ctrl-C: left alone they would leave a sheet behind."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _nothing_left(talk: _Talk, sheets: Path) -> Iterator[None]:
    """The folder for the sheets is ours alone, and gone when the ceremony is over, however it ends."""
    if sheets.exists() and any(sheets.iterdir()):
        raise KeyStoreError(f"{sheets} is not empty. The sheets need a folder of their own.")
    there = sheets.exists()
    sheets.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield
    except (_Stopped, EOFError, KeyboardInterrupt):
        _stopped(talk)
    finally:
        for path in sheets.iterdir():
            _erase(path)
        if not there:
            sheets.rmdir()


def _stopped(talk: _Talk) -> NoReturn:
    raise KeyStoreError(talk.step("stopped")) from None


def _erase(path: Path) -> None:
    """Overwritten first, for what that is worth on the disk at hand; a memory disk is better."""
    # In place: a file that is opened to be written anew gets other blocks, and the old ones keep the words.
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
