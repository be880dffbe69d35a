"""A reader of documents under atheris, which looks for documents that reach lines that none reached before.

python -m tests.fuzz.guided_documents FOLDER NAME [options of libFuzzer: -runs=N, -seed=N, a folder of cases, ...]
"""

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["backend", "card", "issuer", "keys", "terminal", "web"]):
    from tests.fuzz.documents import Documents

from tests.fuzz import engines
from tests.fuzz.draw import Draw
from tests.fuzz.spoil import spoilt

_CHOICES = 64
# One in so many is spoilt as libFuzzer spoils bytes.
_BY_LIBFUZZER = 4


def main(folder: str, name: str, *options: str) -> None:
    """Ends the process."""
    documents, kept = Documents(Path(folder)), list(engines.cases(name).values())

    def another(document: bytes, most_bytes: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if not chance.randrange(_BY_LIBFUZZER):
            return bytes(atheris.Mutate(document, most_bytes))
        return spoilt(Draw(chance.randbytes(_CHOICES)), document, chance.choice(kept))[:most_bytes]

    def target(document: bytes) -> None:
        documents.is_taken(name, document)

    atheris.Setup([sys.argv[0], *options], target, custom_mutator=another)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
