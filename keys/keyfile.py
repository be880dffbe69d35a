"""The key file of a municipality: its root secret and the tokens of the parties that may call the vault."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from keys.errors import KeyStoreError
from keys.hierarchy import ROOT_BYTES

_NAME = "vault.json"


@dataclass(frozen=True)
class KeyFile:
    """What the vault needs to work. `aid` as printed; tokens by party."""

    municipality: int
    aid: str
    root: str
    tokens: dict[str, str]

    @property
    def root_secret(self) -> bytes:
        return bytes.fromhex(self.root)


def create(folder: Path, municipality: int, aid: str) -> KeyFile:
    """Make a new root secret in `folder`; refuses to replace one that is there: its passes would be lost with it."""
    path = folder / _NAME
    if path.exists():
        raise KeyStoreError(f"{path} already holds the keys of a municipality; choose another folder.")
    keyfile = KeyFile(
        municipality=municipality,
        aid=aid,
        root=secrets.token_hex(ROOT_BYTES),
        tokens={party: secrets.token_urlsafe(24) for party in ("issuer", "backend")},
    )
    write_secret(path, asdict(keyfile))
    return keyfile


def load(folder: Path) -> KeyFile:
    """Read the key file of a folder."""
    path = folder / _NAME
    try:
        return KeyFile(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise KeyStoreError(f"No keys in {folder}; make them with `meedoen keys init`.") from None
    except (ValueError, TypeError):
        raise KeyStoreError(f"{path} is not a key file, or it is damaged; put the back-up in its place.") from None


def write_secret(path: Path, content: dict[str, object]) -> None:
    """A JSON file that only its owner can read, complete or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
