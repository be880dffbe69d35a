"""The kinds of exceptions, in the order of their screens, and how a case is called.

A case is called `item:17` (a refused batch or entry, by its number in quarantine), `gap:101.5-7` (positions 5 to 7 of
terminal 101), `overdue:101`, `returned:MD-1-2026-001-5` (a payment), `bank_entry:3`, or by kind, terminal and
sequence of a record, as `doubt:101.9`.
"""

# How an item of quarantine is called, whatever its kind.
ITEM = "item"

UNREADABLE = "unreadable"
TWO_JOURNALS = "two_journals"
GAP = "gap"
DOUBT = "doubt"
NOT_PROVEN = "not_proven"
REPLAY = "replay"
REFUSED = "refused"
CONTRADICTION = "contradiction"
OVERDUE = "overdue"
MISSING = "missing"
FOREIGN = "foreign"
DIFFERS = "differs"
RETURNED = "returned"
BANK_ENTRY = "bank_entry"

# What can be done about each, beside looking; `close` and `book` take two people.
ACTIONS: dict[str, tuple[str, ...]] = {
    UNREADABLE: ("retry", "close"),
    TWO_JOURNALS: ("retry", "close"),
    GAP: ("close",),
    DOUBT: ("book", "close"),
    NOT_PROVEN: ("retry", "close"),
    REPLAY: ("retry", "close"),
    REFUSED: ("retry", "close"),
    CONTRADICTION: ("retry", "close"),
    OVERDUE: (),
    MISSING: ("close",),
    FOREIGN: ("close",),
    DIFFERS: ("close",),
    # Dealt with where they are: the next settlement pays, and two people decide at the bank.
    RETURNED: (),
    BANK_ENTRY: (),
}
KINDS = tuple(ACTIONS)

# Why two people close a case.
CLOSE_REASONS = ("device_lost", "flash_damaged", "pass_lost", "never_ours", "test", "settled_elsewhere", "other")

STATUSES = ("open", "proposed", "closed", "resolved")

# Reasons in quarantine, and the kind that they make an item.
BATCH_REASONS = {
    "format": UNREADABLE,
    "terminal": UNREADABLE,
    "mac": UNREADABLE,
    "chain": UNREADABLE,
    "record": UNREADABLE,
    "two journals": TWO_JOURNALS,
}
ENTRY_REASONS = {
    "seal": NOT_PROVEN,
    "handle": NOT_PROVEN,
    "mac": NOT_PROVEN,
    "record": NOT_PROVEN,
    "year": NOT_PROVEN,
    "replay": REPLAY,
    "sequence": CONTRADICTION,
    "offer": REFUSED,
    "offer venue": REFUSED,
    "offer day": REFUSED,
    "amount": REFUSED,
    "purse": REFUSED,
    "load": REFUSED,
    "desk": REFUSED,
    "grant": REFUSED,
    "terminal": REFUSED,
}


def item_id(number: int) -> str:
    return f"{ITEM}:{number}"


def gap_id(terminal: int, first: int, last: int) -> str:
    return f"gap:{terminal}.{first}-{last}"


def record_id(kind: str, terminal: int, sequence: int) -> str:
    return f"{kind}:{terminal}.{sequence}"


def returned_id(payment: str) -> str:
    return f"{RETURNED}:{payment}"


def bank_entry_id(number: int) -> str:
    return f"{BANK_ENTRY}:{number}"


def overdue_id(terminal: int) -> str:
    return f"{OVERDUE}:{terminal}"
