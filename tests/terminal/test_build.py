"""What goes into the firmware, and what is left out for its small heap."""

import ast
from pathlib import Path

from terminal.build import ROOT, build_firmware, small_sources, sources
from terminal.smaller import with_numbers_in_place, with_short_names


def small(name):
    (found,) = (text for source, text in small_sources().items() if str(source).endswith(name))
    return found


def defined(text):
    return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_what_only_the_desk_the_vault_or_the_backend_does_is_left_out():
    assert {"open_batch", "Batch", "Entry", "entry_bytes"} & defined(small("card/batch.py")) == set()
    assert {"wrap", "wrapping_input"} & defined(small("card/lease.py")) == set()
    assert {"build_batch", "chain_mac"} <= defined(small("card/batch.py"))
    assert {"WrappingKey", "unwrap"} <= defined(small("card/lease.py"))
    assert "of_this_machine" in defined(small("boards/__init__.py"))


def test_what_cpython_imports_instead_is_left_out():
    assert "cryptolib" in small("card/aes.py")
    assert "cryptography.hazmat" not in small("card/aes.py")


def test_private_numbers_are_compiled_in_and_others_stay():
    assert "_MOST_FRAMES = const(32)" in small("card/session.py")
    assert "\n_GO_ON = b" in small("card/session.py")
    assert "\nTAP_KEY = 3" in small("card/layout.py")


def test_what_is_compiled_for_a_processor_is_left_to_the_board(tmp_path):
    """The same files go to every board; a file that was compiled for one of them would stop the others."""
    made = {str(path.relative_to(tmp_path)) for path in build_firmware(tmp_path)}
    assert {"card/aes.py", "card/bytewise.py", "card/cmac.mpy"} <= made
    assert "@micropython.viper" in (tmp_path / "card/bytewise.py").read_text()


def test_a_port_without_a_code_generator_gets_byte_code_of_everything(tmp_path):
    assert {path.suffix for path in build_firmware(tmp_path, native=False)} == {".mpy"}


def test_every_line_keeps_its_number():
    for source, text in small_sources().items():
        before = source.read_text().split("\n")
        for line, kept in zip(before, text.split("\n"), strict=True):
            assert kept in (line, "") or "const(" in kept or kept.strip() == "pass"


def imported(text):
    """Every module of ours that a text imports; `from a import b` is both `a` and `a.b`."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.startswith(("card", "terminal"))}


def test_what_the_firmware_imports_is_in_it():
    """Also what only a board imports."""
    files = {source.relative_to(ROOT).with_suffix("") for source in sources()}
    modules = {".".join(path.parts[:-1] if path.name == "__init__" else path.parts) for path in files}
    wanted = set().union(*(imported(text) for text in small_sources().values()))
    there = {name for name in wanted if (ROOT / name.replace(".", "/")).exists() or importable(name)}
    assert there - modules == set()
    assert {"terminal.firmware.drivers.keypad", "terminal.firmware.boards.pico_w"} <= modules


def importable(name):
    return (ROOT / name.replace(".", "/")).with_suffix(".py").exists()


def test_every_module_of_the_firmware_is_there():
    names = {source.name for source in sources()}
    assert {"till.py", "journal.py", "lease.py", "sealing.py", "unix.py"} <= names
    assert {"administration.py", "blueprint.py", "tmac.py"} & names == set()


def shortened(**texts):
    return {
        path.name: text for path, text in with_short_names({Path(name): text for name, text in texts.items()}).items()
    }


def test_private_names_become_short_and_nothing_else_changes():
    text = "_MOST = const(3)\nclass Till:\n    __slots__ = ()\n    def _move(self, all): return self._move(_MOST)\n"
    short = "_a = const(3)\nclass Till:\n    __slots__ = ()\n    def _b(self, all): return self._b(_a)\n"
    assert shortened(till=text)["till"] == short


def test_what_inherits_shares_its_private_names_and_what_does_not_has_its_own():
    base = "class Chip:\n    def _send(self): pass\n    def _wait(self): pass\n"
    heir = "class OnABus(Chip):\n    def _turn(self): self._wait()\n"
    short = shortened(heir=heir, base=base, other="def _away(): pass\n")
    assert short["heir"] == "class OnABus(Chip):\n    def _a(self): self._b()\n"
    assert short["base"] == "class Chip:\n    def _c(self): pass\n    def _b(self): pass\n"
    assert short["other"] == "def _a(): pass\n"


def placed(**texts):
    found = with_numbers_in_place({Path(f"/{name}.py"): text for name, text in texts.items()}, Path("/"))
    return {path.stem: text for path, text in found.items()}


def test_a_number_stands_where_its_name_stood_in_every_module():
    short = placed(
        results='YES = "00"\nNO = "20"\nTEXT = """a long text stays"""\n\n\ndef is_yes(code): return code == YES\n',
        till="from results import (\n    NO,\n    YES,\n    is_yes,\n)\nimport results\ncodes = {YES: NO}  # both\n",
        link="from results import YES\nfrom pack import kinds\nanswer = kinds.HELLO + YES\nkinds.other(kinds.MORE)\n",
        **{"pack/kinds": 'HELLO = b"H"\nMORE = 3\n'},
    )
    assert short["results"] == '\n\nTEXT = """a long text stays"""\n\n\ndef is_yes(code): return code == \'00\'\n'
    assert short["till"] == "from results import is_yes\n\n\n\n\nimport results\ncodes = {'00': '20'}  # both\n"
    assert short["link"] == "pass\nfrom pack import kinds\nanswer = b'H' + '00'\nkinds.other(3)\n"
    assert short["kinds"] == "\n\n"


def test_a_name_that_is_something_else_here_stays():
    short = placed(results="MOST = 3\n", other="MOST = [3]\nprint(MOST, self.MOST)\n")
    assert short["other"] == "MOST = [3]\nprint(MOST, self.MOST)\n"


def test_every_module_still_compiles_with_short_names():
    for source, text in with_short_names(with_numbers_in_place(small_sources(), ROOT)).items():
        compile(text, str(source), "exec")
