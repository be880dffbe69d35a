"""What a clerk does: take in people, make and load a pass, block one. Puts registry, rules, card and vault together."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from card.blueprint import Blueprint
from card.record import DAY_ZERO
from card.sealing import SealingKey
from card.session import Session
from card.siv import siv_encrypt
from card.wire import uint
from issuer.errors import CardRefused, DeskError
from issuer.journal import RegistryJournal
from issuer.load import Load, Loader
from issuer.people import Household
from issuer.personalise import Details, Keys, Pass, Personaliser, Reader, told_to_the_clerk
from issuer.registry import CardPass, Holder, PlannedLoad, Registry
from issuer.rekey import Rekeyer
from issuer.rules import Decision, decide
from issuer.scheme import Scheme
from issuer.vault_client import VaultAddress

# Without letters and digits that look alike.
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_HOTLIST_ENTRY = 8


def day_number(on: date) -> int:
    """Days since the day zero of records."""
    return (on - date(*DAY_ZERO)).days


@dataclass(frozen=True)
class DeskSecrets:
    """What the vault's custodian gave this desk: `issuer.json`."""

    vault: VaultAddress
    terminal: int
    link_key: bytes
    sealing: list[tuple[bytes, int, int]]
    hotlist_key: bytes

    @classmethod
    def read(cls, path: Path) -> "DeskSecrets":
        try:
            found = json.loads(path.read_text())
            place = found["vault"]
            # Files are named as seen from the folder of this one.
            files = {name: path.parent / place[name] for name in ("certificate", "key", "ca") if name in place}
            return cls(
                VaultAddress(str(place["address"]), **files),
                found["terminal"],
                bytes.fromhex(found["link_key"]),
                [(bytes.fromhex(state), day, last) for state, day, last in found["sealing"]],
                bytes.fromhex(found["hotlist_key"]),
            )
        except FileNotFoundError:
            raise DeskError(f"{path} is not there. Ask the key custodian for the desk's file.") from None
        except (KeyError, ValueError, TypeError):
            raise DeskError(f"{path} is not the desk's file, or it is damaged. Ask the key custodian again.") from None


@dataclass(frozen=True)
class Issued:
    """What came of a visit to the desk. Amounts in the unit of their purse. `renewed`: the keys that were."""

    card: CardPass
    loads: list[Load]
    balances: dict[int, int]
    renewed: list[str]


