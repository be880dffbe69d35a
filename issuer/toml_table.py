"""TOML tables read key by key; every fault is kept, with the line of the file that it is on."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from issuer.errors import SchemeError
from web.outside import from_toml, has_control

_HEADER = re.compile(r"\s*\[\[?\s*[\"']?([\w-]+)[\"']?\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")


@dataclass
class Table:
    """One table. A getter answers a fault with a harmless value; `is_good` tells whether the file had a right one."""

    label: str
    values: dict[str, Any]
    line: int
    lines: dict[str, int]
    faults: list[tuple[int, str]]
    _good: set[str] = field(default_factory=set)
    _asked: set[str] = field(default_factory=set)

    def fault(self, key: str, expected: str) -> None:
        self.faults.append((self.lines.get(key, self.line), f"{self.label} {key}: {expected}"))

    def is_good(self, *keys: str) -> bool:
        return self._good.issuperset(keys)

    def whole(self, key: str, low: int, high: int, unless_given: int | None = None) -> int:
        """A whole number from `low` to `high`, both included."""

        def fits(value: Any) -> bool:
            return type(value) is int and low <= value <= high

        value: int = self._take(key, fits, f"a whole number from {low} to {high}", low, unless_given)
        return value

    def text(self, key: str, pattern: str, expected: str, otherwise: str = "", unless_given: str | None = None) -> str:
        """A string that matches all of `pattern`, without control characters."""

        def fits(value: Any) -> bool:
            return isinstance(value, str) and re.fullmatch(pattern, value) is not None and not has_control(value)

        value: str = self._take(key, fits, expected, otherwise, unless_given)
        return value

    def name(self, key: str = "name", unless_given: str | None = None) -> str:
        return self.text(key, r"\S(.{0,38}\S)?", "a text of 1 to 40 characters on one line", unless_given=unless_given)

    def one_of(self, key: str, choices: Sequence[str], unless_given: str | None = None) -> str:
        wanted = ", ".join(f'"{choice}"' for choice in choices)
        return self.text(key, "|".join(map(re.escape, choices)), f"one of {wanted}", choices[0], unless_given)

    def chosen(self, key: str, choices: Sequence[str], expected: str) -> tuple[str, ...]:
        """A list of some of the choices, none of them twice; empty when it is not given."""

        def fits(value: Any) -> bool:
            return _is_list(value) and all(each in choices for each in value) and len(set(value)) == len(value)

        return tuple(self._take(key, fits, expected, (), ()))

    def wholes(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """A list of whole numbers from `low` to `high`; empty when it is not given."""

        def fits(value: Any) -> bool:
            return _is_list(value) and all(type(each) is int and low <= each <= high for each in value)

        return tuple(self._take(key, fits, f"a list of whole numbers from {low} to {high}", (), ()))

    def flag(self, key: str) -> bool:
        value: bool = self._take(key, lambda given: isinstance(given, bool), "true or false", False, False)
        return value

    def close(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self.values:
            if key not in self._asked:
                self.fault(key, f"unknown key; expected are {', '.join(sorted(self._asked))}")

    def _take(self, key: str, fits: Callable[[Any], bool], expected: str, otherwise: Any, unless_given: Any) -> Any:
        self._asked.add(key)
        if key not in self.values:
            if unless_given is None:
                self.fault(key, f"missing; expected is {expected}")
                return otherwise
            return unless_given
        if not fits(self.values[key]):
            self.fault(key, f"expected is {expected}")
            return otherwise
        self._good.add(key)
        return self.values[key]


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0


class Document:
    """A TOML file. Ask for its tables, then `finish` refuses it if anything was wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.faults: list[tuple[int, str]] = []
        self._asked: set[str] = set()
        try:
            source = path.read_text(encoding="utf-8")
            self._content = from_toml(source)
        except OSError:
            raise SchemeError(f"{path} cannot be read.") from None
        except UnicodeDecodeError:
            raise SchemeError(f"{path} is not UTF-8 text.") from None
        except ValueError as error:
            raise SchemeError(f"{path} is not TOML: {error}.") from None
        self._places = _places(source)

    def one(self, name: str, optional: bool = False) -> Table:
        """The table `[name]`, which must be there unless it is optional."""
        found = self._found(name, dict)
        if found is None and not (optional and name not in self._content):
            self.faults.append((1, f"[{name}]: missing; expected is this table"))
        return self._table(f"[{name}]", name, 0, found or {}, empty=found is None)

    def each(self, name: str) -> list[Table]:
        """The tables `[[name]]`, in order; at least one."""
        found = self._found(name, list)
        if not found or not all(isinstance(values, dict) for values in found):
            self.faults.append((1, f"[[{name}]]: expected is at least one of these tables"))
            return []
        return [self._table(f"[[{name}]]", name, index, values) for index, values in enumerate(found)]

    def finish(self) -> None:
        """Raise SchemeError with every fault, in the order of the file."""
        for name in self._content:
            if name not in self._asked:
                line = self._places.get((name, 0), (1, {}))[0]
                self.faults.append((line, f"{name}: unknown; expected are {', '.join(sorted(self._asked))}"))
        if self.faults:
            lines = [f"  line {line}, {text}" for line, text in sorted(self.faults)]
            raise SchemeError("\n".join([f"{self._path} cannot be used:", *lines]))

    def _found(self, name: str, kind: type) -> Any:
        self._asked.add(name)
        found = self._content.get(name)
        return found if isinstance(found, kind) else None

    def _table(self, label: str, name: str, index: int, values: dict[str, Any], empty: bool = False) -> Table:
        line, lines = self._places.get((name, index), (1, {}))
        # A table that is missing is one fault, not one for each of its keys.
        return Table(label, values, line, lines, [] if empty else self.faults)


def _places(source: str) -> dict[tuple[str, int], tuple[int, dict[str, int]]]:
    """(table, how many of that name come before it) -> its line and those of its keys; tomllib keeps no lines."""
    places: dict[tuple[str, int], tuple[int, dict[str, int]]] = {}
    seen: dict[str, int] = {}
    keys: dict[str, int] = {}
    for number, text in enumerate(source.split("\n"), start=1):
        if header := _HEADER.match(text):
            name = header[1]
            keys = {}
            places[name, seen.get(name, 0)] = number, keys
            seen[name] = seen.get(name, 0) + 1
        elif key := _KEY.match(text):
            keys.setdefault(key[1], number)
            if not seen:
                places.setdefault((key[1], 0), (number, {}))
    return places
