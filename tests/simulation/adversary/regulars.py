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
_EVENING = 18
_COMMIT = 10
_MOST_OF_THEM = 0.6


def regulars(seed: int, taps: int = TAPS, planted: str = "") -> Story:
    """So many holds of a pass, some torn, put back or repeated; with a backup, a settlement and a statement."""
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
        torn = {"tear": _COMMIT, "did": chance.randrange(2)}
        about |= chance.choice([{}] * 8 + [{"back": 1}, {"held twice": 1}, torn])
        hour = _OPENING_HOURS[guest]
        planned += [(day, hour, "tap", about)] + [(day, hour + 1, "sync", {"place": place})] * (place in _ONLINE)
    evenings = [(day, "sync", {"place": place}) for day in range(3, DAYS, 6) for place in range(_PLACES)]
    evenings += [(5, "hand in loads", {}), (14, "back up", {}), (25, "hand in loads", {})]
    evenings += [(30, "settle", {}), (33, "statement", {})]
    planned += [(day, _EVENING, kind, about) for day, kind, about in evenings]
    planned.sort(key=lambda each: (each[0], each[1], each[2] != "sync"))
    events = [
        Event(number, day, kind, {**about, "hour": hour}) for number, (day, hour, kind, about) in enumerate(planned)
    ]
    return Story(seed, GUESTS, events, planted)
