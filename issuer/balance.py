"""What a lost pass still holds: asked for by the desk, signed by two officers, worked out by the vault.

The table of all moves comes sealed from clearing and goes sealed to the vault. The desk carries it and reads nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from issuer.errors import DeskError
from issuer.registry.passes import as_made
from issuer.registry.tables import CardPass
from issuer.vault_client import VaultClient
from web.outside import from_json


@dataclass(frozen=True)
class Balance:
    """By purse, in its unit, up to and with a day."""

    balances: dict[int, int]
    as_of: date


def request_for(card: CardPass, municipality: int, reason: str, on: date) -> bytes:
    """What two officers sign, byte by byte; good for a week."""
    if not reason.strip():
        raise DeskError("Say why the balance is asked for; the officers sign that too.")
    made = as_made(card)
    asked = {
        "asked_on": on.isoformat(),
        "generation": made.generation,
        "municipality": municipality,
        "reason": reason.strip(),
        "uid": made.uid.hex(),
    }
    return json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pass_of(request: bytes) -> bytes:
    """The UID of the pass that a request is about."""
    try:
        return bytes.fromhex(from_json(request)["uid"])
    except (ValueError, KeyError, TypeError):
        raise DeskError("This file is not a request; `meedoen issuer balance-request` makes them.") from None


def ask(request: bytes, signatures: Sequence[bytes], vault: VaultClient, table: bytes) -> Balance:
    """The vault's answer to a signed request; raises DeskError with its reason when it refuses."""
    signed = {"request": request.decode(), "signatures": [_signature(each) for each in signatures]}
    found = vault.balance(json.dumps(signed), table)
    try:
        balances = {int(each["purse"]): int(each["amount"]) for each in found["balances"]}
        return Balance(balances, date.fromisoformat(found["asOf"]))
    except (KeyError, TypeError, ValueError):
        raise DeskError("The vault's answer cannot be read; ask the administrator.") from None


def sealed_table(base_url: str, transport: httpx.BaseTransport | None = None) -> bytes:
    """From clearing, for the vault's eyes only."""
    try:
        with httpx.Client(base_url=base_url, transport=transport, timeout=60) as client:
            return client.get("/v1/nullifier-table").raise_for_status().content
    except httpx.TransportError:
        raise DeskError("The backend cannot be reached; try again later.") from None
    except httpx.HTTPStatusError as error:
        raise DeskError("The backend refused this desk ({status}).", status=error.response.status_code) from None


def _signature(content: bytes) -> dict[str, Any]:
    try:
        found = from_json(content)
        return {"officer": str(found["officer"]), "signature": str(found["signature"])}
    except (ValueError, KeyError, TypeError):
        raise DeskError("This file is not a signature; `meedoen keys officer sign` makes them.") from None
