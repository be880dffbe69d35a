"""A counter with people, a reader and a vault, for the pages of the desk."""

import json
import os
from dataclasses import replace
from datetime import date

from hardware.in_process import InProcessReader
from issuer.balance import Balance
from issuer.desk import Desk
from issuer.people import Person
from issuer.web.config import Counter
from tests.city import DirectKeys, desk_secrets
from tests.issuer.a_registry import take

CHILD = Person("1", "Vos", "de", "Sam", date(2015, 5, 1), 110, school="primary")
MOTHER = Person("1", "Vos", "de", "Ilse", date(1985, 3, 2), 110, frozenset({"carer"}))
STRANGER = Person("2", "Bos", "", "Ali", date(1990, 7, 3), 120)
RICH = Person("3", "Rijk", "", "Bea", date(1970, 1, 1), 130)
PEOPLE = (CHILD, MOTHER, STRANGER, RICH)


class CounterReader(InProcessReader):
    """The reader at the counter: a test puts a card on it and takes it off."""

    def put(self, card) -> None:
        self.present(card)


def counter_of(config, reader, held=None) -> Counter:
    """A counter over a registry; `reader()` opens its reader. The vault says that a lost pass held `held`."""

    def desk(by, tell):
        day = (config.today() - date(2020, 1, 1)).days
        return Desk(config.registry, config.scheme, desk_secrets(day), DirectKeys(), os.urandom, config.now, by, tell)

    def balance(request, signatures):
        assert json.loads(request)["municipality"] == config.scheme.number
        assert len({bytes(each) for each in signatures}) == 2
        return Balance(held or {}, config.today())

    return Counter(desk, reader, balance)


def with_counter(config, reader, held=None):
    """The config of a desk with people in its registry and a reader."""
    take(config.registry, PEOPLE, config.today())
    return replace(config, counter=counter_of(config, reader, held))
