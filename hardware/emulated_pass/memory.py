"""The memory of a pass: everything that survives when it leaves the field, on disk or in RAM only.

How a change becomes whole: the new contents are written beside the old and then renamed over them. Two physical
writes, of which the second is atomic; a cut before, within or between them leaves the old contents, so what is read
back is the state before a command or the state after it. Renaming was chosen over two slots in one file because it
also holds when the computer itself dies between the writes, and because the file stays one readable piece of JSON.
It costs some 0.2 ms; `fsync=True` adds the disk's own time and survives a power failure of the computer as well.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from hardware.emulated_pass.model import CAPACITIES, GENERATIONS, Key, Picc
from hardware.emulated_pass.stored import from_json, to_json

FACTORY_KIND = "2TDEA"


class PassTorn(Exception):
    """The pass left the field, or was not in it. Whether the last command ran is not known to the reader."""


class PowerCut(PassTorn):
    """The power failed during a physical write to the memory of the pass."""


class Medium(Protocol):
    """Where the bytes lie. `prepare` writes beside the old contents, `switch` makes that the contents at once."""

    def read(self) -> bytes: ...
    def prepare(self, contents: bytes) -> None: ...
    def switch(self) -> None: ...


class RamMedium:
    def __init__(self) -> None:
        self._current = b""
        self._prepared = b""

    def read(self) -> bytes:
        return self._current

    def prepare(self, contents: bytes) -> None:
        self._prepared = contents

    def switch(self) -> None:
        self._current = self._prepared


class FileMedium:
    def __init__(self, path: Path, fsync: bool) -> None:
        self.path = path
        self._beside = path.with_name(path.name + ".new")
        self._fsync = fsync

    def read(self) -> bytes:
        return self.path.read_bytes()

    def prepare(self, contents: bytes) -> None:
        # Mode 600: the file holds the keys of the pass.
        handle = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            if os.write(handle, contents) != len(contents):
                raise OSError("the disk took only a part of the memory of the pass")
            if self._fsync:
                os.fsync(handle)
        finally:
            os.close(handle)

    def switch(self) -> None:
        os.replace(self._beside, self.path)
        if self._fsync:
            directory = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


class Memory:
    """`picc` is what the pass knows. Change it inside `writing()` only: whole or not at all."""

    def __init__(self, medium: Medium, picc: Picc) -> None:
        self._medium = medium
        self._writes_left: int | None = None
        self._written = to_json(picc)
        self.picc = picc

    @classmethod
    def factory(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        uid: bytes,
        generation: str = "EV2",
        capacity: int = 8192,
        fsync: bool = False,
    ) -> "Memory":
        """A new pass as NXP delivers it: empty, PICC master key two-key triple DES of zeros. `capacity` in bytes.

        `path` None keeps it in RAM. An existing file is refused (FileExistsError): it may be someone's pass.
        """
        if len(uid) != 7:
            raise ValueError("a real UID has 7 bytes")
        if generation not in GENERATIONS:
            raise ValueError(f"generation is one of {', '.join(GENERATIONS)}")
        if capacity not in CAPACITIES:
            raise ValueError(f"a chip has {', '.join(map(str, CAPACITIES))} bytes")
        if path is not None and Path(path).exists():
            raise FileExistsError(path)
        medium: Medium = RamMedium() if path is None else FileMedium(Path(path), fsync)
        memory = cls(medium, Picc(uid, generation, Key.zero(FACTORY_KIND), capacity=capacity))
        medium.prepare(memory._written)
        medium.switch()
        return memory

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, fsync: bool = False) -> "Memory":
        """The pass that lies at `path`. ValueError if that is not the memory of a pass."""
        medium = FileMedium(Path(path), fsync)
        return cls(medium, from_json(medium.read()))

    def power_cut_after(self, writes: int) -> None:
        """The `writes`-th physical write from now (1 = the next) is cut: half done, then PowerCut. Once."""
        if writes < 1:
            raise ValueError("counted from 1")
        self._writes_left = writes

    @contextmanager
    def writing(self) -> Iterator[Picc]:
        """Change the memory in one piece. Any error within puts the contents back as they were."""
        try:
            yield self.picc
            contents = to_json(self.picc)
            if contents != self._written:
                self._write(contents)
        except BaseException:
            self.picc = from_json(self._written)
            raise

    def _write(self, contents: bytes) -> None:
        if self._power_fails():
            self._medium.prepare(contents[: len(contents) // 2])
            raise PowerCut
        self._medium.prepare(contents)
        if self._power_fails():
            raise PowerCut
        self._medium.switch()
        self._written = contents

    def _power_fails(self) -> bool:
        if self._writes_left is None:
            return False
        self._writes_left -= 1
        if self._writes_left:
            return False
        self._writes_left = None
        return True

    def reload(self) -> None:
        """What the pass does when power returns: forget what it thought and read what is written."""
        self._written = self._medium.read()
        self.picc = from_json(self._written)
