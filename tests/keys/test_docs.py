"""The pages about keys say what the code does: the table of purposes, the vectors, and every test that they name."""

import re
from datetime import date
from pathlib import Path

import pytest

from card.lease import wrapping_input
from card.sealing import first_state_input
from keys.custody import check_value
from keys.hierarchy import PURPOSES, derive
from keys.register import KeyVersion, Register
from keys.store import MemoryStore
from keys.vault import Vault

DOCS = Path(__file__).parents[2] / "docs"
ROOT, SEED = bytes(range(32)), bytes(range(32, 64))
UID = bytes.fromhex("04112233445566")


def table(name):
    """The rows of a table between its marks, a tuple of cells each."""
    text = (DOCS / "keys.md").read_text()
    part = re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", text, re.DOTALL)[1]
    return [tuple(cell.strip().strip("`") for cell in row.strip("|").split("|")) for row in part.splitlines()[2:]]


def vault():
    register, keys = Register(1, "F0E0D1"), {}
    for purpose in PURPOSES.values():
        version = 2026 if purpose.yearly else 1
        keys[purpose.name, version] = derive(ROOT, 1, purpose.name, version, SEED if purpose.yearly else b"")
        register.keys[purpose.name] = {str(version): KeyVersion("")}
    return Vault(MemoryStore(keys), register, lambda: date(2026, 11, 21))


def purposes():
    return [(each.name, each.kind + (", yearly" if each.yearly else ""), each.use) for each in PURPOSES.values()]


def vectors():
    store = vault().store
    names = [(each.name, 2026 if each.yearly else 1) for each in PURPOSES.values()]
    return [
        (purpose, str(year), store._keys[purpose, year].hex(), check_value(store, (purpose, year)))
        for purpose, year in names
    ]


def derived():
    made = vault()
    store, keys = made.store, made.card_keys(UID, 1)
    about = UID + b"\x01" + (1).to_bytes(4, "little")
    state, wrapping = first_state_input(101, 2026), wrapping_input(101, bytes(range(8)))
    return [
        ("handle", keys.handle.hex()),
        *((f"{purpose.replace('_', ' ')} key of the pass", key.key.hex()) for purpose, key in keys.current.items()),
        ("tap master", made.handed_out("tap", 1).hex()),
        ("link root", made.handed_out("link", 1).hex()),
        ("signing key of the desk", made.desk_keys()["signing_key"]),
        ("signing key of clearing", made.backend_keys()["signing_key"]),
        ("hotlist key", made.handed_out("hotlist", 1, 32).hex()),
        ("table key", made.table_key().hex()),
        ("nullifier of transaction 1 in 2026", store.cmacs(("nullifier", 2026), about, len(about)).hex()),
        ("sealing state of 1 January 2026", store.cmacs(("sealing", 2026), state, len(state)).hex()),
        ("first wrapping key", store.cmacs(("lease", 1), wrapping, len(wrapping)).hex()),
    ]


@pytest.mark.parametrize(("name", "rows"), [("purposes", purposes), ("vectors", vectors), ("derived", derived)])
def test_what_is_published_is_what_the_code_makes(name, rows):
    assert table(name) == rows()


def test_no_two_purposes_share_a_label_or_a_key():
    keys = [row[2] for row in table("vectors")]
    assert len(set(keys)) == len(keys) == len(PURPOSES)
    values = [value for _, value in derived()]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("page", ["threats.md", "privacy.md"])
def test_every_test_that_a_page_names_is_there(page):
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (DOCS / page).read_text())
    assert len(named) > 15
    for path, name in named:
        assert f"def {name}(" in (DOCS.parent / path).read_text(), f"{path} has no {name}"
