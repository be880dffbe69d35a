"""What goes wrong: by chance with the deeds of people, and as events of its own.

`spoil` makes of an ordinary plan one with faults; it only adds to it, so each of them can be left out again.
"""

import random
import shutil

from backend.errors import LinkError
from hardware.in_process import InProcessReader
from issuer.errors import DeskError
from tests.simulation import bank
from tests.simulation.dishonest import CHEATS, Forger, add_offer, double
from tests.simulation.invariants import Asked, hold
from tests.simulation.network import WRONGS
from tests.simulation.offers import Offer
from tests.simulation.people import FINANCE, Planned, serve
from tests.simulation.place import Place
from tests.simulation.run import BACKUP, Run

PLACES = 5
EXCHANGES = 12
COMMIT = 10
# Where a visit to the desk in a new year commits its loads.
LOADED = (22, 22, 22, 29, 29, 36)
# Intent, outcome, and an earlier tap that is settled, with the first slot of a block between.
BYTES_OF_A_TAP = 520
ROTATED = ("load", "lookup", "tap", "hotlist")


def spoil(chance: random.Random, planned: list[Planned], days: int) -> list[Planned]:
    """The same plan with faults in it, in order of day."""
    spoilt = [_disturbed(chance, *each) for each in planned]
    return sorted(spoilt + [each for each in _own(chance, days) if each[0] < days], key=lambda each: each[0])


def _disturbed(chance: random.Random, day: int, kind: str, about: dict[str, int | str]) -> Planned:
    more: dict[str, int | str] = {}
    dice = chance.random()
    if kind == "tap" and dice < 0.12:
        # The commit is where it matters most.
        more = {"tear": chance.choice((*range(1, EXCHANGES), COMMIT, COMMIT, COMMIT)), "did": chance.randrange(2)}
    elif kind == "tap" and dice < 0.18:
        more = {"cut": chance.randrange(BYTES_OF_A_TAP)}
    elif kind == "sync" and dice < 0.25:
        more = {"wrong": chance.choice(WRONGS), "at": chance.randrange(6)}
    elif kind == "sync" and dice < 0.28:
        more = {"killed": 1}
    elif kind == "statement" and dice < 0.5:
        more = {"wrong": chance.choice(bank.WRONGS)}
    elif kind == "visit the desk" and dice < 0.3:
        more = {"tear": chance.choice((*range(1, 40), *LOADED)), "did": chance.randrange(2)}
    elif kind == "visit the desk" and dice < 0.4:
        more = {"repeats": 2}
    if kind == "tap" and more and chance.random() < 0.4:
        more["walks"] = 1
    return day, kind, about | more


def _own(chance: random.Random, days: int) -> list[Planned]:
    """Faults that are events."""
    some_day = lambda: chance.randrange(2, days)  # noqa: E731
    made: list[Planned] = [(day, "deliver late", {}) for day in range(7, days, 7)]
    made += [(some_day(), "restart", {}) for _ in range(3)]
    made += [(some_day(), "rotate", {"key": chance.choice(ROTATED)}) for _ in range(2)]
    made += [(some_day(), "two desks", {"guest": chance.randrange(64)}) for _ in range(2)]
    made += [(some_day(), "rot", {"place": chance.randrange(PLACES), "at": chance.randrange(1 << 16)})]
    made += [(some_day(), "clock", {"place": chance.randrange(PLACES), "days": chance.choice((-30, -2, 2, 9, 40))})]
    made += [(some_day(), "cheat", {"place": chance.randrange(PLACES), "how": chance.choice(CHEATS)})]
    made += [(some_day(), "clone", {"place": chance.randrange(PLACES), "guest": chance.randrange(64)})]
    made += [
        (some_day(), "smuggle", {"place": chance.randrange(PLACES), "guest": chance.randrange(64)}) for _ in range(3)
    ]
    made += [(some_day(), "steal", {"place": chance.randrange(PLACES)})]
    for kind in ("vault down", "back up"):
        day = some_day()
        after, within = {"vault down": ("vault up", 6), "back up": ("roll back", 30)}[kind]
        made += [(day, kind, {}), (day + chance.randrange(1, within), after, {})]
    return made


# The servers


def deliver_late(run: Run, about: dict[str, int]) -> None:
    """What was under way for days arrives, in another order."""
    run.city.network.deliver(run.city.chance.of_now)


def restart(run: Run, about: dict[str, int]) -> None:
    """Clearing stops and starts."""
    run.city.restart_clearing()


def vault_down(run: Run, about: dict[str, int]) -> None:
    run.city.vault_is_down = True


def vault_up(run: Run, about: dict[str, int]) -> None:
    """It answers again, and what waited is proven."""
    run.city.vault_is_down = False
    try:
        run.city.clearing.ingest.prove_pending()
    except LinkError as error:
        hold("lost", False, f"the vault is there and does not answer: {error}")


