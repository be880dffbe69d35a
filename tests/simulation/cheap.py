"""What a simulated city does in a cheaper way that comes to the same. All else is as in production."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files

import pytest
from lxml import etree
from sepaxml.validation import ValidationError

from backend.settlement import pain

# Objects made and not let go before Python looks for rings of them that nobody holds. A city needs it seldom.
_LOOK_FOR_GARBAGE_AFTER = 50_000


@contextmanager
def in_place() -> Iterator[None]:
    """A payment order is held against its schema by libxml2, in a hundredth of the time; garbage is looked for less
    often, and not among all modules."""
    with pytest.MonkeyPatch.context() as patch, _little_garbage():
        patch.setattr(pain, "try_valid_xml", _try_valid_xml)
        yield


@contextmanager
def _little_garbage() -> Iterator[None]:
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_LOOK_FOR_GARBAGE_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _try_valid_xml(xml: bytes, name: str) -> None:
    if not _schema(name).validate(etree.fromstring(xml)):
        raise ValidationError(f"not as {name} says")


@cache
def _schema(name: str) -> etree.XMLSchema:
    with as_file(files("sepaxml") / "schemas" / f"{name}.xsd") as path:
        return etree.XMLSchema(file=path)
