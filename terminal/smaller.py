"""Makes the text of the firmware take less memory without changing what it does; every line keeps its number.

In a terminal each name takes a place in the heap, and a constant that another module imports takes several.
"""

import ast
import io
import itertools
import re
import string
import tokenize
from collections.abc import Iterator
from pathlib import Path

NATIVE = "@micropython.viper"
# A longer text is worth its name.
_LONGEST = 8


def with_short_names(texts: dict[Path, str]) -> dict[Path, str]:
    """The same with `_a`, `_b` for each private name: every other name takes a place in the memory of a terminal.

    A private name stays within its module, or within those whose classes inherit from each other.
    """
    short: dict[Path, str] = {}
    for family in _families(texts):
        tokens = {source: list(tokenize.generate_tokens(io.StringIO(texts[source]).readline)) for source in family}
        made = _short_names()
        names: dict[str, str] = {}
        for source in family:
            lines = texts[source].split("\n")
            for token in tokens[source]:
                if _is_private(token) and token.string not in names:
                    names[token.string] = next(made)
            for token in reversed(tokens[source]):
                if _is_private(token):
                    (row, start), (_, end) = token.start, token.end
                    line = lines[row - 1]
                    lines[row - 1] = line[:start] + names[token.string] + line[end:]
            short[source] = "\n".join(lines)
    return short


def without_native_code(text: str) -> str:
    """The same as byte code, for ports of MicroPython that make no code for their processor: slower, but the same."""
    if NATIVE not in text:
        return text
    text = text.replace("    import micropython\n", "    ptr8 = lambda buffer: buffer\n")
    return text.replace(f"    {NATIVE}\n", "\n")


def _is_private(word: tokenize.TokenInfo) -> bool:
    return word.type == tokenize.NAME and re.match(r"_[^_]", word.string) is not None


def _short_names() -> Iterator[str]:
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            yield "_" + "".join(letters)


def _families(texts: dict[Path, str]) -> list[list[Path]]:
    """The modules, those together of which one has a class that inherits from a class of another."""
    classes = {
        source: [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
        for source, text in texts.items()
    }
    home = {node.name: source for source, nodes in classes.items() for node in nodes}
    families = [[source] for source in texts]
    for source, nodes in classes.items():
        for base in (base for node in nodes for base in node.bases):
            other = home.get(ast.unparse(base).split(".")[-1], source)
            ours, theirs = (next(family for family in families if one in family) for one in (source, other))
            if ours is not theirs:
                ours += theirs
                families.remove(theirs)
    return families


def with_numbers_in_place(texts: dict[Path, str], root: Path) -> dict[Path, str]:
    """The same with each number or short text that a module names in capitals in the place of its name, everywhere."""
    modules = {_dotted(source.relative_to(root)): source for source in texts}
    trees = {source: ast.parse(text) for source, text in texts.items()}
    # What a package says of itself, as the version of the firmware, stays where it is said.
    constants = {
        name: {} if source.name == "__init__.py" else _constants(trees[source]) for name, source in modules.items()
    }
    placed = {}
    for module, source in modules.items():
        own = constants[module]
        known = dict(own)
        by_module: dict[str, dict[str, str]] = {}
        edits: list[tuple[ast.stmt | ast.expr, str]] = []
        for node in ast.walk(trees[source]):
            if isinstance(node, ast.ImportFrom) and node.module:
                here = constants.get(node.module, {})
                known |= {each.name: here[each.name] for each in node.names if each.name in here}
                by_module |= {
                    each.name: constants[f"{node.module}.{each.name}"]
                    for each in node.names
                    if f"{node.module}.{each.name}" in constants
                }
                left = [ast.unparse(each) for each in node.names if each.name not in here]
                if len(left) < len(node.names):
                    edits.append((node, f"from {node.module} import {', '.join(left)}" if left else "pass"))
            elif isinstance(node, ast.Assign) and own and node in trees[source].body and _constant(node) is not None:
                edits.append((node, ""))
        for part in ast.walk(trees[source]):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id in known:
                edits.append((part, known[part.id]))
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                value = by_module.get(part.value.id, {}).get(part.attr)
                if value is not None:
                    edits.append((part, value))
        placed[source] = _edited(texts[source], edits)
    return placed


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _constants(tree: ast.Module) -> dict[str, str]:
    found = (_constant(node) for node in tree.body)
    return {name: value for name, value in (each for each in found if each is not None)}


def _constant(node: ast.stmt) -> tuple[str, str] | None:
    """`(name, value)` of a line like `MOST = 3`; private ones are compiled in already."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return None
    name, value = node.targets[0].id, node.value
    if not re.match(r"[A-Z][A-Z0-9_]*$", name) or not isinstance(value, ast.Constant):
        return None
    if isinstance(value.value, bool) or not isinstance(value.value, int | str | bytes):
        return None
    return (name, ast.unparse(value)) if len(ast.unparse(value)) <= _LONGEST + 3 else None


def _edited(text: str, edits: list[tuple[ast.stmt | ast.expr, str]]) -> str:
    """The text with nodes replaced, from the last to the first; columns count in bytes."""
    lines = [line.encode() for line in text.split("\n")]
    for node, new in sorted(edits, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        after = lines[last][node.end_col_offset :]
        lines[first] = lines[first][: node.col_offset] + new.encode() + (after if first == last else b"")
        for at in range(first + 1, last + 1):
            lines[at] = b"" if at < last else after
    return "\n".join(line.decode() for line in lines)
