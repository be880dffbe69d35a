"""The files that the vault gives to the other parties: what each may know, and where the vault is."""

from pathlib import Path
from typing import Any

from keys.files import write_secret
from keys.http import BACKEND, ISSUER
from keys.server import socket_path
from keys.vault import Vault


def hand_out(folder: Path, vault: Vault) -> None:
    """Write `issuer.json` for the desk and `backend.json` for clearing."""
    write_secret(folder / "issuer.json", {"vault": _place(folder, vault, ISSUER), **vault.desk_keys()})
    write_secret(folder / "backend.json", {"vault": _place(folder, vault, BACKEND), **vault.backend_keys()})


def device_keys(vault: Vault, terminal: int) -> dict[str, object]:
    """What somebody brings to a terminal by hand, once: with it the device opens its first lease."""
    device = vault.register.terminals[str(terminal)].device
    wrapping = vault.wrapping_key(terminal, bytes.fromhex(device))
    return {
        "issuer": vault.municipality,
        "terminal": terminal,
        "device": device,
        "wrapping_key": wrapping.state.hex(),
    }


def _place(folder: Path, vault: Vault, party: str) -> dict[str, Any]:
    """Where a party finds the vault; files as seen from the folder of the file that says so."""
    address = vault.register.address
    if not address:
        return {"address": f"unix:{socket_path(folder / 'run', party).resolve()}"}
    files = {"certificate": f"tls/{party}.pem", "key": f"tls/{party}.key", "ca": "tls/ca.pem"}
    return {"address": f"https://{address}", **files}
