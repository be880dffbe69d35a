"""Eleven bugs, each planted alone, to see which invariant finds it. A bug is what it puts in the place of something."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest

import backend.offers
import terminal.firmware.offers
from backend import ingest
from backend.settlement import service as settlements
from card.batch import COMMITTED, IN_DOUBT
from issuer.load import Loader
from keys.proving import Prover
from keys.vault import Vault
from terminal.firmware import till
from terminal.firmware.hotlist import Hotlist
from terminal.firmware.journal import Journal
from tests.simulation.city import OPENED


class Patch(NamedTuple):
    """`name` of `of` becomes `made(what it was)`."""

    of: Any
    name: str
    made: Callable[[Any], Any]


class Bug(NamedTuple):
    """`found_by`: the invariants of which one must be broken, in the small city of that seed."""

    what: str
    found_by: tuple[str, ...]
    patches: tuple[Patch, ...]
    seed: int


def _every_row(was: Any) -> Any:
    return lambda self, opened, rows, version: np.ones(len(rows), np.bool_)


def _one_more(was: Any) -> Any:
    def sealed(self: Any, clear: bytes, proof: Any) -> bytes:
        proof.tmc += proof.tmv != till.NO_TMV
        made: bytes = was(self, clear, proof)
        return made

    return sealed


def _never_written(was: Any) -> Any:
    def intend(self: Journal, clear: bytes, sealed: bytes, handle: bytes, tmc: int) -> int:
        at: int = was(self, clear, sealed, handle, tmc)
        self._storage.content[self._address(at)] ^= 0xFF  # a start finds no slot there
        return at

    return intend


def _void_and_again(was: Any) -> Any:
    def settle(self: Loader, handle: bytes, tmc: int, tmv: bytes) -> None:
        intent = self._journal.open_intent(handle)
        if intent is not None:
            self._journal.void(intent)

    return settle


def _with_a_line_in_the_log(was: Any) -> Any:
    def handle(self: Vault, version: int, uid: bytes, generation: int) -> bytes:
        made: bytes = was(self, version, uid, generation)
        logging.getLogger("meedoen.vault").warning("keys of %s", made.hex())
        return made

    return handle


def _rounded_up(was: Any) -> Any:
    def order(offer: Any, price: int = 0) -> Any:
        made = was(offer, price)
        if offer["price"] == terminal.firmware.offers.PERCENT:
            made.discount = min(-(-price * offer["percent"] // 100), offer["cap"])
            made.copayment = price - made.discount
        return made

    return order


def _rounded_up_too(was: Any) -> Any:
    return lambda version, price: min(-(-price * version.percent // 100), version.cap)


def _doubts_as_well(was: Any) -> Any:
    return {**was, IN_DOUBT: was[COMMITTED]}


def _also_without_a_mac(was: Any) -> Any:
    def committed(self: Prover, opened: Any, rows: Any, version: int) -> Any:
        return was(self, opened, rows, version) | ~opened.tmv[rows].any(axis=1)

    return committed


def _of_the_base_alone(was: Any) -> Any:
    return lambda self, handle, issued: issued < self.base.day and self.base.blocks(handle)


class _AnyPurse:
    """Every purse is in it."""

    def __contains__(self, purse: int) -> bool:
        return True


def _any_purse(was: Any) -> Any:
    def lists_changed(self: Any, bundle: Any, hotlist: Any) -> None:
        was(self, bundle, hotlist)
        if bundle is not None:
            bundle.allowed = _AnyPurse()

    return lists_changed


def _of_one_year(was: Any) -> Any:
    def nullifiers(self: Prover, opened: Any) -> list[bytes]:
        about = np.concatenate([opened.identity, opened.tmc], axis=1)
        made = self._vault.store.cmacs(("nullifier", OPENED.year + 1), about.tobytes(), about.shape[1])
        return [made[at : at + 16] for at in range(0, len(made), 16)]

    return nullifiers


def _whatever_was_put_back(was: Any) -> Any:
    return lambda tx: None


BUGS = {
    bug.what: bug
    for bug in (
        Bug("a skipped MAC check", ("proof", "dishonest"), (Patch(Prover, "_committed", _every_row),), 36),
        Bug("an off-by-one in the TMC", ("dishonest", "lost"), (Patch(till.Till, "_sealed", _one_more),), 4),
        Bug("a lost intent", ("yes", "lost", "dishonest"), (Patch(Journal, "intend", _never_written),), 2),
        Bug("a double credit on retry", ("lost", "conservation"), (Patch(Loader, "_settle", _void_and_again),), 33),
        Bug("a handle in a log", ("personal",), (Patch(Vault, "_handle", _with_a_line_in_the_log),), 1),
        Bug(
            "a percentage rounded up",
            ("owed",),
            (
                Patch(terminal.firmware.offers, "order", _rounded_up),
                Patch(backend.offers, "discount_of", _rounded_up_too),
            ),
            4,
        ),
        Bug(
            "an in-doubt record settled",
            ("proof",),
            (
                Patch(ingest, "_STATE", _doubts_as_well),
                Patch(Prover, "_committed", _also_without_a_mac),
            ),
            6,
        ),
        Bug("a hotlist without its changes", ("yes", "no"), (Patch(Hotlist, "blocks", _of_the_base_alone),), 1),
        Bug(
            "a purse that the bundle does not allow", ("yes", "no"), (Patch(till.Till, "lists_changed", _any_purse),), 1
        ),
        Bug(
            "a payment made again after a copy",
            ("paid",),
            (Patch(settlements, "_not_behind", _whatever_was_put_back),),
            10,
        ),
        Bug("a nullifier without the year", ("year",), (Patch(Prover, "nullifiers", _of_one_year),), 1),
    )
}


@contextmanager
def in_place(what: str) -> Iterator[None]:
    """With this bug in the code; with "" none."""
    with pytest.MonkeyPatch.context() as patch:
        for each in BUGS[what].patches if what else ():
            patch.setattr(each.of, each.name, each.made(getattr(each.of, each.name)))
        yield
