"""The hotlist of a city with 100 000 passes of which 10 000 are blocked: its bytes against the least that is possible.

The bound is log2 of the number of ways to choose the blocked ones; `bytes` is all that the desk publishes when nothing
changed since: base, empty changes, certificate and signature.
"""

import math
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

from issuer.hotlist import base_of
from tests.city import DAY, MICROPYTHON, ROOT, list_keys
from tests.twin.hotlist_town import LOOK_UPS, Town, town

ISSUED, BLOCKED = 100_000, 10_000
_BUILDS = 5
_COUNTED = 500


def hotlist() -> dict[str, object]:
    """Size, seconds to build, and what a look-up takes on MicroPython."""
    with tempfile.TemporaryDirectory() as folder:
        made = town(Path(folder), ISSUED, BLOCKED)
        keys = list_keys()
        published = len(keys.signed(made.base + made.changes)) - len(made.changes) + 32
        bound = (math.lgamma(ISSUED + 1) - math.lgamma(BLOCKED + 1) - math.lgamma(ISSUED - BLOCKED + 1)) / math.log(256)
        seconds = sorted(_seconds(keys.key) for _ in range(_BUILDS))
        return {
            "bytes": published,
            "bound_bytes": math.ceil(bound),
            "ratio_to_bound": round(published / bound, 3),
            "base_bytes": len(made.base),
            "build_seconds": {
                "median": round(median(seconds), 2),
                "from": round(seconds[0], 2),
                "to": round(seconds[-1], 2),
                "runs": _BUILDS,
            },
            "look_up_heap_bytes": {
                "value": _heap(made),
                "how": f"gc.mem_alloc over {LOOK_UPS} look-ups after the first, collector off, unix port 64 bit",
            },
            "look_up_instructions": _instructions(made),
        }


def _seconds(key: bytes) -> float:
    rnd = random.Random(1)
    handles = [rnd.randbytes(16) for _ in range(ISSUED)]
    began = time.perf_counter()
    base_of(key, 1, DAY, handles[:BLOCKED], handles[BLOCKED:])
    return time.perf_counter() - began


def _look_ups(made: Town, count: int, *before: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "tests/twin/hotlist_look_ups.py"
    about = [str(made.flash), list_keys().key.hex(), str(made.queries), str(count)]
    command = [*before, MICROPYTHON, "-X", "heapsize=128k", str(script), *about]
    environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert answer.stdout.split("\n")[1] == made.answers[:count]
    return answer


def _heap(made: Town) -> int:
    return int(_look_ups(made, LOOK_UPS).stdout.split()[1])


def _instructions(made: Town) -> int | None:
    """For one look-up of the mix that is asked, or None where there is no valgrind."""
    if shutil.which("valgrind") is None:
        return None
    callgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    counts = []
    for count in (_COUNTED, 2 * _COUNTED):
        found = re.search(r"Collected : (\d+)", _look_ups(made, count, *callgrind).stderr)
        assert found
        counts.append(int(found[1]))
    return (counts[1] - counts[0]) // _COUNTED
