"""What clearing might come to keep one day by mistake, done to a copy of its database: the adversary must find each."""

import hashlib
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tests.simulation.adversary.columns import TapName
from tests.simulation.adversary.stores import Stored

_PASS = "pass_of(terminal, sequence)"
# A number from 1 to 16 that is that of the pass.
_OF_16 = f"instr('0123456789ABCDEF', substr(hex(keyed(1, {_PASS})), 1, 1))"
# Statements; `pass_of` gives the number of the chip, `keyed` so many bytes that nobody can compute who has no key.
LEAKS: Mapping[str, tuple[str, ...]] = {
    "a column has a keyed hash of the chip": (
        "ALTER TABLE entry ADD COLUMN mark BLOB",
        f"UPDATE entry SET mark = keyed(16, {_PASS})",
    ),
    "a column has one byte of a keyed hash, among others": (
        "ALTER TABLE entry ADD COLUMN mark BLOB",
        f"UPDATE entry SET mark = hex(randomblob(5)) || hex(keyed(1, {_PASS})) || hex(randomblob(5))",
    ),
    "the size of a cell": (
        "ALTER TABLE entry ADD COLUMN note BLOB",
        f"UPDATE entry SET note = randomblob(8 + {_OF_16})",
    ),
    "the gap between two numbers": (
        f"""CREATE TABLE numbered AS
        SELECT terminal, sequence, sum({_OF_16}) OVER (PARTITION BY terminal ORDER BY sequence) AS number FROM entry
        WHERE {_PASS} IS NOT NULL""",
    ),
    "rows stand in the order of passes": (f"CREATE TABLE exported AS SELECT * FROM entry ORDER BY {_PASS}",),
    "the mark of one tap comes back in another column of the next": (
        f"""CREATE TABLE chained AS
        SELECT terminal, sequence, keyed(16, {_PASS}, turn) AS mark, keyed(16, {_PASS}, turn - 1) AS before
        FROM (SELECT *, row_number() OVER (PARTITION BY {_PASS} ORDER BY rowid) AS turn FROM entry)""",
    ),
}


def leaking(database: Path, folder: Path, leak: str, passes: Mapping[TapName, bytes]) -> Stored:
    """A copy of clearing's database with that leak in it."""
    copy = Path(shutil.copytree(database.parent, folder / "backend")) / database.name
    with closing(sqlite3.connect(copy, isolation_level=None)) as made:
        made.create_function("pass_of", 2, lambda *name: passes.get(TapName(*name)))
        made.create_function("keyed", -1, _keyed)
        for (trigger,) in made.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            made.execute(f'DROP TRIGGER "{trigger}"')
        for statement in LEAKS[leak]:
            made.execute(statement)
    return Stored({}, [copy])


def _keyed(length: int, chip: bytes | None, turn: int = 0) -> bytes | None:
    if chip is None:
        return None
    return hashlib.blake2b(chip + turn.to_bytes(4, "big"), key=b"nobody has it", digest_size=length).digest()
