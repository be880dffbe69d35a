"""Every sentence that a package says on a screen, and what its catalogues hold: for the tests of each app's words."""

import ast
import string
from collections.abc import Mapping
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import web

OF_ALL_APPS = Path(web.__file__).parent
_KEYWORDS = {"_": None, "mark": None, "gettext": None, "ngettext": (1, 2)}
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_WRITERS = {"audit": (1, 3), "write_line": (1, 3)}
_OPTIONS = {"templates/**.html": {"trimmed": "true"}}


def sentences(folder: Path) -> set[str]:
    """What stands in the pages, in Dutch."""
    found = extract_from_dir(folder, _METHODS, _OPTIONS, _KEYWORDS)
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


def catalogue(folder: Path, language: str) -> dict[str, Message]:
    with (folder / f"translations/{language}/LC_MESSAGES/messages.po").open("rb") as file:
        return {entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in read_po(file) if entry.id}


def _modules(folder: Path) -> list[ast.Module]:
    return [ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))]


def _last_name(node: ast.AST) -> str:
    return ast.unparse(node).rpartition(".")[2]


def refusals(folder: Path, roots: set[str], but: set[str] = frozenset()) -> set[str]:
    """The texts of every refusal of a kind in `roots`, or of one that comes from it, but for those in `but`."""
    kinds, found, modules = set(roots), set(), _modules(folder)
    classes = [node for tree in modules for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in classes:
        kinds |= {each.name for each in classes if kinds & {_last_name(base) for base in each.bases}}
    kinds -= but
    # A class with one text of its own says it to `super().__init__`, and is raised with other things.
    own = [each for each in classes if each.name in kinds - roots and "__init__" in ast.unparse(each)]
    kinds -= {each.name for each in own}
    found |= {
        call.args[0].value
        for each in own
        for call in ast.walk(each)
        if _last_name(getattr(call, "func", each)) == "__init__"
    }
    for tree in modules:
        assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
        constants = {ast.unparse(node.targets[0]): node.value.value for node in assigned}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _last_name(node.func) in kinds and node.args:
                text = node.args[0]
                found.add(text.value if isinstance(text, ast.Constant) else constants.get(ast.unparse(text), "?"))
    return found


def words_of_the_log(folder: Path, writers: Mapping[str, tuple[int, ...]] = _WRITERS) -> set[str]:
    """Actions and results that are written down as they stand; `writers`: where a function takes them."""
    calls = [node for tree in _modules(folder) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    parts = [
        part
        for call in calls
        for place in writers.get(_last_name(call.func), ())
        for part in call.args[place : place + 1]
    ]
    plain = [part for part in parts if isinstance(part, ast.Constant | ast.IfExp)]
    choices = [(part.body, part.orelse) if isinstance(part, ast.IfExp) else (part,) for part in plain]
    return {choice.value for each in choices for choice in each}


def facts(text: str) -> list[str]:
    """What is filled in."""
    return sorted(field for _, field, _, _ in string.Formatter().parse(text) if field is not None)
