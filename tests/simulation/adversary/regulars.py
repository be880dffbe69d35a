"""A town of people with habits: each comes at an hour of their own, and some terminals are online all day.

So whatever is stored of the hour in which something happened, or of the order in which things did, tells who it was.
Venues, offers, prices and days are drawn apart from people: they tell nothing.
"""

import random

from tests.simulation.replay import Event, Story

GUESTS, DAYS, TAPS = 8, 40, 100
_PLACES, _MUSEUM = 5, 1
_ONLINE = (0, _MUSEUM)
_OPENING_HOURS = range(9, 9 + GUESTS)
_COMMIT = 10
_MOST_OF_THEM = 0.6


def regulars(seed: int, taps: int = TAPS, planted: str = "") -> Story:
    """A story of so many holds of a pass, some torn, put back or repeated; with a backup, a settlement and a statement."""
    chance = random.Random(seed)
    planned = [
        (day, _OPENING_HOURS[guest], "visit the desk", {"guest": guest})
        for guest in range(GUESTS)
        for day in (0, 15 + guest)
    ]
    for _ in range(taps):
        guest, day = chance.randrange(GUESTS), chance.randrange(1, DAYS)
        place = _MUSEUM if chance.random() < _MOST_OF_THEM else chance.randrange(_PLACES)
        about = {"guest": guest, "place": place, "offer": 0 if place == _MUSEUM else chance.randrange(3)}
        about["price"] = chance.randrange(150, 1200, 50)
        about |= chance.choice([{}] * 8 + [{"back": 1}, {"held twice": 1}, {"tear": _COMMIT, "did": chance.randrange(2)}])
        hour = _OPENING_HOURS[guest]
        planned += [(day, hour, "tap", about)] + [(day, hour + 1, "sync", {"place": place})] * (place in _ONLINE)
    planned += [(day, 18, "sync", {"place": place}) for day in range(3, DAYS, 6) for place in range(_PLACES)]
    planned += [*((day, 18, "hand in loads", {}) for day in (5, 25)), (14, 18, "back up", {}), (30, 18, "settle", {}), (33, 18, "statement", {})]
    planned.sort(key=lambda each: (each[0], each[1], each[2] != "sync"))
    events = [
        Event(number, day, kind, {**about, "hour": hour}) for number, (day, hour, kind, about) in enumerate(planned)
    ]
    return Story(seed, GUESTS, events, planted)