def back_up(run: Run, about: dict[str, int]) -> None:
    """A copy of clearing's folder, and of what is known of the books in it."""
    run.city.stop_clearing()
    folder = run.city.folder
    shutil.rmtree(folder / BACKUP, ignore_errors=True)
    shutil.copytree(folder / "backend", folder / BACKUP)
    run.keep_books()
    run.city.start_clearing()


def roll_back(run: Run, about: dict[str, int]) -> None:
    """The disk of clearing breaks and the copy takes its place; terminals bring again what it lacks, and finance takes
    in again what the bank got and said since, at its next statement."""
    if not run.may_go_back:
        return
    city = run.city
    city.stop_clearing()
    shutil.rmtree(city.folder / "backend")
    shutil.copytree(city.folder / BACKUP, city.folder / "backend")
    run.books_of_then()
    city.start_clearing()
    city.clearing.recovery.begin(FINANCE[0])


def rotate(run: Run, about: dict[str, str]) -> None:
    """The custodians make a new version of a key, in the middle of everything."""
    run.city.rotate(about["key"])


def two_desks(run: Run, about: dict[str, int]) -> None:
    """A second desk wants to make a pass for somebody who has one."""
    city, guest = run.city, run.city.guest(about["guest"])
    card = city.new_card()
    try:
        city.desk.issue(guest.holder, InProcessReader(card), city.today)
    except DeskError:  # or the vault is down
        hold("conservation", not any(card.balances.values()), "a second pass was loaded for one holder")
        return
    hold("conservation", city.row_of(guest).state not in ("active", "encoded"), "one holder has two passes")
    guest.lost.append(guest.card)
    guest.card = card


# The terminals


def rot(run: Run, about: dict[str, int]) -> None:
    """A bit of its flash turns."""
    place = run.city.place(about["place"])
    written = place.storage.content.rstrip(b"\xff")
    if written:
        at = about["at"] % len(written)
        place.storage.content[at] ^= 1 << about["at"] % 8
        place.spoilt.add("rot")


def clock(run: Run, about: dict[str, int]) -> None:
    """Its clock jumps; the next sync sets it right."""
    run.city.place(about["place"]).skew = about["days"]


def steal(run: Run, about: dict[str, int]) -> None:
    """It is gone with what it held, and gets no more keys."""
    place = run.city.place(about["place"])
    place.stolen = True
    run.city.vault.register.terminals[str(place.terminal)].revoked_on = run.city.today.isoformat()
    had = place.about()["lease"]
    place.sync()
    hold("dishonest", place.about()["lease"] == had, f"stolen terminal {place.terminal} got keys")
    place.spoilt.add("stolen")


def cheat(run: Run, about: dict[str, int | str]) -> None:
    """From now on the host of a venue waits for a record to meddle with."""
    place = run.city.place(int(about["place"]))
    if place.terminal not in run.city.network.meddlers:
        forger = Forger(run.city, place, str(about["how"]))
        run.city.network.meddlers[place.terminal] = forger
        run.forgers.append((place.terminal, forger))
        place.spoilt.add("forged")


def smuggle(run: Run, about: dict[str, int]) -> None:
    """A venue adds an offer on a purse that it may not take from to its own bundle, and holds a pass."""
    place, guest = run.city.place(about["place"]), run.city.guest(about["guest"])
    forbidden = sorted(set(run.city.scheme.purses) - place.venue.purses)
    if place.stolen or place.lists_may_be_old or not forbidden:
        return
    place.begin()
    last = add_offer(place, forbidden[0])
    offer = Offer(place.venue.number, last, forbidden[0], "fixed", 1, 0, 0, False)
    serve(run, place, guest, Asked(place.terminal, offer, 0, smuggled=True), {})
    place.put_away()
    place.sync()


def clone(run: Run, about: dict[str, int]) -> None:
    """A venue copies its terminal, serves a guest on each, and hands both journals in."""
    place, guest = run.city.place(about["place"]), run.city.guest(about["guest"])
    if place.stolen or place.spoilt:
        return
    twin = double(place)
    place.spoilt.add("cloned")
    twin.spoilt = place.spoilt
    offer, took = place.venue.offers[-1], list[Place]()
    # The first again, for its own next record does not follow the one that is held.
    for price, device in ((300, twin), (305, place), (310, place)):
        device.choose(offer.keys(price))
        if device.offers_something():
            run.city.fresh.clear()
            device.code_for(guest.card)
            for done in run.city.fresh:
                run.bystander.asked[done.name] = Asked(place.terminal, offer, price)
                took.append(device)
        device.put_away()
    for device in (twin, place):
        device.sync()
    if len(took) == 3:
        run.cloned.append(place.terminal)


DEEDS = {
    "deliver late": deliver_late,
    "restart": restart,
    "vault down": vault_down,
    "vault up": vault_up,
    "back up": back_up,
    "roll back": roll_back,
    "rotate": rotate,
    "two desks": two_desks,
    "rot": rot,
    "clock": clock,
    "steal": steal,
    "cheat": cheat,
    "clone": clone,
    "smuggle": smuggle,
}
