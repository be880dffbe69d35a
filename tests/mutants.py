"""Mutation testing: whether the tests of a part notice a mistake made on purpose in its code. `make mutants`.

mutmut makes the mistakes, for each part in a folder of its own under `var/mutants`, and goes on there where it stopped.
Printed is how many there are in each module and how many were noticed, and every one that was not.
"""

import ast
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var/mutants"
# What tests read besides code.
_READ = ("docs", "schemes", "meedoen")
# MicroPython cannot run code with mutmut in it; a database changes nothing for what is tried here; and what cuts the
# power everywhere takes longer than all else together.
_LEFT_OUT = "micropython or postgresql or power_may_go or random_cuts"
# What a refusal says is for people, and is not held word for word.
_SENTENCE = r'raise \w+\(f?"[^"]*"( % .*)?\)$'
_NOT_CODE = shutil.ignore_patterns("__pycache__")
_NOTICED = ("killed", "timeout")


class Part(NamedTuple):
    """Modules of one package, and the quick tests that belong to them."""

    package: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    # All but hotlist.py, which is tested with the desk that makes the list.
    "card": Part("card", ("card/[!h]*.py",), ("tests/card", "tests/twin/test_twin.py")),
    "hotlist": Part(
        "card",
        ("card/hotlist.py",),
        ("tests/card/test_formats.py", "tests/issuer/test_hotlist.py", "tests/terminal/test_hotlist.py"),
    ),
    "journal": Part("terminal", ("terminal/firmware/journal.py",), ("tests/terminal/test_journal.py",)),
    # Who gets what: a scheme as the file says it, and what follows from it for one person.
    "rules": Part(
        "issuer",
        ("issuer/rules.py", "issuer/case.py", "issuer/toml_table.py", "issuer/scheme/*.py"),
        tuple(f"tests/issuer/test_{name}.py" for name in ("rules", "scheme", "schemes", "toml_table")),
    ),
    # What proves a transaction, in the vault.
    "proof": Part(
        "keys",
        ("keys/proving.py", "keys/siv.py", "keys/auditing.py", "keys/balance.py", "keys/shares.py"),
        (
            "tests/keys/test_proving.py",
            "tests/keys/test_auditing.py",
            "tests/keys/test_balance.py",
            "tests/keys/test_vault.py",
            "tests/keys/test_shares.py",
        ),
    ),
    # The rules of the ledger: what is booked of a proven record.
    "ledger": Part(
        "backend",
        ("backend/ledger.py", "backend/offers.py", "backend/funding.py", "backend/postings.py"),
        (
            "tests/backend/test_ledger.py",
            "tests/backend/test_offers.py",
            "tests/backend/test_funding.py",
            "tests/backend/test_ingest.py",
            "tests/backend/test_venues.py",
            # What asks for the numbers of postings; and what books a record again, as on its day.
            "tests/backend/test_year_end.py::test_a_late_tap_takes_back_what_lapsed_and_nothing_outstanding_changes",
            "tests/backend/test_verify.py::test_loads_in_order_of_funds_are_computed_as_on_the_day_of_each",
            "tests/backend/test_verify.py::test_a_tap_under_terms_that_changed_the_same_day_is_computed_by_its_own",
        ),
    ),
}


def settings(part: Part) -> str:
    """mutmut's own configuration for a part."""
    fields = {
        "source_paths": [part.package],
        "only_mutate": part.modules,
        "do_not_mutate_patterns": [_SENTENCE],
        "also_copy": _READ,
        "pytest_add_cli_args_test_selection": part.tests,
        "pytest_add_cli_args": ["-k", f"not ({_LEFT_OUT})", "--hypothesis-seed=1", "-p", "no:cacheprovider"],
        "on_dependency_change": "ignore",
    }
    return "\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())


def prepared(name: str) -> Path:
    """The folder of a part, with what mutmut copies from there."""
    part, folder = PARTS[name], FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    for linked in ("tests", *_READ):
        if not (folder / linked).exists():
            (folder / linked).symlink_to(ROOT / linked)
    shutil.copytree(ROOT / part.package, folder / part.package, ignore=_NOT_CODE, dirs_exist_ok=True)
    for module in chain.from_iterable(folder.glob(each) for each in part.modules):
        module.write_text(undecorated(module.read_text()))
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + settings(part))
    return folder


def undecorated(source: str) -> str:
    """A module whose properties are made behind their functions: mutmut changes nothing below a decorator."""
    lines = source.splitlines(keepends=True)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda each: each.lineno, reverse=True):
        if [ast.unparse(each) for each in node.decorator_list] == ["property"]:
            lines.insert(node.end_lineno, f"{' ' * node.col_offset}{node.name} = property({node.name})\n")
            del lines[node.decorator_list[0].lineno - 1]
    return "".join(lines)


def found(folder: Path) -> dict[str, str]:
    """What became of each mutant."""
    results = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    said = subprocess.run(results, cwd=folder, check=True, capture_output=True, text=True).stdout
    return dict(line.strip().split(": ") for line in said.splitlines() if ": " in line)


def tell(mutants: dict[str, str]) -> None:
    by_module = defaultdict(dict)
    for name, status in mutants.items():
        by_module[name.rpartition(".")[0]][name] = status
    for module, of_it in sorted(by_module.items()):
        left = {name: status for name, status in of_it.items() if status not in _NOTICED}
        print(f"{module}: {len(of_it) - len(left)} of {len(of_it)}")
        for name, status in left.items():
            print(f"    {name}: {status}")


def main(names: list[str]) -> None:
    for name in names or PARTS:
        folder = prepared(name)
        subprocess.run([sys.executable, "-m", "mutmut", "run", "--max-children", "1"], cwd=folder, check=True)
        tell(found(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
