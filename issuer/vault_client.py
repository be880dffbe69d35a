"""The vault's HTTP interface as far as the desk needs it."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from issuer.errors import VaultRefused, VaultUnreachable
from web.outside import from_json

_PURPOSES = ("picc", "application", "load", "lookup", "tap", "transaction_mac")


@dataclass(frozen=True)
class VaultAddress:
    """Where the vault is: `unix:` and the path of a socket, or https and the files for mutual TLS."""

    address: str
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True)
class OlderKey:
    """A key that may be on a pass from before it was renewed. `handle`: only of a tap key, which follows from it."""

    purpose: str
    version: int
    key: bytes
    handle: bytes | None = None


@dataclass(frozen=True)
class CardKeys:
    """All keys of one pass, and the version of each. Held while the pass is on the reader, never stored."""

    handle: bytes
    picc: bytes
    application: bytes
    load: bytes
    lookup: bytes
    tap: bytes
    transaction_mac: bytes
    versions: dict[str, int]
    older: list[OlderKey] = field(default_factory=list)

    def older_of(self, purpose: str, version: int) -> bytes | None:
        """The key of an earlier version, while that still counts."""
        for each in self.older:
            if (each.purpose, each.version) == (purpose, version):
                return each.key
        return None


class VaultClient:
    """`transport` is for a vault in this process (httpx.WSGITransport) and for tests; without it, a socket."""

    def __init__(self, vault: VaultAddress, transport: httpx.BaseTransport | None = None) -> None:
        path = vault.address.removeprefix("unix:")
        local = path != vault.address
        if local and transport is None:
            transport = httpx.HTTPTransport(uds=path)
        url = "http://vault" if local else vault.address
        self._client = httpx.Client(base_url=url, transport=transport, timeout=30, verify=_tls(vault))

    def lookup_keys(self) -> list[bytes]:
        """The keys that are the same on every pass of this municipality, newest first."""
        # Any UID gives them: they are the ones that are not diversified.
        keys = self.card_keys(bytes(7), 0)
        return [keys.lookup, *(each.key for each in keys.older if each.purpose == "lookup")]

    def card_keys(self, uid: bytes, generation: int) -> CardKeys:
        """The keys of the pass with this UID (7 bytes) in this generation."""
        found = self._post("/v1/card-keys", json={"uid": uid.hex(), "generation": generation})
        try:
            current = {each["purpose"]: each for each in found["current"]}
            return CardKeys(
                handle=bytes.fromhex(found["handle"]),
                versions={purpose: int(current[purpose]["version"]) for purpose in _PURPOSES},
                older=[_older(each) for each in found["older"]],
                **{purpose: bytes.fromhex(current[purpose]["key"]) for purpose in _PURPOSES},
            )
        except (KeyError, TypeError, ValueError):
            raise VaultUnreachable("The vault's answer cannot be read; ask the administrator.") from None

    def balance(self, signed_request: str, table: bytes) -> dict[str, Any]:
        """What a lost pass holds: `balances` by purse, `as_of`. Raises VaultRefused with the vault's own reason."""
        return self._post("/v1/balance", data={"request": signed_request}, files={"table": table})

    def _post(self, path: str, **content: Any) -> dict[str, Any]:
        try:
            answer = self._client.post(path, **content)
        except httpx.TransportError:
            raise VaultUnreachable("The vault does not answer; ask the administrator to start it.") from None
        try:
            found = from_json(answer.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise VaultUnreachable("Something else than a vault answers; ask the administrator.")
        if answer.is_error:
            raise VaultRefused(
                "The vault refused ({status}): {reason}",
                status=answer.status_code,
                reason=found.get("detail", "no reason given"),
            )
        return found


def _older(found: dict[str, Any]) -> OlderKey:
    handle = found["handle"]
    return OlderKey(
        found["purpose"], int(found["version"]), bytes.fromhex(found["key"]), bytes.fromhex(handle) if handle else None
    )


def _tls(vault: VaultAddress) -> ssl.SSLContext | bool:
    """Our certificate, and the authority that the vault's must come from."""
    if vault.certificate is None or vault.key is None or vault.ca is None:
        return True
    context = ssl.create_default_context(cafile=vault.ca)
    context.load_cert_chain(vault.certificate, vault.key)
    return context
