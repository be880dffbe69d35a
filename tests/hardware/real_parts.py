"""Programs and libraries that are not ours. A missing one is a failure that says what to install, never a skip."""

import ctypes.util
import os
import shutil
import subprocess

import pytest

INSTALL = "install the Debian package {} (tests/install-parts does it): {}"


def run(name: str, *arguments: str, package: str, why: str, pn532: str = "", pcscd: str = "") -> str:
    """What the program prints; it must end well. `pn532`: the serial port of libnfc; `pcscd`: the socket of PC/SC."""
    program = shutil.which(name)
    if program is None:
        pytest.fail(f"{name} is missing: " + INSTALL.format(package, why))
    environment = {**os.environ, "LC_ALL": "C"}
    if pn532:
        environment |= {"LIBNFC_DEFAULT_DEVICE": "pn532_uart:" + pn532, "LIBNFC_AUTO_SCAN": "false"}
    if pcscd:
        environment["PCSCLITE_CSOCK_NAME"] = pcscd
    ended = subprocess.run(
        [program, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, f"{name}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def require_library(name: str, package: str, why: str) -> None:
    if ctypes.util.find_library(name) is None:
        pytest.fail(f"lib{name} is missing: " + INSTALL.format(package, why))
