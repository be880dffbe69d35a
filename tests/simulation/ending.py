"""How a story ends: everything is handed in, audited and paid, and what is left over must have its reason."""

from collections import Counter
from datetime import timedelta

from card.wire import uint
from tests.simulation import people
from tests.simulation.adversary.linking import best_attack, passes_of
from tests.simulation.adversary.naming import all_names, names_in, said
from tests.simulation.adversary.stores import CLEARING, DESK, Stored, everybody, stored_by
from tests.simulation.chips import Committed, Name
from tests.simulation.city import OPENED
from tests.simulation.invariants import hold
from tests.simulation.place import Place
from tests.simulation.run import Run

_SYNCS = 4
# A clock that ran ahead dates a tap at most so far in the future; it is paid when that day is over.
_CLOCKS_AHEAD = timedelta(days=60)
# What the vault's audit calls a record that somebody kept back or changed, and one that a pass says did happen.
_ACCUSES = ("missing", "differs", "not_ours")
_HAPPENED = "happened"


def finish(run: Run) -> None:
    """Raises Violation."""
    city = run.city
    city.vault_is_down = False
    city.network.deliver(city.chance.of_now)
    for place in city.places:
        if not place.stolen:
            _bring_all(place)
    people.hand_in_loads(run, {})
    city.clearing.ingest.prove_pending()
    run.books.agree()
    audit = city.clearing.findings.audit()
    found = {(each.kind, each.terminal, each.sequence) for each in audit.findings}
    _nothing_is_lost(run, found)
    _the_dishonest_are_found(run, found)
    city.today += _CLOCKS_AHEAD
    if run.lacking is not None:
        people.statement(run, {})
    people.settle(run, {})
    people.statement(run, {})
    run.books.agree()
    _all_is_paid(run)
    kept = {party: stored_by(run, party) for party in everybody(run.city) if party != DESK}
    _nothing_personal(run, kept)
    _nothing_linked(run, kept[CLEARING])
    _a_destroyed_year_is_gone(run)


def _bring_all(place: Place) -> None:
    for _ in range(_SYNCS):
        said = place.sync()
        if not said:
            return
    hold("lost", bool(place.spoilt), f"terminal {place.terminal} cannot be synced: {said}")


def _nothing_is_lost(run: Run, found: set[tuple[str, int, int]]) -> None:
    after = {(done.uid, done.counter): done.name for done in run.city.truth.values()}
    with run.city.clearing.store.transaction() as tx:
        for name, done in run.books.waiting.items():
            row = tx.journal.record(name.terminal, name.sequence)
            told = {(kind, *name[:2]) for kind in (*_ACCUSES, _HAPPENED)} & found
            witness = after.get((done.uid, done.counter + 1)) in run.books.proven
            state = row.state if row is not None else "not there"
            what = f"{name[:2]} was committed and is {state}"
            hold("lost", bool(told) or not witness, f"{what}, and the audit does not say so")
            hold("lost", state == "in_doubt" or run.city.has_a_reason(name.terminal), what)


def _the_dishonest_are_found(run: Run, found: set[tuple[str, int, int]]) -> None:
    with run.city.clearing.store.transaction() as tx:
        items = {(item.terminal, item.reason) for item in tx.quarantine.items(True)}
    accused = {terminal for terminal, _ in items} | {terminal for kind, terminal, _ in found if kind in _ACCUSES}
    honest = {place.terminal for place in run.city.places if not place.spoilt}
    hold("dishonest", not accused & honest, f"honest venues are accused: {sorted(accused & honest)} by {sorted(items)}")
    for terminal, forger in run.forgers:
        if forger.did is not None and _leaves_a_trace(run, forger.did):
            hold("dishonest", terminal in accused, f"terminal {terminal} forged {forger.did[:2]} and is not found")
    for terminal in run.cloned:
        hold("dishonest", terminal in accused, f"terminal {terminal} has two journals and is not found")


def _leaves_a_trace(run: Run, name: Name) -> bool:
    """A record that was left out shows when its pass did something after; one that is false shows at once."""
    done: Committed | None = run.city.truth.get(name)
    if done is None:
        return True
    later = (each for each in run.city.truth.values() if (each.uid, each.counter) == (done.uid, done.counter + 1))
    return any(each.name in run.books.proven for each in later)


def _all_is_paid(run: Run) -> None:
    for (account, unit), cents in run.books.expected.items():
        if account.startswith(("venue", "transit")) and unit == "cent":
            hold("paid", cents <= 0, f"{account} is still owed {cents} cents at the end")
    taken = _taken_from_passes(run)
    for name, cents in run.bank.received.items():
        venue = run.venue_named(name)
        booked = run.books.paid[venue]
        hold("paid", cents == booked, f"the bank paid {cents} cents to {name}, and {booked} of it are in the books")
        # More than the books say that it earned, when records that were paid got lost with the disk and the terminal.
        hold("paid", cents <= taken[venue], f"{name} got {cents} cents, and passes paid {taken[venue]}")


def _taken_from_passes(run: Run) -> Counter[int]:
    """By venue, what it is owed for all that passes ever committed there, whatever became of the records."""
    taken: Counter[int] = Counter()
    for name in run.city.truth:
        asked = run.bystander.asked.get(name)
        if asked is not None and not asked.reversal:
            unit = run.city.scheme.purses[asked.offer.purse].unit
            taken[asked.offer.venue] += asked.offer.owed(asked.price, unit)
    return taken


def _nothing_personal(run: Run, kept: dict[str, Stored]) -> None:
    """Nothing that names a pass or a person in what clearing, vault and venues keep; the desk alone knows."""
    # All in one go: there are some ten thousand ways to write down a person, to be put in order first.
    files = {name: content for stored in kept.values() for name, content in stored.files.items()}
    found = names_in(files, all_names(run))
    hold("personal", not found, said(found))


def _nothing_linked(run: Run, kept: Stored) -> None:
    """Clearing cannot tell which taps are of one pass."""
    attack = best_attack(kept, passes_of(run))
    hold("linked", not attack.links, str(attack))


def _a_destroyed_year_is_gone(run: Run) -> None:
    """Who has the vault and all UIDs after a year was destroyed cannot tell whose rows of that year are whose."""
    year, vault = OPENED.year, run.city.vault
    if run.city.today.year == year:
        return
    with run.city.clearing.store.transaction() as tx:
        rows = [row.nullifier for row in tx.journal.proven() if row.happened_on.year == year]
    run.city.destroy_year(year)
    about = [done.uid + uint(1, 1) + uint(done.counter, 4) for done in run.city.truth.values()]
    for left in vault.register.keys["nullifier"]:
        made = vault.store.cmacs(("nullifier", int(left)), b"".join(about), len(about[0]))
        told = {made[at : at + 16].hex() for at in range(0, len(made), 16)} & set(rows)
        hold("year", not told, f"{len(told)} of {len(rows)} transactions of {year} can be told with the key of {left}")
