"""The municipality next door, with keys and an application of its own: its passes come to our venues as well."""

import os

from card.blueprint import Blueprint
from hardware.emulated_pass import EmulatedPass
from hardware.in_process import InProcessReader
from issuer.personalise import Details, Personaliser
from issuer.vault_client import CardKeys

_KEY_NAMES = ("lookup", "handle", "picc", "application", "load", "tap", "transaction_mac")


class _Keys:
    def lookup_keys(self) -> list[bytes]:
        return [b"\x02" * 16]

    def card_keys(self, uid: bytes, generation: int) -> CardKeys:
        keys = {name: bytes([at] * 16) for at, name in enumerate(_KEY_NAMES, start=2)}
        return CardKeys(versions=dict.fromkeys(_KEY_NAMES, 1), older=[], **keys)


def make_their_pass(card: EmulatedPass) -> None:
    """Make a factory card a pass of theirs."""
    plan = Blueprint("F0E0D2", "NL.STADSPAS.0002", {1: 10000})
    Personaliser(plan, _Keys(), os.urandom).personalise(InProcessReader(card), Details(2, 0, 0xFFFF, 0))
