"""Who asked the vault for what, and how often: a line a call, chained by hashes, and nothing about any pass.

The six fields of BIO2 8.15.01: action, object, result, origin, actor, time stamp. Each line carries the SHA-256 of the
line before it, so a line that was changed, taken out or put in shows; an auditor who notes the last hash now and then
also sees lines that were cut off the end.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from keys.errors import KeyStoreError
from web.outside import from_json

FILE_NAME = "audit.log"
_START = "0" * 64
_MOST_LINE = 4096


@dataclass(frozen=True)
class Line:
    """`action` and `object`: what was asked for, of which kind; `count`: how many of them; `origin`: how it came in."""

    number: int
    at: str
    actor: str
    origin: str
    action: str
    object: str
    count: int
    result: str
    before: str

    @classmethod
    def read(cls, text: bytes) -> "Line":
        """Raises ValueError for what is no line of this log."""
        found = from_json(text)
        if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != _TYPES:
            raise ValueError("other fields than those of a line")
        return cls(**found)


_TYPES = {field.name: field.type for field in fields(Line)}


class AuditLog:
    """The log in a vault's folder. Several processes may write to it."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._path = folder / FILE_NAME
        self._now = now

    def add(self, actor: str, origin: str, action: str, kind: str, count: int, result: str) -> None:
        """Append a line; it is on the disk when this returns. Raises KeyStoreError for a log that cannot go on."""
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = _last_line(file)
            try:
                number = Line.read(last).number + 1 if last else 1
            except ValueError:
                raise KeyStoreError(
                    f"{self._path}: its last line is not a line of this log. Keep it for the auditor under another "
                    "name; the vault begins a new one."
                ) from None
            at = self._now().isoformat(timespec="seconds")
            line = Line(number, at, actor, origin, action, kind, count, result, _hash(last) if last else _START)
            file.write(_text(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def verify(self, noted: str | None = None) -> tuple[int, str]:
        """`(lines, hash of the last)`; raises KeyStoreError with the first line that does not follow, or when the hash
        that was noted earlier is not in it any more."""
        before, number = _START, 0
        seen = noted is None
        for number, line in enumerate(self._lines(), 1):
            try:
                held = Line.read(line)
            except ValueError:
                raise KeyStoreError(f"{self._path}: line {number} is not a line of this log.") from None
            if held.number != number or held.before != before:
                raise KeyStoreError(f"{self._path}: line {number} does not follow the one before.")
            before = _hash(line)
            seen = seen or before == noted
        if not seen:
            raise KeyStoreError(f"{self._path}: the line that was noted is gone. Lines were cut off, or changed.")
        return number, before

    def _lines(self) -> list[bytes]:
        return self._path.read_bytes().splitlines() if self._path.exists() else []


def _last_line(file: BinaryIO) -> bytes:
    """The last whole line. What a power cut left of another one goes: its call was never answered."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _MOST_LINE))
    tail = file.read()
    whole, _, torn = tail.rpartition(b"\n")
    if torn:
        file.truncate(end - len(torn))
    return whole.rpartition(b"\n")[2]


def _text(line: Line) -> bytes:
    return json.dumps(asdict(line), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
