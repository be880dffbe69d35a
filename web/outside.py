"""Text from outside: JSON and TOML in which whatever is wrong shows as ValueError, and of which a little takes little
time; and a request with characters that no database keeps goes no further."""

import json
import tomllib
import unicodedata
from collections.abc import Iterable
from typing import Any, NoReturn

from flask import abort, request

# The parser remembers each beginning of a dotted key, so its time grows with the square of a line. Some hundred
# terminals of one venue fit on it.
_LONGEST_LINE = 4096
# The longest batch of a terminal in base64 is a sixth of it.
_MOST_JSON = 1 << 20


def from_json(content: str | bytes) -> Any:
    """What a text says; raises ValueError also for a number that is not whole, and for what is nested too deep.

    All numbers in the files and messages of ours are whole; 1e999 would be an infinity that no `int()` takes.
    """
    try:
        return json.loads(content, parse_constant=_not_whole, parse_float=_not_whole)
    except RecursionError:
        raise ValueError("nested too deep") from None


def from_toml(text: str) -> dict[str, Any]:
    """What a text says; raises ValueError, whose text names the line of a fault in the syntax."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"Longer than {_LONGEST_LINE} characters (at line {number})")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError("Nested too deep") from None
    except ValueError:
        # A number of more digits than Python turns into one.
        raise ValueError("A number is too large") from None


def has_control(text: str) -> bool:
    """Whether it has any of "C" of Unicode: control, format, half of a surrogate pair, not assigned."""
    return not text.isprintable() and any(unicodedata.category(char)[0] == "C" for char in text)


def refuse_odd_address() -> None:
    """400 for a path or a query with text that no database keeps."""
    if not _are_kept([request.path, *request.args, *(text for _, text in request.args.items(multi=True))]):
        abort(400)


def refuse_odd_json() -> None:
    """400 for a body of JSON with text that no database keeps, or nested too deep; 413 for one that is too long.

    What is no JSON at all, the call says itself.
    """
    if not request.is_json:
        return
    request.max_content_length = min(request.max_content_length or _MOST_JSON, _MOST_JSON)
    try:
        kept = _are_kept(_texts(json.loads(request.get_data())))
    except RecursionError:
        kept = False
    except ValueError:
        return
    if not kept:
        abort(400)


def refuse_odd_form() -> None:
    """400 for a form with text that no database keeps."""
    if not _are_kept([*request.form, *(text for _, text in request.form.items(multi=True))]):
        abort(400)


def _are_kept(texts: Iterable[str]) -> bool:
    """PostgreSQL keeps no NUL, and nothing in UTF-8 is half of a surrogate pair."""
    return not any("\0" in text or any("\ud800" <= char <= "\udfff" for char in text) for text in texts)


def _texts(found: Any) -> Iterable[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for name, value in found.items():
            yield name
            yield from _texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from _texts(value)


def _not_whole(number: str) -> NoReturn:
    raise ValueError("a number that is not whole")
