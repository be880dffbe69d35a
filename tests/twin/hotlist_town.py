"""A town with a hotlist, on flash and as questions about its passes."""

import random
from dataclasses import dataclass, replace
from pathlib import Path

from card.wire import uint
from issuer.hotlist import base_of, changes_to, refuse_mistakes
from issuer.registry.passes import IssuedPass
from tests.city import DAY, list_keys

LOOK_UPS = 10_000
_MOVED = 50


@dataclass(frozen=True)
class Town:
    """`flash` has its hotlist; `queries` has LOOK_UPS questions, `answers` is what is true: "1" or "0" for each."""

    flash: Path
    queries: Path
    answers: str
    base: bytes
    changes: bytes


def town(folder: Path, count: int, blocked: int) -> Town:
    """So many passes of which so many are blocked; since the base some were blocked or opened, and some are younger."""
    rnd, key = random.Random(count), list_keys().key
    before = [IssuedPass(rnd.randbytes(16), DAY - 300, number < blocked, number >= blocked) for number in range(count)]
    base = base_of(
        key, 7, DAY, [each.handle for each in before if each.blocked], [each.handle for each in before if each.free]
    )
    moved = set(rnd.sample(range(count), min(_MOVED, count)))
    now = [
        replace(each, blocked=each.free, free=each.blocked) if number in moved else each
        for number, each in enumerate(before)
    ]
    now += [IssuedPass(rnd.randbytes(16), DAY, number < _MOVED // 2, number >= _MOVED // 2) for number in range(_MOVED)]
    changes = changes_to(base, key, 8, now)
    refuse_mistakes(base, changes, key, now)
    flash, queries = folder / "flash", folder / "queries"
    flash.mkdir()
    (flash / "hotlist").write_bytes(base + changes)
    asked = [*now[-2 * _MOVED :], *(now[number] for number in moved), *rnd.choices(now, k=LOOK_UPS)][:LOOK_UPS]
    queries.write_bytes(b"".join(each.handle + uint(each.day, 2) for each in asked))
    return Town(flash, queries, "".join(str(int(each.blocked)) for each in asked), base, changes)
