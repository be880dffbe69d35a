"""The rules of the house, executed: who imports whom, what is banned where, and that nothing lies around unused."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("card", "keys", "web", "issuer", "terminal", "backend", "hardware", "meedoen")
DIALECT = ("card", "terminal/firmware")
MONEY = ("web", "backend", "issuer", "keys", "terminal", "card", "meedoen")
SERVERS = ("backend", "keys", "issuer", "web")
# What is started by name, not imported.
ENTRY_POINTS = {
    "meedoen.__main__",
    "meedoen.cli",
    "terminal.firmware.boot",
    "terminal.firmware.unix",
    "terminal.frozen.manifest",
    "terminal.frozen.rp2",
    "terminal.frozen.esp32",
    "terminal.frozen.rp2_modules._boot",
}
BACKEND_MAY_READ = {"record", "batch", "siv", "cmac", "errors", "signing", "wire"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text(), str(path)))


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def imported(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Every module that a file names in an import, with `from a import b` as both `a` and `a.b`."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
        elif called(node) == "briefly" and isinstance(node, ast.Call):
            # What a terminal loads by name for one question of the host.
            yield node, f"terminal.firmware.{ast.literal_eval(node.args[0])}"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_arrows_between_the_parts_hold():
    answer = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout


def test_the_backend_reads_records_and_nothing_else_of_a_pass():
    wrong = [
        where(path, node)
        for path in sources("backend")
        for node, name in imported(path)
        if name.startswith("card.") and name.split(".")[1] not in BACKEND_MAY_READ
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", DIALECT)
def test_the_shared_dialect_stays_in_what_both_pythons_know(folder):
    wrong = []
    for path in sources(folder):
        for node, name in imported(path):
            if name.split(".")[0] in ("typing", "enum", "dataclasses", "collections", "datetime"):
                wrong.append(where(path, node))
            # What does not fit is cut off by MicroPython's `struct.pack` without a word; reading knows no such harm.
            if name.split(".")[0] == "struct" and (isinstance(node, ast.Import) or "pack" in name.split(".")):
                wrong.append(where(path, node))
        for node in nodes(path):
            starred = isinstance(node, ast.Tuple | ast.List) and isinstance(getattr(node, "ctx", None), ast.Load)
            if (
                isinstance(node, ast.Match)
                or (isinstance(node, ast.Raise) and node.cause)
                or (starred and any(isinstance(part, ast.Starred) for part in node.elts))
                or (isinstance(node, ast.Slice) and node.step)
            ):
                wrong.append(where(path, node))
    assert wrong == []


@pytest.mark.parametrize(
    ("folders", "banned", "why"),
    [
        (MONEY, "float", "money is whole cents"),
        (DIALECT, "to_bytes", "MicroPython wraps silently; card.wire.uint checks"),
        (SERVERS, "print", "servers log, commands echo"),
        (PARTS, "datetime.utcnow", "a time without a zone"),
        (PARTS, "datetime.utcfromtimestamp", "a time without a zone"),
    ],
)
def test_banned_calls(folders, banned, why):
    may = {"card/wire.py", "card/bytewise.py"} if banned == "to_bytes" else set()
    wrong = []
    for path in sources(*folders):
        if str(path.relative_to(ROOT)) in may:
            continue
        for node in nodes(path):
            name = called(node)
            # `.to_bytes()` of one of our records takes no argument, that of a number does.
            hit = name == banned or (banned == "to_bytes" and name.endswith(".to_bytes") and node.args)
            if hit:
                wrong.append(where(path, node))
    assert wrong == [], why


def test_times_carry_their_zone():
    wrong = [
        where(path, node)
        for path in sources(*PARTS)
        for node in nodes(path)
        if called(node).endswith("datetime.now") and not (node.args or node.keywords)
    ]
    assert wrong == []


def test_no_bare_except():
    wrong = [
        where(path, node)
        for path in sources(*PARTS)
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert wrong == []


def test_macs_and_tokens_are_compared_in_constant_time():
    wrong = []
    for path in sources(*PARTS):
        if "emulated_pass" in path.parts:
            continue
        for node in nodes(path):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                text = ast.unparse(node)
                if re.search(r"\b(token|tmv|secret)\b", text):
                    wrong.append(f"{where(path, node)}: {text}")
    assert wrong == []


def test_every_module_is_used():
    used = {name for path in sources(*PARTS, "tests") for _, name in imported(path)}
    modules = {module_name(path) for path in sources(*PARTS) if path.name != "__init__.py"}
    # Alembic finds its migrations, and what it runs them in, by their folder.
    by_folder = {name for name in modules if ".migrations." in name or name == "web.steps.env"}
    assert modules - used - ENTRY_POINTS - by_folder == set()


@pytest.mark.parametrize("folder", [*PARTS, "terminal/firmware", "schemes", "tests", "docs"])
def test_every_folder_says_what_it_is_for(folder):
    assert (ROOT / folder / "README.md").is_file()


def test_every_page_can_be_reached_from_the_front_page():
    pages = {path.resolve() for path in ROOT.rglob("*.md") if not {".venv", "var", ".uv"} & set(path.parts)}
    pages = {page for page in pages if ".pytest_cache" not in page.parts}
    reached: set[Path] = set()
    queue = [ROOT / "README.md"]
    while queue:
        page = queue.pop().resolve()
        if page in reached:
            continue
        reached.add(page)
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" in target:
                continue
            linked = (page.parent / target).resolve()
            assert linked.exists(), f"{page.relative_to(ROOT)} links to {target}, which is not there"
            if linked.suffix == ".md":
                queue.append(linked)
            elif linked.is_dir() and (linked / "README.md").exists():
                queue.append(linked / "README.md")
    assert pages - reached == set()
