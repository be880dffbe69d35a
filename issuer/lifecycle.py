"""The life of a pass: its states, what may follow on what, and the words for each of them.

| state | it is | the holder hears | a terminal says |
|---|---|---|---|
| stock | a blank card set aside for somebody | your pass is being made | – |
| printed | a card with a face, without a chip that works | your pass is being made | not a pass |
| encoded | ready, with its budgets, and still at the desk | your pass is ready | yes |
| handed_over | on its way by post, or given to somebody for the holder | your pass was sent | yes |
| active | with its holder | your pass works | yes |
| blocked | lost, stolen or closed by the desk; it can be opened again at the desk | your pass is blocked | blocked |
| replaced | another pass took its place; it never works again | you have a new pass | blocked |
| expired | its last day is over | your pass has ended | not valid any more |
| destroyed | shredded at the desk | your pass was destroyed | blocked |
"""

from issuer.errors import DeskError

STATES = ("stock", "printed", "encoded", "handed_over", "active", "blocked", "replaced", "expired", "destroyed")

FOLLOWS: dict[str, tuple[str, ...]] = {
    "stock": ("printed", "encoded", "destroyed"),
    "printed": ("encoded", "destroyed"),
    "encoded": ("handed_over", "active", "blocked", "expired", "destroyed"),
    "handed_over": ("active", "blocked", "expired", "destroyed"),
    "active": ("blocked", "expired", "destroyed"),
    "blocked": ("active", "replaced", "destroyed"),
    "replaced": ("destroyed",),
    # The same card, renewed for another year.
    "expired": ("active", "blocked", "destroyed"),
    "destroyed": (),
}
# The one pass that a holder has or is about to have.
CURRENT = ("stock", "printed", "encoded", "handed_over", "active")
# With its holder, or on its way there.
IN_USE = ("handed_over", "active")
# The pass to renew, when there is no current one.
LAST_YEARS = "expired"
# Terminals refuse them by the hotlist until their last day is over; after that they refuse them by the date. One that
# was said to be destroyed as well: whoever said so may have been mistaken.
ON_HOTLIST = ("blocked", "replaced", "destroyed")
# With these a pass comes onto it or goes off it.
CHANGE_HOTLIST = (*ON_HOTLIST, "active")

# State, and what it is for a clerk: Dutch, English.
WORDS: dict[str, tuple[str, str]] = {
    "stock": ("klaargelegd", "set aside"),
    "printed": ("geprint", "printed"),
    "encoded": ("klaar aan de balie", "ready at the desk"),
    "handed_over": ("onderweg", "on its way"),
    "active": ("in gebruik", "in use"),
    "blocked": ("geblokkeerd", "blocked"),
    "replaced": ("vervangen", "replaced"),
    "expired": ("verlopen", "ended"),
    "destroyed": ("vernietigd", "destroyed"),
}


def check(before: str, after: str) -> None:
    """Refuse what cannot happen to a pass, in words."""
    if after not in FOLLOWS[before]:
        raise DeskError(
            "This pass is {before}, so it cannot become {after}.", before=WORDS[before][1], after=WORDS[after][1]
        )
