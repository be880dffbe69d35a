"""The vault's HTTP interface as far as the desk needs it."""

from dataclasses import dataclass

import httpx

from issuer.errors import VaultUnreachable


@dataclass(frozen=True)
class CardKeys:
    """All keys of one pass. Held while the pass is on the reader, never stored."""

    handle: bytes
    version: int
    picc: bytes
    application: bytes
    load: bytes
    lookup: bytes
    tap: bytes
    transaction_mac: bytes


class VaultClient:
    """`transport` as httpx takes it: a socket in production, the vault's own application in the embedded default."""

    def __init__(self, base_url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=base_url, headers=headers, transport=transport, timeout=30)

    def lookup_key(self) -> bytes:
        """The key that is the same on every pass of this municipality."""
        # Any UID gives it: it is the one key that is not diversified.
        return self.card_keys(bytes(7), 0).lookup

    def card_keys(self, uid: bytes, generation: int) -> CardKeys:
        """The keys of the pass with this UID (7 bytes) in this generation."""
        try:
            answer = self._client.post("/v1/card-keys", json={"uid": uid.hex(), "generation": generation})
        except httpx.TransportError:
            raise VaultUnreachable("The vault does not answer; ask the administrator to start it.") from None
        if answer.is_error:
            raise VaultUnreachable(f"The vault refused this desk ({answer.status_code}); ask the administrator.")
        found = answer.json()
        names = ("handle", "picc", "application", "load", "lookup", "tap", "transaction_mac")
        return CardKeys(version=found["versions"], **{name: bytes.fromhex(found[name]) for name in names})
