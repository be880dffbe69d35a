"""The order of a sync, the same for a host with a cable and for a board with Wi-Fi.

First the journal goes out, then keys and offers come in, and the lists of blocked passes last: a terminal that gets no
keys any more has handed in what it holds. It may stop anywhere and begin again.
"""

import json

from card.batch import MAC_BYTES
from card.wire import uint
from terminal.firmware import link
from terminal.firmware.errors import BackendUnreachable, VaultUnreachable

# Each brings at least one entry to the backend; a journal that fills while it is handed in waits for the next sync.
_MOST_BATCHES = 20000


class Report:
    """What a sync did. `lease_until`: the last day of the keys, None when they have ended."""

    def __init__(self, terminal):
        self.terminal = terminal
        self.handed_in = 0
        self.refused = []
        self.open_doubts = 0
        self.lease_until = None
        self.warning = None


def sync(ask, backend, book, progress):
    """Sync one municipality's book up to the lists of blocked passes; the Report.

    `ask(kind, content, issuer)` puts a question to the terminal and gives the answer's content. `book` is what HELLO
    says of it. `backend`: `where(terminal)` gives the position that it lacks and a challenge, `hand_in(terminal,
    batch)` the position after it and what was refused; `lease(terminal, number)` and `bundle(terminal, statement)` give
    bytes. While the vault cannot be reached the keys that are there still count, and the report has a warning.
    """
    issuer, terminal = book["issuer"], book["terminal"]
    report = Report(terminal)
    position, challenge = backend.where(terminal)
    position = _hand_in(ask, backend, issuer, position, book["journal"], report, progress)
    try:
        ask(link.LEASE, backend.lease(terminal, book["lease"]), issuer)
    except VaultUnreachable as error:
        report.warning = str(error)
    statement = ask(link.HELLO, challenge, issuer)
    said = json.loads(statement[MAC_BYTES:])
    # Guests do not wait for a sync: what they did since is handed in before the backend hears how much there is.
    _hand_in(ask, backend, issuer, position, said["journal"], report, progress)
    ask(link.BUNDLE, backend.bundle(terminal, challenge + statement), issuer)
    report.open_doubts, report.lease_until = said["doubts"], said["lease_until"]
    return report


def _hand_in(ask, backend, issuer, position, count, report, progress):
    """Hand in from `position` up to entry `count`; the position after it."""
    for _ in range(_MOST_BATCHES):
        if position > count:
            break
        after, refused = backend.hand_in(report.terminal, ask(link.JOURNAL, uint(position, 4), issuer))
        report.refused += refused
        if after <= position:
            raise BackendUnreachable("The backend keeps asking for the same records; see its exceptions.")
        report.handed_in += after - position
        position = after
        progress(position - 1, count)
    return position
