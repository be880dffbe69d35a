"""A file that several processes may want to make at the same moment."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def made_once(path: Path, fill: Callable[[Path], object]) -> None:
    """Make the file if it is not there, readable to its owner only: whole before it is there, and the first one made is
    everybody's."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    opened, draft = tempfile.mkstemp(dir=path.parent)
    os.close(opened)
    try:
        fill(Path(draft))
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
