"""What happens at the venues in a week: ordinary guests, and everything that goes wrong."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from card.batch import COMMITTED, MAC_BYTES, build_batch, chain_key, entry_bytes, freshness_mac, open_batch, siv_key
from card.record import ClearRecord, Proof, seal
from card.sealing import SealingKey
from card.siv import siv_decrypt, siv_encrypt
from card.wire import uint
from issuer.days import day_number
from meedoen.demo.city import City, Guest, Place
from meedoen.demo.counters import Counters
from meedoen.demo.terminals import PcTerminal, Screen
from terminal.firmware import link, results
from terminal.firmware.shift import ONCE_MORE_KEY
from terminal.firmware.sync import Report

EXCHANGES_PER_TAP = 10
POOL, MUSEUM, LIBRARY, SHOP = 101, 102, 103, 104
SECOND_AT_THE_SHOP = 105

SWIM, SPORT, LESSON, SWIMWEAR = "1#", "2#", "3#", "4#"
SWIM_CENTS, SPORT_CENTS, SWIMWEAR_CENTS, READING_CENTS = 400, 995, 1500, 250
MUSEUM_PERCENT, MUSEUM_CAP = 50, 1000
REVERSE = "A"


@dataclass(frozen=True)
class Choice:
    """What a guest comes for: the keys for it, and the cents that a yes means to the venue."""

    place: int
    keys: str
    cents: int


class Week:
    """The venues of a city for a week. The same seed, the same guests in the same order."""

    def __init__(self, city: City, guests: list[Guest], say: Callable[[str], None], seed: int) -> None:
        self._city = city
        self._guests = guests
        self._say = say
        self._chance = random.Random(seed)
        self._places = {place.number: place for place in city.places}
        self._issuer = city.issuer
        self.counters = Counters()
        self.handed_in: list[Report] = []
        self.children = [guest for guest in guests if guest.holder.person.age(city.clock.day) < 18]
        self.adults = [guest for guest in guests if guest not in self.children]

    # Ordinary guests

    def ordinary(self, count: int) -> None:
        """So many guests who come for something that their pass is for."""
        for _ in range(count):
            guest = self._chance.choice(self._guests)
            self.visit(guest, self._choice(guest in self.children))

    def _choice(self, child: bool) -> Choice:
        price = self._chance.randrange(150, 1200, 5)
        museum = Choice(MUSEUM, f"1#{2 * price}#", min(2 * price * MUSEUM_PERCENT // 100, MUSEUM_CAP))
        if not child:
            return self._chance.choice((museum, Choice(POOL, SPORT, SPORT_CENTS), museum))
        clothes = self._chance.randrange(995, 4500, 50)
        return self._chance.choice(
            (
                museum,
                Choice(POOL, SWIM, SWIM_CENTS),
                Choice(POOL, SWIM, SWIM_CENTS),
                Choice(LIBRARY, "1#", READING_CENTS),
                Choice(LIBRARY, f"2#{price}#", price),
                Choice(SHOP, f"1#{clothes}#", clothes),
            )
        )

    def visit(self, guest: Guest, choice: Choice) -> Screen:
        """Choose, hold the pass until it is not "again please", and take the result in."""
        place = self._places[choice.place]
        place.terminal.press(choice.keys, until="armed" if choice.keys != REVERSE else "reversing")
        screen = self._hold(place, guest, choice.cents)
        while screen.code in (results.AGAIN, results.SAME_AGAIN):
            if screen.code == results.SAME_AGAIN:
                # A week passes here in seconds: the same guest came for the same again, and means it.
                place.terminal.press(ONCE_MORE_KEY, until="armed")
            screen = self._hold(place, guest, choice.cents)
        place.terminal.press("*", until="choosing")
        return screen

    def _hold(self, place: Place, guest: Guest, cents: int) -> Screen:
        screen = place.terminal.hold(guest.card)
        self.counters.saw(place.name, screen, cents)
        return screen

    # What goes wrong at the venue

    def torn_at_every_exchange(self) -> None:
        """A pass is pulled away at each exchange of a tap, before and after the card did what it was told."""
        self._say("At the pool, passes are pulled away too early: at every single step of a tap, twenty times.")
        for exchange in range(1, EXCHANGES_PER_TAP + 1):
            for executed in (False, True):
                guest = self.children[(2 * exchange + executed) % len(self.children)]
                guest.card.tear_after(exchange, executed)
                self.visit(guest, Choice(POOL, SWIM, SWIM_CENTS))

    def too_expensive(self) -> None:
        """More than there is on the pass."""
        self._say("A guest asks for swimming lessons of 300 euro. There is not that much on the pass: no.")
        self.visit(self.children[0], Choice(POOL, f"{LESSON}30000#", 30000))

    def clothing_money_at_the_pool(self) -> None:
        """A venue rewrites its own list of offers to take from a purse that it may not take from."""
        self._say("The pool adds swimwear from the clothing money to its own list. Its terminal refuses: not here.")
        swimwear = Choice(POOL, SWIMWEAR, SWIMWEAR_CENTS)
        self._rewrite_bundle(allow=False)
        self.visit(self.children[1], swimwear)
        self._say(
            "It rewrites that too. The pass pays, the pool gets nothing, and the money is due back to the holder."
        )
        self._rewrite_bundle(allow=True)
        self.visit(self.children[1], swimwear)
        self.counters.at_venue[self._places[POOL].name] -= SWIMWEAR_CENTS
        self.sync_all()

    def _rewrite_bundle(self, allow: bool) -> None:
        """What the owner of a terminal can do who takes the keys out of it."""
        link_key = bytes.fromhex(self._city.secrets_of_terminal(POOL)["link_key"])
        key, associated = siv_key(link_key), [b"bundle" + uint(POOL, 4)]
        pool, backend = self._places[POOL].terminal.link(), self._city.backend()
        challenge = backend.where(POOL)[1]
        statement = pool.ask(link.HELLO, challenge, self._issuer)
        genuine = backend.bundle(POOL, challenge + statement)
        content = json.loads(siv_decrypt(key, associated, genuine[:-MAC_BYTES]))
        swimwear = {**content["offers"][0], "name": "Zwemkleding", "purse": 2, "amount": SWIMWEAR_CENTS}
        content["offers"].append(swimwear)
        content["allowed"] += [2] if allow else []
        sealed = siv_encrypt(key, associated, json.dumps(content).encode())
        nonce = bytes.fromhex(json.loads(statement[MAC_BYTES:])["nonce"])
        pool.ask(link.BUNDLE, sealed + freshness_mac(link_key, nonce, sealed), self._issuer)

    def stranger(self, guest: Guest, why: str) -> None:
        """A pass that does not count here."""
        self._say(why)
        self.visit(guest, Choice(LIBRARY, "1#", READING_CENTS))

    def reversal(self, child: int) -> None:
        """A tap that was a mistake is put back."""
        self._say("At the library somebody pressed the wrong offer. It is put back on the pass at once.")
        guest = self.children[child]
        if self.visit(guest, Choice(LIBRARY, "1#", READING_CENTS)).code == results.YES:
            self.visit(guest, Choice(LIBRARY, REVERSE, READING_CENTS))

    def power_cut(self, comes_back: bool) -> Guest:
        """The terminal loses power after the pass paid and before the terminal heard of it."""
        ends = "The guest holds the pass again: charged once" if comes_back else "The guest walks off"
        self._say(f"At the museum shop the plug is pulled in the middle of a tap. {ends}.")
        guest = self.children[3 if comes_back else 4]
        terminal = self._places[MUSEUM].terminal
        choice = Choice(MUSEUM, "2#275#", 275)
        terminal.press(choice.keys, until="armed")
        terminal.hold_until_power_cut(guest.card)
        self.counters.power_cuts += 1
        terminal.switch_on()
        if comes_back:
            self.visit(guest, choice)
        return guest

    def comes_to_the_pool_later(self) -> None:
        """Who walked off at the museum yesterday tells, with the next tap, how that one ended."""
        self._say("The guest who walked off comes to the pool. Her pass now tells the vault that she did pay.")
        self.visit(self.children[4], Choice(POOL, SWIM, SWIM_CENTS))

    def tell(self, words: str) -> None:
        """Say what happened elsewhere in the city."""
        self._say(words)

    # What goes wrong on the way to the backend

    def sync_all(self) -> None:
        """Every terminal hands in its journal and gets the lists of the day."""
        for place in self._places.values():
            self.handed_in.append(self._city.sync(place.terminal))

    def repeated_and_out_of_order(self) -> None:
        """The library's laptop sends the end of the journal first, then all of it, and then all of it again."""
        self._say("The library's laptop sends the records in the wrong order, and then twice. Nothing counts double.")
        backend, terminal = self._city.backend(), self._places[LIBRARY].terminal
        first = backend.where(LIBRARY)[0]
        whole = terminal.link().ask(link.JOURNAL, uint(first, 4), self._issuer)
        tail = terminal.link().ask(link.JOURNAL, uint(first + 2, 4), self._issuer)
        for body in (tail, whole, whole, tail):
            backend.hand_in(LIBRARY, body)

    def altered_on_the_way(self) -> None:
        """Somebody changes a byte of a batch between the museum and the backend."""
        self._say("Somebody changes a batch of the museum on its way. It is refused and kept; the real one follows.")
        backend, terminal = self._city.backend(), self._places[MUSEUM].terminal
        body = bytearray(terminal.link().ask(link.JOURNAL, uint(1, 4), self._issuer))
        body[200] ^= 1
        backend.hand_in(MUSEUM, bytes(body))

    def forged_amount(self) -> None:
        """A venue that has all keys of its own terminal invents a record with ten times the amount."""
        self._say("The clothes shop writes a sale of ten times the amount into its second terminal. No pass signed it.")
        flash = self._city.folder / f"terminal-{SECOND_AT_THE_SHOP}"
        terminal = PcTerminal(flash)
        self._city.provision(terminal, SECOND_AT_THE_SHOP)
        self._city.sync(terminal)
        shop = Place(SECOND_AT_THE_SHOP, self._places[SHOP].name, terminal)
        self._places[SECOND_AT_THE_SHOP] = shop
        self.visit(self.children[5], Choice(SECOND_AT_THE_SHOP, "1#1250#", 1250))
        self._city.sync(terminal)
        self._city.backend().hand_in(SECOND_AT_THE_SHOP, self._forged(terminal))
        # It is found out, and the terminal gets no more keys.
        self._city.revoke(SECOND_AT_THE_SHOP)
        assert self._city.is_revoked(terminal)
        self._say("It is found out. The vault revokes that terminal; at its next sync it hears so.")
        del self._places[SECOND_AT_THE_SHOP]

    def _forged(self, terminal: PcTerminal) -> bytes:
        keys = self._city.secrets_of_terminal(SECOND_AT_THE_SHOP)
        key = bytes.fromhex(keys["link_key"])
        held = open_batch(terminal.link().ask(link.JOURNAL, uint(1, 4), self._issuer), lambda number: [key])
        last = held.entries[-1]
        fields = {**vars(last.clear), "sequence": last.clear.sequence + 1, "amount1": 10 * last.clear.amount1}
        clear = ClearRecord(**{**fields, "price": fields["amount1"]}).to_bytes()
        sealing = SealingKey([(bytes.fromhex(state), day, last) for state, day, last in keys["sealing"]])
        sealing.advance(day_number(self._city.clock.day))
        invented = seal(sealing.key(), clear, Proof(bytes(16), 1, bytes(8), bytes(16)))
        position = last.position + 1
        entry = entry_bytes(chain_key(key), position, last.mac, COMMITTED, clear, invented)
        body: bytes = build_batch(key, SECOND_AT_THE_SHOP, position, last.mac, [entry])
        return body
