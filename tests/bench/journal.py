"""What the journal writes, counted on NOR flash that refuses to be written twice (tests/twin/nor_flash.py)."""

import tempfile
from pathlib import Path

from tests.city import PcTerminal, make_pass

# Past the ends of four blocks, so that the head of a new one is in it.
_TAPS = 64


def journal() -> dict[str, object]:
    """Writes to raw flash: of one append, and of a tap, which is an intent and an outcome."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = PcTerminal(Path(folder) / "flash")
        flash, log = terminal.storage, terminal.book.journal
        of_appends: list[int] = []
        append = log._append

        def counted(*slot: object) -> int:
            before = flash.writes
            at: int = append(*slot)
            of_appends.append(flash.writes - before)
            return at

        log._append = counted
        for number in range(_TAPS):
            card, _ = make_pass(b"\x04" + number.to_bytes(6, "big"))
            assert terminal.tap(card)[1] == "00"
    return {
        "flash_writes": {
            "value": max(of_appends),
            "how": f"the most of one append in {_TAPS} taps; the second is the head of a new block",
        },
        "appends_a_tap": len(of_appends) / _TAPS,
        "writes_a_tap": round(flash.writes / _TAPS, 2),
        "erases_a_tap": round(flash.erases / _TAPS, 2),
    }
