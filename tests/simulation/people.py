"""Who does what: guests who tap, hosts who sync, clerks at the desk, finance. First as a plan, then as deeds.

A plan knows nothing of how the deeds end, so leaving one out leaves the others as they are.
"""

import random
from datetime import timedelta

from backend.errors import BankFileRefused, SettlementRefused
from hardware.in_process import InProcessReader
from issuer.errors import CardLeft, CardRefused, DeskError, VaultUnreachable
from terminal.firmware import results
from terminal.firmware.shift import REVERSE_KEY
from tests.simulation.bank import Statement, transfers_in
from tests.simulation.city import Guest
from tests.simulation.invariants import Asked, hold
from tests.simulation.place import DARK, Place
from tests.simulation.run import Run

FINANCE = "A. de Boer", "S. Yilmaz"
MOST_HOLDS = 4
GUESTS = (12, 64)
TAPS_OF_A_GUEST = 30
# A whole year when there are taps enough for it, and always the turn of the pass year.
DAYS = (60, 365)
_A_TAP_IN = 12
Planned = tuple[int, str, dict[str, int | str]]


def guests_for(taps: int) -> int:
    """How many passes the city has."""
    return min(max(taps // TAPS_OF_A_GUEST, GUESTS[0]), GUESTS[1])


def days_for(taps: int) -> int:
    return min(max(taps // 6, DAYS[0]), DAYS[1])


def plan(chance: random.Random, taps: int) -> list[Planned]:
    """`(day, what, about)` of an ordinary time, in order of day."""
    days = days_for(taps)
    planned: list[Planned] = [(chance.randrange(1, days), "tap", _tap(chance)) for _ in range(taps)]
    for place in range(5):
        day = chance.randrange(1, 4)
        while day < days:
            planned.append((day, "sync", {"place": place}))
            day += chance.choice((1, 2, 3, 4, 5, 5, 6, 7, 9, 12))
    for guest in range(guests_for(taps)):
        for month in range(0, days, 30):
            planned.append((month + chance.randrange(1, 30), "visit the desk", {"guest": guest}))
    planned += [(day, "hand in loads", {}) for day in range(2, days, 4)]
    for day in range(14, days, 21):
        planned += [(day, "settle", {}), (day + chance.randrange(1, 6), "statement", {})]
    for _ in range(max(2, taps // 150)):
        guest, day = chance.randrange(64), chance.randrange(1, days)
        planned.append((day, "lose", {"guest": guest}))
        then = chance.choice(("find", "replace", "stay away"))
        if then != "stay away":
            planned.append((day + chance.randrange(1, 20), then, {"guest": guest}))
    return sorted((each for each in planned if each[0] < days), key=lambda each: each[0])


def _tap(chance: random.Random) -> dict[str, int | str]:
    """A guest comes for something; one in so many has it put back after."""
    about: dict[str, int | str] = {
        "guest": chance.randrange(64),
        "place": chance.randrange(5),
        "offer": chance.randrange(3),
        "price": chance.randrange(150, 2600, chance.choice((1, 5, 50))),
    }
    extra = chance.randrange(3 * _A_TAP_IN)
    return about | ({"back": 1} if extra == 0 else {"held twice": 1} if extra == 1 else {})


# At a venue


def tap(run: Run, about: dict[str, int]) -> None:
    """Choose, and hold the pass until it is not "again please"; or walk off."""
    city, place, guest = run.city, run.city.place(about["place"]), run.city.guest(about["guest"])
    if place.stolen:
        return
    asked = Asked(place.terminal, city.offer(place, about["offer"]), about["price"])
    code = serve(run, place, guest, asked, about)
    if code == results.YES and about.get("held twice"):
        _hold_again(run, place, guest, asked)
    place.put_away()
    if code == results.YES and about.get("back"):
        serve(run, place, guest, Asked(asked.place, asked.offer, asked.price, reversal=True), {})
        place.put_away()


def serve(run: Run, place: Place, guest: Guest, asked: Asked, about: dict[str, int]) -> str:
    """Until there is a yes or a no, or the guest walks off; the last screen. What disturbs is in the first hold."""
    keys = REVERSE_KEY if asked.reversal else asked.offer.keys(asked.price)
    place.choose(keys)
    code = ""
    for disturbed in (about, *[{}] * (MOST_HOLDS - 1)):
        if not place.offers_something():
            return ""
        code = _hold(run, place, guest, asked, disturbed)
        if code == DARK:
            place.boot()
        if code not in (results.AGAIN, DARK) or about.get("walks"):
            return code
        if code == DARK:
            place.choose(keys)
    return code


def _hold(run: Run, place: Place, guest: Guest, asked: Asked, about: dict[str, int]) -> str:
    disturbed = "tear" in about or "cut" in about
    allowed = run.bystander.allowed(place, guest, guest.card, asked, disturbed)
    if "tear" in about:
        guest.card.tear_after(about["tear"], bool(about["did"]))
    run.taps += 1
    run.city.fresh.clear()
    code = place.code_for(guest.card, about.get("cut", -1))
    run.bystander.saw(place, guest, asked, code, allowed, DARK)
    return code


def _hold_again(run: Run, place: Place, guest: Guest, asked: Asked) -> None:
    """At once, by accident: the screen is the same, and the pass pays nothing."""
    place.press("*" + asked.offer.keys(asked.price))
    before = guest.card.counter
    run.taps += 1
    code = place.code_for(guest.card)
    hold("yes", guest.card.counter == before, f"terminal {place.terminal}, screen {code}: an accident was charged")


def sync(run: Run, about: dict[str, int]) -> None:
    """A host carries the journal to clearing and brings the lists."""
    place = run.city.place(about["place"])
    if not place.stolen:
        if "wrong" in about:
            run.city.network.wrong = about["wrong"], about["at"]
        run.city.dies_asking = bool(about.get("killed"))
        place.sync()
        if about.get("killed"):
            run.city.restart_clearing()
        run.city.network.wrong, run.city.dies_asking = None, False


# At the desk


def visit(run: Run, about: dict[str, int]) -> None:
    """Budgets of the month, and in a new pass year another last day. A clerk repeats what was torn."""
    city, guest = run.city, run.city.guest(about["guest"])
    card = guest.card
    if "tear" in about:
        card.leaves_after(about["tear"], bool(about["did"]))
    for _ in range(2 + about.get("repeats", 0)):
        try:
            city.desk.renew(guest.row, InProcessReader(card), city.today)
            if not about.get("repeats"):
                break
        except CardLeft:
            continue
        except (CardRefused, DeskError):
            break
    card.stays()


def hand_in_loads(run: Run, about: dict[str, int]) -> None:
    """The desk's journal goes to clearing."""
    try:
        refused = run.city.hand_in_loads()
    except DeskError:
        return
    hold("lost", not refused, f"clearing refused loads: {refused[:1]}")


def lose(run: Run, about: dict[str, int]) -> None:
    """A pass is lost, and its holder says so at the desk."""
    city, guest = run.city, run.city.guest(about["guest"])
    if city.row_of(guest).state == "active":
        city.desk.block(guest.code, "lost")
        city.blocked.add(guest.uid)


def find(run: Run, about: dict[str, int]) -> None:
    """It was in another coat."""
    city, guest = run.city, run.city.guest(about["guest"])
    if city.row_of(guest).state != "blocked":
        return
    try:
        city.desk.unblock(guest.code, InProcessReader(guest.card))
    except (CardRefused, VaultUnreachable):  # its keys count no more, or nobody can say what they are
        return
    city.blocked.discard(guest.uid)


def replace(run: Run, about: dict[str, int]) -> None:
    """Another pass in its place; the lost one stays blocked."""
    city, guest = run.city, run.city.guest(about["guest"])
    if city.row_of(guest).state != "blocked":
        return
    card = city.new_card()
    if city.vault_is_down:
        return
    issued = city.desk.issue(guest.holder, InProcessReader(card), city.today)
    guest.lost.append(guest.card)
    guest.card = card
    guest.row = city.desk.hand_over(issued.card.printed_code)


# Finance


def settle(run: Run, about: dict[str, int]) -> None:
    """One prepares and another approves; the bank pays what the payment order says."""
    settlements, (one, another) = run.city.clearing.settlements, FINANCE
    try:
        prepared = settlements.prepare(run.city.today - timedelta(days=1), one)
    except SettlementRefused:
        return
    settlements.approve(prepared.number, another)
    pay(run, prepared.number)


def pay(run: Run, number: str) -> None:
    """The bank carries out what the payment order says."""
    settlements = run.city.clearing.settlements
    order = settlements.payment_file(number)
    if order is None:
        return
    settlements.sent(number, FINANCE[0])
    for transfer in run.bank.carry_out(order):
        venue = run.venue_named(transfer.to)
        run.books.ordered(venue, transfer.cents)
        received, earned = run.bank.received[transfer.to], run.books.earned(venue)
        hold("paid", received <= earned, f"venue {venue} got {received} cents, and passes paid {earned}")


def statement(run: Run, about: dict[str, str]) -> None:
    """The bank says what it paid; what it says wrongly moves nothing. After a copy of clearing was put back that does
    not work out, and finance takes in again what the copy lacks."""
    if run.bank.untold:
        run.bank.state(run.city.today.isoformat(), about.get("wrong", ""))
    _read(run)
    if run.lacking is not None:
        _recover(run)


def _read(run: Run) -> None:
    """Take in the bank's statements, up to one that clearing refuses since it tells of payments that it lacks."""
    lacks = {each.end_to_end_id for order in run.lacking or () for each in transfers_in(order)}
    for said in run.bank.statements[run.read :]:
        refused = not _takes(run, said)
        hold("paid", refused == any(each.end_to_end_id in lacks for each in said.paid), "a statement is not understood")
        if refused:
            return
        run.read += 1
        for transfer in said.paid:
            run.books.paid_out(transfer.cents)
        for transfer in said.back:
            run.books.came_back(run.venue_named(transfer.to), transfer.cents)


def _takes(run: Run, said: Statement) -> bool:
    try:
        for file in said.files:
            run.city.clearing.bank.take(file, FINANCE[0])
    except BankFileRefused:
        return False
    return True


def _recover(run: Run) -> None:
    """Two people take in each order that the copy lacks; then the bank's statements fit again."""
    recovery, orders = run.city.clearing.recovery, run.lacking or ()
    for order in orders:
        for by in FINANCE:
            recovery.order(order, by)
        for transfer in transfers_in(order):
            run.books.recovered(run.venue_named(transfer.to), transfer.cents)
    run.lacking = None
    _read(run)
    recovery.end(FINANCE[1])


DEEDS = {
    "tap": tap,
    "sync": sync,
    "visit the desk": visit,
    "hand in loads": hand_in_loads,
    "lose": lose,
    "find": find,
    "replace": replace,
    "settle": settle,
    "statement": statement,
}
