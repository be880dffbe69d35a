"""Records taps on CPython, so that they can be replayed byte for byte elsewhere."""

import json
import shutil
from pathlib import Path

from card.batch import FIRST_MAC, chain_key
from terminal.firmware.storage import FileStorage
from tests.city import PIN, PcTerminal, make_pass


def record_tap(folder: Path, guests: int = 1) -> tuple[Path, Path, list[tuple[bytes, bytes]]]:
    """`(flash before the tap, recording, exchanges)` of a tap of one purse that is a yes, for each of the guests."""
    cards = [make_pass(b"\x04" + number.to_bytes(6, "big"))[0] for number in range(guests)]
    (folder / "flash").mkdir()
    terminal = PcTerminal(folder / "flash", storage=FileStorage(str(folder / "flash/journal0"), 64))
    shutil.copytree(folder / "flash", folder / "before")
    random: list[bytes] = []
    exchanges: list[tuple[bytes, bytes]] = []

    def fixed(count: int) -> bytes:
        random.append(bytes([len(random) + 1]) * count)
        return random[-1]

    book = terminal.book
    book.till._random = fixed
    sealing_state = book.days.sealing.to_bytes()[:16]
    transmit = terminal.reader.transmit

    def recorded(apdu: bytes) -> bytes:
        answer = transmit(apdu)
        exchanges.append((apdu, answer))
        return answer

    terminal.reader.transmit = recorded
    for card in cards:
        assert terminal.tap(card)[1] == "00"
    entry = terminal.entries()[0]
    ((purse, amount),) = entry.clear.debits()
    # What the terminal knew before the first tap, and the MAC in which all of it ends: for its cryptography alone.
    known = {
        "aid": book.keys.aid,
        "lookup_key": book.keys.lookup_keys[-1],
        "tap_key": book.keys.tap_keys[-1],
        "mark_key": book.days.sealing.mark_key(),
        "chain_key": chain_key(book.keys.link_key),
        "sealing_state": sealing_state,
        "clear": entry.clear_bytes,
        "move": bytes([purse]) + amount.to_bytes(4, "little"),
        "previous_mac": FIRST_MAC,
        "mac": entry.mac,
    }
    content = {
        "keys": f"{PIN}#1#",
        "random": [one.hex() for one in random],
        "exchanges": [(sent.hex(), got.hex()) for sent, got in exchanges],
        "issuer": book.issuer,
        "position": entry.position,
        "known": {name: value.hex() for name, value in known.items()},
    }
    path = folder / "recording.json"
    path.write_text(json.dumps(content))
    return folder / "before", path, exchanges
