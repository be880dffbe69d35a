"""Counts, bytes and heap; no figure here depends on how fast the machine is."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from card.blueprint import Blueprint
from hardware.in_process import InProcessReader
from issuer.personalise import Details, Personaliser
from issuer.scheme import load_scheme
from tests.bench.recording import record_tap
from tests.city import DAY, ISSUER, MICROPYTHON, ROOT, DirectKeys, factory_card

_COMMIT = 0xC7


def tap() -> dict[str, object]:
    """A tap of one purse, up to the yes (activation left out); heap as MicroPython counts it, without collecting."""
    with tempfile.TemporaryDirectory() as folder:
        flash, recording, exchanges = record_tap(Path(folder))
        heap = replayed_heap(flash, recording)
    up_to_yes = next(at for at, (sent, _) in enumerate(exchanges, 1) if sent[1] == _COMMIT)
    counted = exchanges[:up_to_yes]
    return {
        "exchanges": up_to_yes,
        "bytes_out": sum(len(sent) for sent, _ in counted),
        "bytes_in": sum(len(got) for _, got in counted),
        "heap_bytes": {"value": heap, "unit": "B", "how": "gc.mem_alloc over one tap, collector off, unix port 64 bit"},
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
    """A factory card becomes a GelrePas (four purses), with everything read back, without the loads."""
    reader = InProcessReader(factory_card())
    sent: list[tuple[bytes, bytes]] = []
    transmit = reader.transmit

    def counted(apdu: bytes) -> bytes:
        answer = transmit(apdu)
        sent.append((apdu, answer))
        return answer

    reader.transmit = counted  # type: ignore[method-assign]
    scheme = load_scheme(ROOT / "schemes/gelrepas.toml")
    plan = Blueprint(scheme.aid, scheme.df_name, scheme.ceilings())
    Personaliser(plan, DirectKeys(), os.urandom).personalise(reader, Details(ISSUER, DAY, DAY + 300))
    total = sum(len(apdu) + len(answer) for apdu, answer in sent)
    return {"exchanges": len(sent), "bytes": total}


def main() -> None:
    figures = {"command": "make bench", "tap": tap(), "personalise": personalise()}
    path = ROOT / "var/bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n")
    print(path.read_text(), end="")


main()
