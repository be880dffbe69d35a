"""The list of blocked passes for terminals: anybody may carry it, and nobody learns from it whose pass is blocked.

A base answers for every pass whose handle is older than its day, exactly; the changes name those for which it is wrong
by now, and the blocked ones that are younger (card/hotlist.py says how, byte for byte). So a terminal that looks at the
day on a pass never takes one that is not blocked for one that is. What is about to be published is asked about every
pass that was ever made, as a terminal would ask, and not published when one answer is wrong.

A terminal refuses a list with a lower version than that of the one it has. The version rises within the day too, so the
list of this morning, brought once more, does not open a pass that was blocked since.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from card.aes import BLOCK, encryption
from card.errors import BadAnswer
from card.hotlist import (
    FINGERPRINT_BYTES,
    FIRST,
    HEAD_BYTES,
    MAC_BYTES,
    MOST_COLUMNS,
    SECOND,
    BaseHead,
    ChangesHead,
    changes_key,
    filled,
    part_mac,
    part_mac_in,
    system_key,
)
from card.signing import HOTLIST, read_certificate, signed
from card.wire import same
from issuer.days import day_number
from issuer.errors import DeskError
from issuer.registry import hotlist_bases, passes
from issuer.registry.passes import IssuedPass
from issuer.ribbon import Bytes, column_bytes, solution, values

_CHANGES_A_DAY = 1 << 16
# A new base is made when the changes take more than this, and more than a quarter of it.
_FEW_CHANGES = 1024
_SEEDS = 256


@dataclass(frozen=True)
class ListKeys:
    """What the vault gives a desk for its lists: the key that terminals have too, and a key to sign with."""

    key: bytes
    signing_key: bytes
    certificate: bytes

    def signed(self, content: bytes) -> bytes:
        """The content with the desk's certificate and its signature behind it."""
        key = Ed25519PrivateKey.from_private_bytes(self.signing_key)
        made: bytes = signed(HOTLIST, content, self.certificate, key.sign)
        return made

    def refuse_when_over(self, on: date) -> None:
        """Hosts take nothing that was signed after the last day of the certificate."""
        if day_number(on) > read_certificate(self.certificate)[0]:
            raise DeskError("The desk's file is out of date. Ask the key custodian for a new one.")


@dataclass(frozen=True)
class Published:
    """A list of one version, signed: `whole` is base and changes, `changes` is for who has the base."""

    whole: bytes
    changes: bytes


def version(session: Session, on: date) -> int:
    """The version of the list of a day: the day, times 65536, and a count of what changed the list since.

    Two lists with the same version block the same passes. Read it before the list: a change that comes between the two
    is then on a list that counts as older, and never missing on one that counts as newer.
    """
    # Since the day before in UTC: the municipality's own day may begin in it. More changes than a day has numbers for
    # run into the next one, and are counted there again.
    since = datetime.combine(on - timedelta(days=1), time(), UTC)
    return day_number(on) * _CHANGES_A_DAY + passes.hotlist_changes(session, since)


