"""Makes what the targets start from, with the code of desk, vault and backend: a file that both Pythons read."""

import json
import tempfile
from pathlib import Path

from card.batch import link_key, siv_key
from card.hotlist import HEAD_BYTES, BaseHead
from card.siv import siv_decrypt
from card.wire import uint
from issuer.hotlist import base_of, changes_of
from terminal.firmware import link
from terminal.firmware.enrolment import Enrolment
from tests.city import (
    AID,
    DAY,
    ISSUER,
    OFFERS,
    TERMINAL,
    VAULT,
    PcTerminal,
    aid_bytes,
    bundle,
    device_file,
    hotlist,
    lease,
)

HANDLE, ANOTHER, BLOCKED = b"A good pass, yes", b"Another good one", b"A pass not to be"
LINK_KEY = link_key(VAULT.handed_out("link", 1), TERMINAL)
HOTLIST_KEY = VAULT.handed_out("hotlist", 1, 32)
BUNDLE_FOR = b"bundle" + uint(TERMINAL, 4)
SHORT = [OFFERS[0], OFFERS[1], OFFERS[2]]


def _list_of_many(version: int) -> bytes:
    """A list with something in both systems of its base, and in its changes."""
    passes = [b"%016d" % number for number in range(40)]
    base = base_of(HOTLIST_KEY, version, DAY, passes[:6], [*passes[6:], HANDLE, ANOTHER, BLOCKED])
    return base + changes_of(base, HOTLIST_KEY, version, [BLOCKED])


def make_kit(path: Path) -> Path:
    """Write the kit to `path`."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = PcTerminal(Path(folder) / "flash", offers=SHORT)
        terminal.ask(link.HOTLIST, hotlist(BLOCKED, version=2))
        files = [file for file in sorted(terminal.flash.rglob("*")) if file.is_file()]
        about = terminal.about()
        next_lease = lease(about)
        enrolment = Enrolment(terminal.book.flash, terminal.device.identity.number)
        offers, blocked = bundle(version=2, offers=SHORT), _list_of_many(3)
        opened = enrolment.open(next_lease)
        content = {
            "files": [("slots/good", b"a 1".hex())]
            + [(str(file.relative_to(terminal.flash)), file.read_bytes().hex()) for file in files],
            "seeds": {
                "bundle": offers.hex(),
                "hotlist": blocked.hex(),
                "lease": next_lease.hex(),
                "device": device_file(about).hex(),
                "opened_lease": opened.hex(),
                "opened_bundle": siv_decrypt(siv_key(LINK_KEY), [BUNDLE_FOR], offers).hex(),
            },
            "base_bytes": BaseHead.from_bytes(blocked[:HEAD_BYTES]).bytes,
            "lease_header": next_lease[:20].hex(),
            "lease_key": enrolment._wrapping.key().hex(),
            "shift_key": terminal.device.shift.key.hex(),
            "lookup_key": VAULT.handed_out("lookup", 1).hex(),
            "tap_key": VAULT.handed_out("tap", 1).hex(),
            "link_key": LINK_KEY.hex(),
            "hotlist_key": HOTLIST_KEY.hex(),
            "aid": aid_bytes(AID).hex(),
            "handle": HANDLE.hex(),
            "blocked": BLOCKED.hex(),
            "issuer": ISSUER,
            "terminal": TERMINAL,
            "day": DAY,
        }
    path.write_text(json.dumps(content))
    return path
