"""What a clerk does: make, load, hand over, block, replace. Puts registry, rules, card and vault together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from card.blueprint import Blueprint
from card.sealing import SealingKey
from card.session import Session as CardSession
from issuer import hotlist, printed_code
from issuer.days import day_number
from issuer.deciding import decide_for
from issuer.errors import CardRefused, DeskError
from issuer.hotlist import ListKeys
from issuer.journal import RegistryJournal
from issuer.lifecycle import CURRENT, LAST_YEARS
from issuer.load import Load, Loader, balances
from issuer.personalise import Details, Keys, Personaliser, Reader, Tell, told_to_the_clerk, unheard
from issuer.registry import Registry, loads, passes, people
from issuer.registry.tables import CardPass, Holder
from issuer.rekey import Rekeyer
from issuer.scheme import Scheme
from issuer.vault_client import CardKeys, VaultAddress
from web.outside import from_json

_NO_PASS = "The rules give this person no pass; `meedoen issuer explain` says why."
_NOTHING_THERE = "There is no pass on the reader. Put it back and try again."


@dataclass(frozen=True)
class DeskSecrets:
    """What the vault's custodian gave this desk: `issuer.json`."""

    vault: VaultAddress
    terminal: int
    link_key: bytes
    sealing: list[tuple[bytes, int, int]]
    lists: ListKeys

    @classmethod
    def read(cls, path: Path) -> "DeskSecrets":
        try:
            found = from_json(path.read_text())
            place = found["vault"]
            # Files are named as seen from the folder of this one.
            files = {name: path.parent / place[name] for name in ("certificate", "key", "ca") if name in place}
            return cls(
                VaultAddress(str(place["address"]), **files),
                found["terminal"],
                bytes.fromhex(found["link_key"]),
                [(bytes.fromhex(state), day, last) for state, day, last in found["sealing"]],
                ListKeys(*(bytes.fromhex(found[name]) for name in ("hotlist_key", "signing_key", "certificate"))),
            )
        except FileNotFoundError:
            raise DeskError("{path} is not there. Ask the key custodian for the desk's file.", path=path) from None
        except (KeyError, ValueError, TypeError):
            raise DeskError(
                "{path} is not the desk's file, or it is damaged. Ask the key custodian again.", path=path
            ) from None


@dataclass(frozen=True)
class Issued:
    """What came of a visit to the desk. Amounts in the unit of their purse. `renewed`: the keys that were."""

    card: CardPass
    loads: list[Load]
    balances: dict[int, int]
    renewed: list[str]


@dataclass(frozen=True)
class OnPass:
    """A pass as it lies on the reader. Amounts in the unit of their purse."""

    card: CardPass
    balances: dict[int, int]


