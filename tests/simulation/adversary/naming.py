"""Looks for people and passes in every byte: chips, handles, names, codes and households, however written."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from tests.simulation.adversary.stores import RSIN
from tests.simulation.run import Run

_HASHES = ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256")
# So much of a hash is enough to know it by, and no less is looked for of anything.
_ENOUGH = 8
_PREFIX = 4
_SOME_BITS, _OTHER_BITS = 22, 10
_NINE_DIGITS = re.compile(rb"(?<![0-9A-Za-z.,])[0-9]{9}(?![0-9A-Za-z.,])")
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_MOST_SAID = 5


class Named(NamedTuple):
    """What was found of a person, and where."""

    what: str
    where: str


def names_in(files: Mapping[str, bytes], known: Mapping[bytes, str]) -> list[Named]:
    """Whatever of `known` is in a file, and numbers that could be of a citizen (BSN); once for each file."""
    by_prefix: dict[int, list[bytes]] = {}
    for secret in known:
        by_prefix.setdefault(int.from_bytes(secret[:_PREFIX], "little"), []).append(secret)
    begins = np.zeros(1 << _SOME_BITS, np.bool_)
    prefixes = np.array(sorted(by_prefix), np.uint32)
    begins[prefixes >> _OTHER_BITS] = True
    found = []
    for where, content in files.items():
        told = {known[secret] for secret in _secrets_in(content, by_prefix, prefixes, begins)}
        if any(_is_citizen(digits) for digits in _NINE_DIGITS.findall(content)):
            told.add("a number that could be a BSN")
        found += [Named(what, where) for what in sorted(told)]
    return found


def _secrets_in(
    content: bytes, by_prefix: Mapping[int, list[bytes]], prefixes: np.ndarray, begins: np.ndarray
) -> Iterator[bytes]:
    """`prefixes` are in order. `begins`: whether one has these first bits; most that stands in a file is not in it."""
    for shift in range(_PREFIX):
        words = np.frombuffer(content[shift:], "<u4", count=max(0, (len(content) - shift) // _PREFIX))
        places = np.flatnonzero(begins[words >> _OTHER_BITS])
        near = np.searchsorted(prefixes, words[places]) % len(prefixes)
        for at in places[prefixes[near] == words[places]].tolist():
            begin = at * _PREFIX + shift
            yield from (each for each in by_prefix[int(words[at])] if content.startswith(each, begin))


def _is_citizen(digits: bytes) -> bool:
    """The test of eleven for a BSN."""
    total = sum(weight * (digit - ord("0")) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return total % 11 == 0 and digits not in (b"000000000", RSIN.encode())


def all_names(run: Run) -> dict[bytes, str]:
    """Every way to write down a pass or a person of the city, with what it would tell."""
    city, known = run.city, dict[bytes, str]()
    for card in city.cards():
        uid = card.memory.picc.uid
        for what, secret in (("a UID", uid), ("a handle", city.vault.card_keys(uid, 1).handle)):
            known |= dict.fromkeys(spellings(secret), what)
    for guest in city.guests:
        known |= dict.fromkeys((guest.code.encode(), guest.code.replace("-", "").encode()), "the code on a pass")
    for holder in city.holders():
        person = holder.person
        written = [f"{person.given_name} {person.family_name}", f"{person.family_name}, {person.given_name}"]
        written += [person.family_name] if len(person.family_name) > 5 else []
        known |= {text.encode(coding): "a name" for text in written for coding in ("utf-8", "latin-1", "utf-16-le")}
        known[f"{person.born:%Y-%m-%d}".encode()] = "a birthday"
        if person.born.year != 2020:
            # Two days side by side in a row, 2026-12-20 and 2026-12-25, have 26-12-2020 in their midst.
            known[f"{person.born:%d-%m-%Y}".encode()] = "a birthday"
        known[person.household.encode()] = "a household"
    return known


def spellings(secret: bytes) -> Iterator[bytes]:
    """Bytes in either order, raw, in hex, base64 and decimal; and hashes of them, raw and in hex."""
    for each in (secret, secret[::-1]):
        yield each
        yield from _in_hex(each)
        yield str(int.from_bytes(each, "big")).encode()
        for before in range(3):
            # Whatever stands before and after it: only whole signs of its own.
            coded = base64.b64encode(bytes(before) + each)[(before * 4 + 2) // 3 : (before + len(each)) * 4 // 3]
            yield from (coded, coded.translate(bytes.maketrans(b"+/", b"-_")))
        for written in (each, each.hex().encode(), each.hex().upper().encode()):
            for name in _HASHES:
                digest = hashlib.new(name, written).digest()[:_ENOUGH]
                yield from (digest, *_in_hex(digest))


def _in_hex(data: bytes) -> Iterator[bytes]:
    for apart in ("", " ", ":", "-"):
        written = data.hex(apart) if apart else data.hex()
        yield from (written.encode(), written.upper().encode())


def said(found: list[Named]) -> str:
    """In a sentence."""
    return "; ".join(f"{what} is in {where}" for what, where in found[:_MOST_SAID])
