"""Every refusal of the desk is one sentence that stands in the code, and has Dutch for the screen."""

import ast
from pathlib import Path

from babel.messages.pofile import read_po

from issuer.errors import DeskError
from issuer.lifecycle import WORDS

ROOT = Path(__file__).parents[2]
DUTCH = ROOT / "issuer/web/translations/nl/LC_MESSAGES/messages.po"
# Their text comes from the vault, or is written per field and in both languages where it is made.
NOT_BY_SENTENCE = {"BadField", "_BadFile", "SchemeError"}


def refusals() -> set[str]:
    """The sentences of all refusals; a refusal that is put together on the spot shows up as its code."""
    kinds = {kind.__name__ for kind in (DeskError, *DeskError.__subclasses__())} - NOT_BY_SENTENCE
    found = set()
    for path in sorted((ROOT / "issuer").rglob("*.py")):
        tree = ast.parse(path.read_text())
        named = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            if getattr(node.exc.func, "id", "") not in kinds or not node.exc.args:
                continue
            text = node.exc.args[0]
            if isinstance(text, ast.Name):
                found.add(named.get(text.id, f"{path}:{node.lineno}"))
            else:
                found.add(text.value if isinstance(text, ast.Constant) else f"{path}:{node.lineno}")
    return found


def test_every_refusal_has_dutch_for_the_screen():
    with DUTCH.open("rb") as file:
        dutch = {message.id: message.string for message in read_po(file) if message.id}
    states = {words[1] for words in WORDS.values()}
    assert refusals() - {sentence for sentence, said in dutch.items() if said} == set()
    assert set(dutch) - refusals() - states == set()
    assert {state: dutch.get(state) for state in states} == {words[1]: words[0] for words in WORDS.values()}