class Desk:
    """One desk of one municipality, on a day. `random(n)` gives n random bytes."""

    def __init__(
        self,
        registry: Registry,
        scheme: Scheme,
        secret: DeskSecrets,
        keys: Keys,
        random: Callable[[int], bytes],
    ) -> None:
        self._registry = registry
        self._scheme = scheme
        self._secrets = secret
        self._keys = keys
        self._random = random
        self._blueprint = Blueprint(scheme.aid, scheme.df_name, scheme.ceilings())
        self._personaliser = Personaliser(self._blueprint, keys, random)
        self._rekeyer = Rekeyer(self._blueprint, keys, random)
        self.journal = RegistryJournal(registry, secret.link_key, secret.terminal)

    @staticmethod
    def explain(holder: Holder, scheme: Scheme, on: date) -> Decision:
        """What follows from the rules for a holder, with a reason for each yes and each no."""
        return decide(holder.person, Household(1, 0), scheme, on)

    def waiting(self, on: date) -> list[Holder]:
        """Whom the rules give a pass, and who has none yet."""
        return [
            holder
            for holder in self._registry.holders()
            if self.explain(holder, self._scheme, on).grants and self._registry.pass_of(holder.id) is None
        ]

    def issue(self, holder: Holder, reader: Reader, on: date) -> Issued:
        """Make the card on the reader this holder's pass and put on it what the rules give; safe to repeat.

        Raises DeskError when the rules give nothing, CardRefused for a card that cannot be it, CardLeft when it left.
        """
        decision = self.explain(holder, self._scheme, on)
        if not decision.grants:
            raise DeskError("The rules give this person no pass; `meedoen issuer explain` says why.")
        existing, renewed = self._registry.pass_of(holder.id), list[str]()
        if existing is not None:
            existing, renewed = self.rekey(existing, reader, on)
        first, last = self._scheme.validity(on)
        generation = existing.generation if existing else 1
        details = Details(self._scheme.number, day_number(first), day_number(last), generation)
        made = self._personaliser.personalise(reader, details, lambda uid: self._admit(holder, uid))
        card = self._registry.register_pass(
            CardPass(
                holder_id=holder.id,
                uid=made.uid,
                handle=made.handle,
                generation=made.generation,
                key_versions=made.versions,
                printed_code=printed_code(),
                state="active",
                valid_from=first,
                valid_until=last,
            )
        )
        self._registry.plan(
            holder.id,
            [
                PlannedLoad(
                    holder_id=holder.id,
                    grant_number=grant.number,
                    pass_year=self._scheme.year_end(on).year,
                    purse=grant.purse,
                    amount=grant.amount,
                )
                for grant in decision.grants
            ],
        )
        issued = self.load(card, reader, on)
        return replace(issued, renewed=renewed + issued.renewed)

    def rekey(self, card: CardPass, reader: Reader, on: date) -> tuple[CardPass, list[str]]:
        """Bring the keys of the pass on the reader up to date; the pass as it is then, and what was renewed.

        Costs no exchange with the card when the registry says that there is nothing to renew.
        """
        known = Pass(card.uid, card.handle, card.generation, card.key_versions)
        keys = self._keys.card_keys(card.uid, card.generation)
        if not self._rekeyer.outdated(known, keys):
            return card, []
        if reader.find_pass() is None:
            raise CardRefused("There is no pass on the reader. Put it back and try again.")
        with told_to_the_clerk(reader):
            session = Session(reader.transmit)
            # How an earlier load ended shows only by the counter and the handle that the pass has now.
            if self.journal.open_intent(card.handle) is not None:
                self._loader(on).load(session, self._rekeyer.as_on_pass(session, known, keys), [])
            done = self._rekeyer.rekey(session, known)
        made = done.made
        return self._registry.rekeyed(made.uid, made.handle, made.generation, made.versions), done.purposes

    def _loader(self, on: date) -> Loader:
        sealing = self.journal.sealing(SealingKey(self._secrets.sealing), day_number(on))
        return Loader(self._secrets.terminal, self._blueprint.aid, sealing, self.journal, self._random)

    def load(self, card: CardPass, reader: Reader, on: date) -> Issued:
        """Write what is planned for the holder of this pass, which must be on the reader."""
        card, renewed = self.rekey(card, reader, on)
        if reader.find_pass() is None:
            raise CardRefused("There is no pass on the reader. Put it back and try again.")
        session = Session(reader.transmit)
        keys = self._keys.card_keys(card.uid, card.generation)
        planned = [
            Load(load.id, load.grant_number, load.purse, load.amount) for load in self._registry.planned(card.holder_id)
        ]
        loader = self._loader(on)
        with told_to_the_clerk(reader):
            written = loader.load(session, keys, planned)
            return Issued(card, written, loader.balances(session, keys, list(self._scheme.purses)), renewed)

    def _admit(self, holder: Holder, uid: bytes) -> None:
        """One pass a person and one person a pass."""
        there, existing = self._registry.pass_with(uid), self._registry.pass_of(holder.id)
        if there is not None and there.holder_id != holder.id:
            raise CardRefused("This card is the pass of somebody else already. Take a new card.")
        if there is not None and there.state == "blocked":
            # It stands on hotlists that terminals have; money on it could not be spent.
            raise CardRefused("This pass was blocked. Take a new card.")
        if existing is not None and existing.uid != uid:
            raise DeskError("This person has a pass already. Block it first, then make a new one.")

    def hotlist(self, on: date) -> bytes:
        """The list of blocked passes, sealed for terminals. Its version is the day, so a later list is never older."""
        entries = sorted(handle[:_HOTLIST_ENTRY] for handle in self._registry.blocked_handles())
        self._refuse_false_alarms(entries)
        version = uint(day_number(on), 4)
        plain = version + uint(day_number(on), 2) + uint(len(entries), 4) + b"".join(entries)
        sealed: bytes = version + siv_encrypt(self._secrets.hotlist_key, [b"hotlist" + version], plain)
        return sealed

    def _refuse_false_alarms(self, entries: Sequence[bytes]) -> None:
        blocked = set(entries)
        for card in self._registry.passes():
            if card.state != "blocked" and card.handle[:_HOTLIST_ENTRY] in blocked:
                raise DeskError("A pass that is not blocked looks like a blocked one; replace it before the next list.")


def printed_code() -> str:
    """A new short code for the face of a pass, like `K7QW-M2XP`."""
    letters = [secrets.choice(_CODE_LETTERS) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])
