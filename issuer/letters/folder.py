"""Letters that wait to be printed: names and addresses are in them, so only their owner may look, and not for long."""

from datetime import datetime, timedelta
from pathlib import Path

LETTERS = "letters"
_KEPT = timedelta(days=7)


def make(folder: Path) -> None:
    """The folder, empty, for its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for old in folder.glob("letters-*"):
        old.unlink()


def forget_letters(folder: Path, now: datetime) -> int:
    """Delete letters that nobody printed for a week; they can be made again. How many files there were."""
    old = [path for path in folder.glob("letters-*") if now.timestamp() - path.stat().st_mtime > _KEPT.total_seconds()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