class Desk:
    """One desk of one municipality. `random(n)` gives n random bytes; `by` is the officer at it."""

    def __init__(
        self,
        registry: Registry,
        scheme: Scheme,
        secret: DeskSecrets,
        keys: Keys,
        random: Callable[[int], bytes],
        now: Callable[[], datetime],
        by: str = "desk",
        tell: Tell = unheard,
    ) -> None:
        self._registry = registry
        self._scheme = scheme
        self._secrets = secret
        self._keys = keys
        self._random = random
        self._now = now
        self._by = by
        self._tell = tell
        self._blueprint = Blueprint(scheme.aid, scheme.df_name, scheme.ceilings())
        self._personaliser = Personaliser(self._blueprint, keys, random, tell)
        self._rekeyer = Rekeyer(self._blueprint, keys, random)
        self.journal = RegistryJournal(registry, secret.link_key, secret.terminal)

    # Making a pass

    def issue(self, holder: Holder, reader: Reader, on: date) -> Issued:
        """Make the card on the reader this holder's pass and put on it what the rules give; safe to repeat.

        The pass is ready then, and not handed over. Raises DeskError when the rules give nothing, CardRefused for a
        card that cannot be it, CardLeft when it left.
        """
        with self._registry.transaction() as session:
            decision = decide_for(session, people.holder(session, holder.id), self._scheme, on)
            existing = passes.of(session, holder.id)
        if not decision.grants:
            raise DeskError(_NO_PASS)
        renewed = list[str]()
        if existing is not None and existing.uid is not None:
            existing, _, renewed = self._rekey(existing, reader, on)
        valid = self._scheme.validity(on)
        # A pass that has its handle keeps its day: terminals look it up in the hotlist by that.
        day = existing.issued_day if existing is not None and existing.uid is not None else day_number(on)
        generation = existing.generation if existing else 1
        details = Details(self._scheme.number, day_number(valid[0]), day_number(valid[1]), day, generation)
        made = self._personaliser.personalise(reader, details, lambda uid: self._admit(holder, uid, valid[1]))
        with self._registry.transaction() as session:
            holder = people.holder(session, holder.id)
            card = self._set_aside(session, holder, on)
            passes.encoded(session, card, made, valid, self._by, self._now())
            loads.plan(session, holder, decision, self._by, on)
        issued = self.load(card, reader, on)
        return replace(issued, renewed=renewed + issued.renewed)

    def identify(self, reader: Reader) -> bytes:
        """The UID of the card or pass on the reader, also of a pass that hides it; writes nothing."""
        return self._personaliser.identify(reader)

    def set_aside(self, holder: Holder, on: date) -> CardPass:
        """The pass that a holder is to get, with a code for its face; the one that is there when there is one."""
        with self._registry.transaction() as session:
            holder = people.holder(session, holder.id)
            if not decide_for(session, holder, self._scheme, on).grants:
                raise DeskError(_NO_PASS)
            return self._set_aside(session, holder, on)

    def printed(self, code: str) -> CardPass:
        """The card of a pass has got its face; again when the first one was spoiled."""
        with self._registry.transaction() as session:
            card = passes.coded(session, code)
            if card.state == "stock":
                passes.move(session, card, "printed", self._by, self._now())
            return card

    def waiting(self, on: date) -> list[Holder]:
        """Whom the rules give a pass, and who has none that is encoded yet."""
        with self._registry.transaction() as session:
            have = {card.holder_id for card in passes.listing(session, (*CURRENT, LAST_YEARS)) if card.uid}
            return [
                holder
                for holder in people.holders(session)
                if holder.id not in have and decide_for(session, holder, self._scheme, on).grants
            ]

    def _rekey(self, card: CardPass, reader: Reader, on: date) -> tuple[CardPass, CardKeys, list[str]]:
        """Bring the keys of the pass on the reader up to date; the pass and its keys then, and what was renewed.

        Costs no exchange with the card when the registry says that there is nothing to renew.
        """
        known = passes.as_made(card)
        keys = self._keys.card_keys(known.uid, known.generation)
        if not self._rekeyer.outdated(known, keys):
            return card, keys, []
        if reader.find_pass() is None:
            raise CardRefused(_NOTHING_THERE)
        with told_to_the_clerk(reader):
            session = CardSession(reader.transmit)
            # How an earlier load ended shows only by the counter and the handle that the pass has now.
            if self.journal.open_intent(known.handle) is not None:
                self._loader(on).load(session, self._rekeyer.as_on_pass(session, known, keys), [])
            done = self._rekeyer.rekey(session, known, day_number(on))
        with self._registry.transaction() as rows:
            return passes.rekeyed(rows, done.made), done.keys, done.purposes

    def renew(self, card: CardPass, reader: Reader, on: date) -> Issued:
        """Let the pass on the reader work for the pass year of this day, with its budgets; safe to repeat.

        Raises DeskError when the rules give nothing, CardRefused for another pass and for a blocked one.
        """
        with self._registry.transaction() as session:
            card = passes.coded(session, card.printed_code)
            decision = decide_for(session, card.holder, self._scheme, on)
        if card.state not in (*CURRENT, LAST_YEARS):
            raise CardRefused("This pass was blocked. Take a new card.")
        if not decision.grants:
            raise DeskError(_NO_PASS)
        card, keys, renewed = self._rekey(card, reader, on)
        until = max(card.valid_until, self._scheme.validity(on)[1])
        if card.valid_until < until:
            self._revalidate(card, keys, reader, until)
        with self._registry.transaction() as session:
            card = passes.renewed(session, card.id, self._by, self._now())
            loads.plan(session, card.holder, decision, self._by, on)
        return self._load(card, keys, reader, on, renewed)

    def _revalidate(self, card: CardPass, keys: CardKeys, reader: Reader, until: date) -> None:
        known = passes.as_made(card)
        if reader.find_pass() is None:
            raise CardRefused(_NOTHING_THERE)
        with told_to_the_clerk(reader):
            valid = day_number(card.valid_from), day_number(until)
            details = Details(self._scheme.number, *valid, known.issued, known.generation)
            session = CardSession(reader.transmit)
            self._personaliser.revalidate(session, known, keys, details, lambda: self._renewing(card, until))

    def _renewing(self, card: CardPass, until: date) -> None:
        with self._registry.transaction() as session:
            passes.renewing(session, card.id, until, self._by, self._now())

    def load(self, card: CardPass, reader: Reader, on: date) -> Issued:
        """Write what is planned for the holder of this pass, which must be on the reader."""
        card, keys, renewed = self._rekey(card, reader, on)
        return self._load(card, keys, reader, on, renewed)

    def _load(self, card: CardPass, keys: CardKeys, reader: Reader, on: date, renewed: list[str]) -> Issued:
        if reader.find_pass() is None:
            raise CardRefused(_NOTHING_THERE)
        session = CardSession(reader.transmit)
        loader = self._loader(on)
        with told_to_the_clerk(reader):
            planned = self._planned(card, on, lambda: self._balances(session, keys))
            self._tell("budgets")
            written = loader.load(session, keys, planned)
            return Issued(card, written, self._balances(session, keys), renewed)

    def _balances(self, session: CardSession, keys: CardKeys) -> dict[int, int]:
        return balances(session, self._blueprint.aid, keys, list(self._scheme.purses), self._random)

    def _planned(self, card: CardPass, on: date, held: Callable[[], dict[int, int]]) -> list[Load]:
        """What is to be written; `held` says what is on the pass, for budgets that are filled up to a level."""
        with self._registry.transaction() as session:
            planned = loads.due(loads.waiting(session, card), self._scheme.pass_year(on))
            if any(each.refill for each in planned):
                loads.fill_up(session, planned, held())
            return [
                Load(each.id, each.grant_number, each.purse, each.amount) for each in planned if each.state == "planned"
            ]

    def _loader(self, on: date) -> Loader:
        sealing = self.journal.sealing(SealingKey(self._secrets.sealing), day_number(on))
        return Loader(self._secrets.terminal, self._blueprint.aid, sealing, self.journal, self._random)

    def _admit(self, holder: Holder, uid: bytes, until: date) -> None:
        with self._registry.transaction() as session:
            passes.admit(session, holder.id, uid)
            made = passes.with_uid(session, uid)
            if made is not None:
                passes.renewing(session, made.id, until, self._by, self._now())

    def _set_aside(self, session: Session, holder: Holder, on: date) -> CardPass:
        existing = passes.of(session, holder.id)
        if existing is not None:
            return existing
        code, valid = printed_code.new(self._random), self._scheme.validity(on)
        return passes.set_aside(session, holder, code, valid, self._by, self._now())

    # What becomes of it

    def hand_over(self, code: str, to: str = "") -> CardPass:
        """The pass is with its holder, or with who came for it: `to` says who, when it was somebody else."""
        with self._registry.transaction() as session:
            card = passes.coded(session, code)
            passes.hand_over(session, card, False, self._by, self._now(), to)
            return card

    def send(self, code: str) -> CardPass:
        """The pass is on its way by post."""
        with self._registry.transaction() as session:
            card = passes.coded(session, code)
            passes.hand_over(session, card, True, self._by, self._now())
            return card

    def block(self, code: str, reason: str = "") -> CardPass:
        """No terminal takes the pass any more from its next sync on."""
        with self._registry.transaction() as session:
            card = passes.coded(session, code)
            passes.move(session, card, "blocked", self._by, self._now(), reason)
            return card

    def unblock(self, code: str, reader: Reader) -> CardPass:
        """Open a blocked pass again. It has to be on the reader: who only has a picture of it does not have it."""
        with self._registry.transaction() as session:
            card = passes.coded(session, code)
        if card.state != "blocked":
            raise DeskError("This pass is not blocked.")
        if self._personaliser.identify(reader) != card.uid:
            raise CardRefused("This is another pass. Put the pass with this code on the reader.")
        with self._registry.transaction() as session:
            card = passes.coded(session, code)
            if passes.of(session, card.holder_id) is not None:
                raise DeskError("This person has a new pass already.")
            loads.take_back_replacement(session, card)
            passes.move(session, card, "active", self._by, self._now(), "found")
            return card

    def replace_balance(self, code: str, balances: dict[int, int]) -> None:
        """Plan what the vault says that a lost pass held for the one that takes its place."""
        with self._registry.transaction() as session:
            card = passes.coded(session, code)
            loads.plan_replacement(session, card, balances)

    def read(self, reader: Reader) -> OnPass:
        """What the pass on the reader is and holds; writes nothing."""
        uid = self._personaliser.identify(reader)
        with self._registry.transaction() as session:
            card = passes.with_uid(session, uid)
        if card is None:
            raise CardRefused("This pass is not in the registry. Ask the administrator.")
        if reader.find_pass() is None:
            raise CardRefused(_NOTHING_THERE)
        known = passes.as_made(card)
        keys = self._keys.card_keys(known.uid, known.generation)
        with told_to_the_clerk(reader):
            on_pass = CardSession(reader.transmit)
            return OnPass(card, self._balances(on_pass, self._rekeyer.reading(on_pass, known, keys)))

    # For the terminals

    def hotlist(self, on: date) -> bytes:
        """The whole list of blocked passes, signed, for terminals."""
        with self._registry.transaction() as session:
            number = hotlist.version(session, on)
            return hotlist.publish(session, on, number, self._secrets.lists).whole
