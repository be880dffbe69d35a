"""A small municipality to practise in: vault, desk and backend in one process, and a pass for all that happens.

Nothing of it is kept, and none of its keys is a key of anybody.
"""

import os
from pathlib import Path

from card.blueprint import Blueprint
from hardware.emulated_pass import EmulatedPass, inspect
from hardware.in_process import InProcessReader
from issuer import importing
from issuer.days import day_number
from issuer.personalise import Details, Personaliser
from keys.days import today
from keys.hand_out import device_keys
from keys.register import Terminal as KnownTerminal
from meedoen.demo.city import City
from meedoen.demo.neighbours import make_their_pass
from terminal.firmware.shift import Shift
from terminal.host import Link, enrol, provision, sync
from terminal.simulator.simulator import TrainingPass

TERMINAL = 101
_VENUES = Path(__file__).with_name("training.toml")
# Two carers: the rules give them a budget and visits.
_PEOPLE = """huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse;mantelzorger
1;Sam;de;Vos;01-05-1985;100;ja
2;Noor;;Smit;15-01-1990;100;ja
"""


class TrainingCity:
    """What a simulator practises with; `folder` is emptied first."""

    def __init__(self, folder: Path) -> None:
        self._city = City(folder, today(), on_micropython=False)
        self._city.clearing.venues.import_file(_VENUES, self._city.clock.day)
        self._blueprint = Blueprint(self._city.scheme.aid, self._city.scheme.df_name, self._city.scheme.ceilings())
        self.passes = self._make_passes()

    def provision(self, link: Link) -> None:
        """As the custodian and the host do it."""
        vault = self._city.vault
        vault.register.terminals[str(TERMINAL)] = KnownTerminal(enrol(link))
        provision(link, device_keys(vault, TERMINAL), vault.lease(TERMINAL, 0))
        sync(link, self._city.backend(), self._city.desk.hotlist(self._city.clock.day))

    def holds(self, card: EmulatedPass, language: int) -> str:
        """What is on a pass of ours: the purses that have something in them, or nought of the first."""
        applications = inspect(card.memory)["applications"]
        ours = applications.get(self._blueprint.aid.hex().upper())
        if ours is None:
            return ""
        values = {number: file["value"] for number, file in ours["files"].items() if "value" in file}
        first = min(values)
        return ", ".join(
            self._amount(number, value, language) for number, value in values.items() if value or number == first
        )

    def close(self) -> None:
        self._city.close()

    def _amount(self, purse: int, value: int, language: int) -> str:
        said: str = Shift(language).amount(self._city.scheme.purses[purse].unit, value)
        return said.replace("€ ", "€\N{NO-BREAK SPACE}")

    def _make_passes(self) -> list[TrainingPass]:
        city, cards = self._city, [self._city.new_card(number)[0] for number in range(1, 6)]
        day = day_number(city.clock.day)
        with city.registry.transaction() as session:
            run, _ = importing.upload(session, _PEOPLE.encode(), "desk", city.clock(), city.clock.day)
            importing.accept(session, run.id, "desk", city.clock(), city.clock.day)
        guests = [city.issue(holder, card, city.cards) for holder, card in zip(city.holders(), cards[:2], strict=True)]
        city.desk.block(guests[1].code, "lost")
        self._personalise(cards[2], day - 30, day + 300)
        self._personalise(cards[3], day - 400, day - 35)
        make_their_pass(cards[4])
        return [
            TrainingPass(
                "budget", ("Pas met tegoed", "Pass with budget"), ("Een gewone pas.", "An ordinary pass."), cards[0]
            ),
            TrainingPass(
                "empty",
                ("Lege pas", "Empty pass"),
                ("Er staat niets meer op.", "Nothing is left on it."),
                cards[2],
            ),
            TrainingPass(
                "blocked",
                ("Geblokkeerde pas", "Blocked pass"),
                ("De houder had hem verloren.", "Its holder had lost it."),
                cards[1],
            ),
            TrainingPass(
                "expired",
                ("Verlopen pas", "Expired pass"),
                ("Van vorig jaar, niet verlengd.", "Of last year, not renewed."),
                cards[3],
            ),
            TrainingPass(
                "neighbours",
                ("Pas van de buren", "Pass of the neighbours"),
                ("Van een andere gemeente.", "Of another municipality."),
                cards[4],
            ),
            TrainingPass(
                "bank",
                ("Bankpas", "Bank card"),
                ("Geen pas van een gemeente.", "No pass of a municipality."),
                _BankCard(city.new_card(6)[0].memory),
            ),
        ]

    def _personalise(self, card: EmulatedPass, valid_from: int, valid_until: int) -> None:
        details = Details(self._city.scheme.number, valid_from, valid_until, valid_from)
        Personaliser(self._blueprint, self._city.vault_client, os.urandom).personalise(InProcessReader(card), details)


class _BankCard(EmulatedPass):
    """A card with a chip of another kind: it knows none of our commands."""

    def exchange(self, command: bytes) -> bytes:
        super().exchange(command)
        return b"\x6d\x00"
