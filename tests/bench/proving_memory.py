"""The most memory that a process of its own had in use after one batch, and after a hundred: `few all`, in KiB."""

import resource
import sys

from keys.proving import Prover
from tests.city import VAULT
from tests.records import many

BATCHES = 100


def peak_after(prover: Prover, batch: bytes, times: int) -> int:
    for _ in range(times):
        prover.prove(batch)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    records = many(VAULT, int(sys.argv[1]), passes=500)
    its_prover = Prover(VAULT)
    print(peak_after(its_prover, records, 1), peak_after(its_prover, records, BATCHES - 1))
