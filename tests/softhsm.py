"""A private PKCS#11 token in a folder of the test: SoftHSM2, the same interface as a token in a safe."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

# Where Debian has it, and where it is on its other architectures.
PLACES = ("/usr/lib/softhsm/libsofthsm2.so", *map(str, sorted(Path("/usr/lib").glob("*/softhsm/libsofthsm2.so"))))


@dataclass(frozen=True)
class SoftToken:
    """What a store needs to sign on, and where the token keeps its objects."""

    module: str
    label: str
    pin: str
    folder: Path


def module() -> str:
    """The path of SoftHSM2's library; without it nothing is known of keys in a token, so the test fails."""
    found = [place for place in PLACES if Path(place).exists()]
    if not found or not shutil.which("softhsm2-util"):
        pytest.fail("The tests of keys in a token need SoftHSM2: apt-get install softhsm2", pytrace=False)
    return found[0]


def soft_token(folder: Path, monkeypatch: pytest.MonkeyPatch, label: str = "vault", pin: str = "4711") -> SoftToken:
    """A new token; the library reads where it is when its first session opens, and forgets it with the last."""
    library, objects, settings = module(), folder / "tokens", folder / "softhsm2.conf"
    objects.mkdir(exist_ok=True)
    settings.write_text(f"directories.tokendir = {objects}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(settings))
    make = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", pin * 2]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    return SoftToken(library, label, pin, objects)
