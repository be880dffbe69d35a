"""What a terminal says of itself, proven by the terminal: whoever carries it can neither make it up nor change it.

The backend keeps nothing between a challenge and the statement that answers it: a challenge is the second in which it
was made, under a MAC of ours.
"""

from collections.abc import Sequence

from backend.calendar import Now
from backend.errors import StatementRefused
from card.batch import CHALLENGE_BYTES, MAC_BYTES, freshness_mac, link_key, statement_mac
from card.cmac import cmac
from card.wire import read_uint, same, uint
from web.outside import from_json

# A sync over a slow line, with a journal that nobody fetched for long.
CHALLENGE_SECONDS = 900
MOST_BYTES = 2048
_SECONDS_BYTES = 8


class Statements:
    """`link_roots`: newest first; a terminal may still have keys of an older one."""

    def __init__(self, link_roots: Sequence[bytes], now: Now) -> None:
        self._roots = list(link_roots)
        self._now = now

    def challenge(self, terminal: int) -> bytes:
        """16 bytes that nobody can know before now."""
        return self._challenge(terminal, int(self._now().timestamp()))

    def _challenge(self, terminal: int, second: int) -> bytes:
        made: bytes = uint(second, _SECONDS_BYTES)
        mac: bytes = cmac(self._roots[0], b"meedoen challenge" + uint(terminal, 4) + made)
        return made + mac[: CHALLENGE_BYTES - _SECONDS_BYTES]

    def nonce_in(self, terminal: int, body: bytes, next_position: int) -> bytes:
        """What the answer to a statement has to prove; `body` is challenge, MAC and what is said.

        Raises StatementRefused when it is not this terminal's own and of now, or when the terminal holds records that
        were not handed in: who carries them may not bring new offers while keeping them back.
        """
        challenge, mac = body[:CHALLENGE_BYTES], body[CHALLENGE_BYTES : CHALLENGE_BYTES + MAC_BYTES]
        said = body[CHALLENGE_BYTES + MAC_BYTES :]
        if not same(challenge, self._challenge(terminal, self._second_of(challenge))):
            raise StatementRefused("challenge", "This answers no challenge of ours. Begin the sync again.")
        age = int(self._now().timestamp()) - self._second_of(challenge)
        if not 0 <= age <= CHALLENGE_SECONDS:
            raise StatementRefused("challenge", "The sync took too long. Begin it again; it goes on where it stopped.")
        if not any(same(mac, statement_mac(link_key(root, terminal), challenge, said)) for root in self._roots):
            raise StatementRefused("statement", f"This was not said by terminal {terminal}, or altered on its way.")
        # From here on it is the terminal that speaks.
        try:
            found = from_json(said)
            count, nonce = int(found["journal"]), bytes.fromhex(found["nonce"])
        except (ValueError, KeyError, TypeError):
            raise StatementRefused("statement", f"Terminal {terminal} says something that is no statement.") from None
        if count >= next_position:
            kept = count - next_position + 1
            raise StatementRefused("withheld", f"Terminal {terminal} holds {kept} records more. Hand them in first.")
        return nonce

    def answer(self, terminal: int, nonce: bytes, sealed: bytes) -> bytes:
        """A bundle with the proof that it was made after the terminal chose the nonce."""
        mac: bytes = freshness_mac(link_key(self._roots[0], terminal), nonce, sealed)
        return sealed + mac

    @staticmethod
    def _second_of(challenge: bytes) -> int:
        if len(challenge) != CHALLENGE_BYTES:
            raise StatementRefused("challenge", "This answers no challenge of ours. Begin the sync again.")
        return int(read_uint(challenge, 0, _SECONDS_BYTES))
