"""What the screens at the venues said, counted by whoever stands beside them."""

from collections import Counter
from dataclasses import dataclass, field

from meedoen.demo.terminals import Screen
from terminal.firmware import results

# The words of summary.json for the codes of the screen.
REASONS = {
    results.NOT_A_PASS: "not_a_pass",
    results.OTHER_MUNICIPALITY: "other_municipality",
    results.EXPIRED: "expired",
    results.NOT_YET_VALID: "not yet valid",
    results.BLOCKED: "blocked",
    results.PURSE_TOO_SMALL: "not_enough_budget",
    results.WRONG_VENUE: "wrong_purse_for_venue",
    results.NOTHING_TO_REVERSE: "nothing_to_reverse",
    results.LIST_TOO_OLD: "list_too_old",
    results.TERMINAL_FULL: "terminal_full",
    results.READER: "reader",
}


@dataclass
class Counters:
    """Counts of what was seen; `at_venue`: cents that the screens there said were taken or discounted."""

    approved: int = 0
    torn: int = 0
    power_cuts: int = 0
    reversals: int = 0
    declined: Counter[str] = field(default_factory=Counter)
    at_venue: Counter[str] = field(default_factory=Counter)

    @property
    def taps(self) -> int:
        """Every time a pass was held against a reader."""
        return self.approved + self.torn + self.power_cuts + self.reversals + sum(self.declined.values())

    def saw(self, venue: str, screen: Screen, cents: int) -> None:
        """Count one screen; `cents` is what a yes means to the venue."""
        if screen.code == results.YES:
            self.approved += 1
            self.at_venue[venue] += cents
        elif screen.code == results.REVERSED:
            self.reversals += 1
            self.at_venue[venue] -= cents
        elif screen.code == results.AGAIN:
            self.torn += 1
        elif screen.code != results.SAME_AGAIN:  # that one shows a yes that was counted
            self.declined[REASONS[screen.code]] += 1
