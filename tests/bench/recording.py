"""Records one tap on CPython, so that it can be replayed byte for byte elsewhere."""

import json
import shutil
from pathlib import Path

from tests.city import PcTerminal, make_pass


def record_tap(folder: Path) -> tuple[Path, Path, list[tuple[bytes, bytes]]]:
    """`(flash before the tap, recording, exchanges)` of a tap of one purse that is a yes."""
    card, _ = make_pass()
    terminal = PcTerminal(folder / "flash")
    shutil.copytree(folder / "flash", folder / "before")
    random: list[bytes] = []
    exchanges: list[tuple[bytes, bytes]] = []

    def fixed(count: int) -> bytes:
        random.append(bytes([len(random) + 1]) * count)
        return random[-1]

    terminal.device.till._random = fixed
    transmit = terminal.reader.transmit

    def recorded(apdu: bytes) -> bytes:
        answer = transmit(apdu)
        exchanges.append((apdu, answer))
        return answer

    terminal.reader.transmit = recorded
    assert terminal.tap(card)[1] == "00"
    content = {
        "keys": "1#",
        "random": [one.hex() for one in random],
        "exchanges": [(sent.hex(), got.hex()) for sent, got in exchanges],
    }
    path = folder / "recording.json"
    path.write_text(json.dumps(content))
    return folder / "before", path, exchanges
