"""Counts, bytes and heap, which no machine changes; and rates, each with its reference measured in the same run.

`--transactions`: how large the books are over which clearing is measured, the largest last. `--only NAME` measures one
of the parts, and leaves what the file says of the others.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from card.blueprint import Blueprint
from hardware.in_process import InProcessReader
from issuer.personalise import Details, Personaliser
from issuer.scheme import load_scheme
from keys.proving import Prover
from keys.token import Token
from keys.vault import Vault
from tests.bench import card_model, tap_model
from tests.bench.books import books
from tests.bench.desk_pages import HOLDERS as BIG
from tests.bench.desk_pages import PAGES, SEARCHES, BigCity, empty_page
from tests.bench.heap32 import smallest_heap
from tests.bench.hotlist import hotlist
from tests.bench.ingest import ingest
from tests.bench.journal import journal
from tests.bench.plain_prove import plain_prove
from tests.bench.recording import record_tap
from tests.bench.renewal_city import HOLDERS, RenewalCity
from tests.bench.simulation import simulation
from tests.bench.tap_crypto import crypto_ratio, growth
from tests.city import DAY, ISSUER, MICROPYTHON, ROOT, VAULT, DirectKeys, factory_card
from tests.records import many
from tests.softhsm import soft_token

PROVE_BATCH = 10_000
MANY_TAPS = 10_000
REPEATS = 7
RENEWALS = 5
# A million, and ten, take long to put there: by option.
BOOKS = (20_000, 100_000)
CARDS = 50
SIMULATED_TAPS = 2000
PAGE_VIEWS = 15
_COMMIT = 0xC7


def tap() -> dict[str, object]:
    """A tap of one purse, up to the yes (activation left out); heap as MicroPython counts it, without collecting."""
    with tempfile.TemporaryDirectory() as folder:
        flash, recording, exchanges = record_tap(Path(folder), guests=2)
        heap = replayed_heap(flash, recording)
        ratio = crypto_ratio(recording)
        kept = growth(flash, recording, MANY_TAPS)
    up_to_yes = next(at for at, (sent, _) in enumerate(exchanges, 1) if sent[1] == _COMMIT)
    counted = exchanges[:up_to_yes]
    return tap_model.figures() | {
        "exchanges": up_to_yes,
        "bytes_out": sum(len(sent) for sent, _ in counted),
        "bytes_in": sum(len(got) for _, got in counted),
        "crypto_ratio": ratio,
        "heap_bytes": {
            "value": heap,
            "unit": "B",
            "how": "gc.mem_alloc over the tap of a second guest, collector off, unix port 64 bit",
        },
        "heap_growth_bytes": {"value": kept, "taps": MANY_TAPS},
    }


def replayed_heap(flash: Path, recording: Path) -> int:
    """Bytes of heap that a recorded tap takes on MicroPython in the heap of a small board."""
    script = ROOT / "tests/twin/till_replay.py"
    command = [MICROPYTHON, "-X", "heapsize=384k", str(script), str(flash), str(recording)]
    environment = {**os.environ, "MICROPYPATH": f"{ROOT}:.frozen"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.stdout.startswith("heap "), answer.stdout + answer.stderr
    return int(answer.stdout.split()[1])


def personalise() -> dict[str, object]:
    """A factory card becomes a GelrePas (four purses), with everything read back, without the loads.

    `host` is what this computer does, key derivation included, against what a card and its link would take.
    """
    sent: list[tuple[bytes, bytes]] = []
    hosts = []
    for number in range(CARDS):
        sent, in_reader, total = _one_card(number)
        hosts.append((total - in_reader) * 1000)
    model = card_model.milliseconds(sent)
    ratios = [each / model for each in hosts]
    return {
        "exchanges": len(sent),
        "bytes": sum(len(apdu) + len(answer) for apdu, answer in sent),
        "host_ms": _range(hosts, 2),
        "model_ms": round(model, 1),
        "host_of_model": _range(ratios, 4),
    }


def _one_card(number: int) -> tuple[list[tuple[bytes, bytes]], float, float]:
    """The exchanges of one card, and the seconds of this process: in the emulated reader, and in all."""
    reader = InProcessReader(factory_card(b"\x04" + number.to_bytes(6, "big")))
    sent: list[tuple[bytes, bytes]] = []
    in_reader = 0.0
    transmit = reader.transmit

    def counted(apdu: bytes) -> bytes:
        nonlocal in_reader
        began = time.process_time()
        answer = transmit(apdu)
        in_reader += time.process_time() - began
        sent.append((apdu, answer))
        return answer

    reader.transmit = counted  # type: ignore[method-assign]
    scheme = load_scheme(ROOT / "schemes/gelrepas.toml")
    maker = Personaliser(Blueprint(scheme.aid, scheme.df_name, scheme.ceilings()), DirectKeys(), os.urandom)
    began = time.process_time()
    maker.personalise(reader, Details(ISSUER, DAY, DAY + 300, DAY))
    return sent, in_reader, time.process_time() - began


def desk_pages() -> dict[str, object]:
    """Pages of a desk with 100 000 holders on SQLite, in milliseconds, against an empty page of Flask."""
    with tempfile.TemporaryDirectory() as folder:
        city, empty = BigCity(Path(folder)), empty_page()
        pages = {}
        asked = {name: city.page(address) for name, address in PAGES.items()}
        asked |= {name: city.search(text) for name, text in SEARCHES.items()}
        for name, ask in asked.items():
            ask()
            pages[name] = _range([_seconds(ask) * 1000 for _ in range(PAGE_VIEWS)], 1)
        city.close()
    return {
        "holders": BIG,
        "pages_ms": pages,
        "empty_page_ms": _range([_seconds(empty) * 1000 for _ in range(PAGE_VIEWS)], 2),
    }


def renewal_preview() -> dict[str, object]:
    """The yearly test of 5 000 holders on SQLite, against reading the same rows and looking at nothing."""
    with tempfile.TemporaryDirectory() as folder:
        city = RenewalCity(Path(folder))
        ours = [_seconds(city.preview) for _ in range(RENEWALS)]
        bare = [_seconds(city.read) for _ in range(RENEWALS)]
        city.close()
    ratios = sorted(slow / fast for fast, slow in zip(bare, ours, strict=True))
    return {
        "holders": HOLDERS,
        "renewal_preview_seconds": _range(ours, 2),
        "bare_pass_seconds": _range(bare, 3),
        "ratio": _range(ratios, 1),
    }


def prove() -> dict[str, object]:
    """The vault on one core, in batches of 10 000 valid records of as many passes, against the plainest version."""
    batch = many(VAULT, PROVE_BATCH, passes=PROVE_BATCH)
    prover = Prover(VAULT)
    prover.prove(batch)
    ours = [_seconds(lambda: prover.prove(batch)) for _ in range(REPEATS)]
    plain = [_seconds(lambda: plain_prove(VAULT, batch)) for _ in range(REPEATS)]
    ratios = sorted(slow / fast for fast, slow in zip(ours, plain, strict=True))
    return {
        "per_s": _rates(PROVE_BATCH, ours),
        "plain_per_s": _rates(PROVE_BATCH, plain),
        "ratio": {"median": round(median(ratios), 1), "from": round(ratios[0], 1), "to": round(ratios[-1], 1)},
        "memory": proving_memory(),
        "token_per_s": token_rate(),
    }


def proving_memory() -> dict[str, object]:
    """Resident memory of a process that proved 10 000 records, and of the same one after a million."""
    command = [sys.executable, "-m", "tests.bench.proving_memory", str(PROVE_BATCH)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    few, all_of_them = map(int, done.stdout.split())
    return {"after_10k_kib": few, "after_1m_kib": all_of_them, "how": "ru_maxrss of a process of its own"}


def token_rate() -> dict[str, object]:
    """The same with every master key in SoftHSM2, reached over PKCS#11."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        place = soft_token(Path(folder), patch)
        token = Token(place.module, place.label, place.pin, VAULT.municipality)
        try:
            token.put(VAULT.store._keys)
            vault = Vault(token, VAULT.register, VAULT.today)
            batch = many(VAULT, PROVE_BATCH, passes=PROVE_BATCH)
            prover = Prover(vault)
            prover.prove(batch[:102])
            return _rates(PROVE_BATCH, [_seconds(lambda: prover.prove(batch)) for _ in range(3)])
        finally:
            token.close()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _range(values: list[float], digits: int) -> dict[str, object]:
    ranked = sorted(round(each, digits) for each in values)
    return {"median": round(median(ranked), digits), "from": ranked[0], "to": ranked[-1], "runs": len(ranked)}