def publish(session: Session, on: date, number: int, keys: ListKeys) -> Published:
    """The list of a day with `number` for its version; raises DeskError when it would be wrong about a pass.

    The base is that of the last time, as long as the changes to it are few.
    """
    keys.refuse_when_over(on)
    issued = passes.issued(session, on)
    base = _kept_base(session, keys.key)
    changes = changes_to(base, keys.key, number, issued) if base else b""
    if base is None or len(changes) > max(_FEW_CHANGES, len(base) // 4):
        free = hotlist_bases.next_version(session, number)
        base = new_base(keys.key, free, on, issued)
        changes = changes_to(base, keys.key, number, issued)
        refuse_mistakes(base, changes, keys.key, issued)
        hotlist_bases.keep(session, free, base)
    else:
        refuse_mistakes(base, changes, keys.key, issued)
    return Published(keys.signed(base + changes), keys.signed(changes))


def _kept_base(session: Session, key: bytes) -> bytes | None:
    """That of the last time; none when the key was renewed since."""
    base = hotlist_bases.latest(session)
    return base if base is not None and is_genuine(base, key) else None


def is_genuine(base: bytes, key: bytes) -> bool:
    """Whether this base was made with this key."""
    try:
        mac = part_mac_in(key, BytesIO(base), len(base) - MAC_BYTES)
    except BadAnswer:
        return False
    return bool(same(mac, base[-MAC_BYTES:]))


# The base


def new_base(key: bytes, number: int, on: date, issued: Sequence[IssuedPass]) -> bytes:
    """A base with `number` for its version.

    It does not answer for passes of yesterday: one of them may be on a reader still, and not in the registry.
    """
    day = day_number(on) - 1
    old = [each for each in issued if each.day < day]
    return base_of(
        key, number, day, [each.handle for each in old if each.blocked], [each.handle for each in old if each.free]
    )


def base_of(key: bytes, number: int, day: int, blocked: Sequence[bytes], free: Sequence[bytes]) -> bytes:
    """The base that says yes of all the blocked ones and no of all the free ones."""
    if not blocked:
        return _with_mac(key, BaseHead(number, day, 0, (0, 0), 0, 0).to_bytes())
    columns, first, seeds = _best_columns(len(blocked), len(free)), b"", [0, 0]
    if columns:
        seeds[0], first = _solved(key, number, FIRST, blocked, None, columns)
        free = _passed_by(system_key(key, number, FIRST, seeds[0]), free, first, columns)
    results = [1] * len(blocked) + [0] * len(free)
    seeds[1], second = _solved(key, number, SECOND, [*blocked, *free], results, 1)
    head = BaseHead(number, day, columns, seeds, len(first) // columns if columns else 0, len(second))
    return _with_mac(key, head.to_bytes() + first + second)


def _solved(
    key: bytes, number: int, system: int, handles: Sequence[bytes], results: Sequence[int] | None, columns: int
) -> tuple[int, bytes]:
    """The first seed with which there is a solution, and that solution: the same one from the same passes, anywhere."""
    for seed in range(_SEEDS):
        coefficients = system_key(key, number, system, seed)
        # What is free in it nobody knows without the key.
        fill = random.Random(coefficients)
        size = column_bytes(len(handles), seed)
        found = solution(_blocks(coefficients, handles), results, size, columns, fill)
        if found is not None:
            return seed, found
    raise DeskError("The list of blocked passes could not be made. Tell the administrator.")


def _best_columns(blocked: int, free: int) -> int:
    """With how many columns the base is smallest: each keeps half of the free ones that are left out of the second."""

    def size(columns: int) -> int:
        return columns * column_bytes(blocked) + column_bytes(blocked + (free >> columns))

    return min(range(MOST_COLUMNS + 1), key=size)


def _passed_by(coefficients: bytes, handles: Sequence[bytes], first: bytes, columns: int) -> list[bytes]:
    """Those that the first system takes for blocked ones."""
    if not handles:
        return []
    kept_out = values(_blocks(coefficients, handles), first, columns).max(axis=1)
    return [handle for handle, out in zip(handles, kept_out.tolist(), strict=True) if not out]


def _with_mac(key: bytes, content: bytes, base_mac: bytes = b"") -> bytes:
    whole: bytes = filled(content)
    mac: bytes = part_mac(key, whole, base_mac)
    return whole + mac


def _blocks(key: bytes, handles: Sequence[bytes]) -> Bytes:
    """What handles are under a key of the list: (n, 16)."""
    return np.frombuffer(encryption(key).encrypt(b"".join(handles)), np.uint8).reshape(-1, BLOCK)


# The changes


def changes_to(base: bytes, key: bytes, number: int, issued: Sequence[IssuedPass]) -> bytes:
    """The passes of which the base says something else than what is true."""
    known = [each for each in issued if each.blocked or each.free]
    said = _in_base(base, key, known)
    wrong = [each.handle for each, one in zip(known, said, strict=True) if one != each.blocked]
    return changes_of(base, key, number, wrong)


def changes_of(base: bytes, key: bytes, number: int, wrong: Sequence[bytes]) -> bytes:
    """That the base is wrong about these handles."""
    head = ChangesHead(number, BaseHead.from_bytes(base[:HEAD_BYTES]).version, len(wrong))
    fingerprints = b"".join(sorted(_fingerprints(key, number, wrong)))
    return _with_mac(key, head.to_bytes() + fingerprints, base[-MAC_BYTES:])


def _fingerprints(key: bytes, number: int, handles: Sequence[bytes]) -> list[bytes]:
    if not handles:
        return []
    return [row[:FINGERPRINT_BYTES].tobytes() for row in _blocks(changes_key(key, number), handles)]


# What a terminal would say


def refuse_mistakes(base: bytes, changes: bytes, key: bytes, issued: Sequence[IssuedPass]) -> None:
    """Raise DeskError when a list says of a pass that it is blocked and it is not, or the other way round."""
    known = [each for each in issued if each.blocked or each.free]
    mistakes = sum(said != each.blocked for each, said in zip(known, answers(base, changes, key, known), strict=True))
    if mistakes:
        raise DeskError(
            "The new list would be wrong about passes ({count}), so it was not published. Tell the administrator.",
            count=mistakes,
        )


def answers(base: bytes, changes: bytes, key: bytes, issued: Sequence[IssuedPass]) -> list[bool]:
    """What these bytes say of each pass, as a terminal reads them."""
    head = ChangesHead.from_bytes(changes[:HEAD_BYTES])
    listed = changes[HEAD_BYTES : HEAD_BYTES + head.count * FINGERPRINT_BYTES]
    fingerprints = {listed[at : at + FINGERPRINT_BYTES] for at in range(0, len(listed), FINGERPRINT_BYTES)}
    named = _fingerprints(key, head.version, [each.handle for each in issued])
    return [
        (fingerprint in fingerprints) != said
        for fingerprint, said in zip(named, _in_base(base, key, issued), strict=True)
    ]


def _in_base(base: bytes, key: bytes, issued: Sequence[IssuedPass]) -> list[bool]:
    """What the base says of each pass; of those that are younger than it: no."""
    head = BaseHead.from_bytes(base[:HEAD_BYTES])
    if not issued or not head.second:
        return [False] * len(issued)
    handles = [each.handle for each in issued]
    middle = HEAD_BYTES + head.columns * head.first
    rows = _blocks(system_key(key, head.version, SECOND, head.seeds[1]), handles)
    said = values(rows, base[middle : middle + head.second], 1)[:, 0] == 1
    if head.columns:
        rows = _blocks(system_key(key, head.version, FIRST, head.seeds[0]), handles)
        said &= values(rows, base[HEAD_BYTES:middle], head.columns).max(axis=1) == 0
    said &= np.array([each.day < head.day for each in issued])
    return [bool(one) for one in said]