def _rates(count: int, seconds: list[float]) -> dict[str, object]:
    rates = sorted(round(count / each) for each in seconds)
    return {"median": round(median(rates)), "from": rates[0], "to": rates[-1], "runs": len(rates)}


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    asked.add_argument("--transactions", type=int, nargs="+", default=BOOKS, metavar="N")
    parts: dict[str, Callable[[], object]] = {
        "tap": tap,
        "terminal": lambda: {"smallest_heap_32bit": smallest_heap()},
        "journal": journal,
        "personalise": personalise,
        "renewal": renewal_preview,
        "desk": desk_pages,
        "hotlist": hotlist,
        "prove": prove,
        "ingest": ingest,
        "books": lambda: books(given.transactions),
        "simulation": lambda: simulation(SIMULATED_TAPS),
    }
    asked.add_argument("--only", choices=parts)
    given = asked.parse_args()
    path = ROOT / "var/bench.json"
    path.parent.mkdir(exist_ok=True)
    figures = json.loads(path.read_text()) if given.only and path.exists() else {"command": "make bench"}
    figures |= {name: measure() for name, measure in parts.items() if given.only in (None, name)}
    path.write_text(json.dumps(figures, indent=1) + "\n")
    print(path.read_text(), end="")


if __name__ == "__main__":
    main()
