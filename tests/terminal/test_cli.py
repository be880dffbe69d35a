"""A PC terminal on the command line: what somebody types, and what comes back with which exit code."""

import json

import httpx
import pytest
from typer.testing import CliRunner

from card.batch import freshness_mac, link_key
from hardware.emulated_pass import EmulatedPass, Memory
from hardware.emulated_pass.stored import to_json
from hardware.errors import ReaderError
from terminal.cli import app
from terminal.errors import BackendUnreachable
from terminal.host import Backend, HotlistAddress
from tests.city import (
    CENTS,
    DAY,
    PIN,
    TERMINAL,
    VAULT,
    PcTerminal,
    bundle,
    device_file,
    lease,
    make_pass,
    purses_of,
    said_of,
    signed_bundle,
    signed_hotlist,
)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The PC of the tests says the day of the tests."""
    monkeypatch.setattr("terminal.pc.day_of_this_pc", lambda: DAY)


@pytest.fixture
def command():
    """Runs a command: `(exit code, all that is said)`."""

    def run(*words):
        answer = CliRunner().invoke(app, [str(word) for word in words])
        assert not answer.exception or isinstance(answer.exception, SystemExit), answer.exception
        return answer.exit_code, answer.output

    return run


@pytest.fixture
def flash(tmp_path):
    """The flash of a terminal that has keys and lists."""
    return PcTerminal(tmp_path / "flash").flash


@pytest.fixture
def keypad(monkeypatch):
    """What is typed before the terminal is closed."""

    def type_keys(keys):
        monkeypatch.setattr("terminal.cli._typed_keys", lambda: iter([*keys, None]))

    return type_keys


@pytest.fixture
def pass_file(tmp_path):
    """A pass in a file, as the desk leaves it there."""
    path = tmp_path / "pass.json"
    path.write_bytes(to_json(make_pass()[0].memory.picc))
    return path


def test_a_pass_in_a_file_is_charged_by_hand(command, flash, keypad, pass_file):
    keypad(f"{PIN}#1#")
    code, said = command("run", "--flash", flash, "--emulated", pass_file)
    assert code == 0
    assert "Ja, akkoord (00)\nOver: € 16,00\nTerminal closed." in said
    assert purses_of(EmulatedPass(Memory.load(pass_file)))[CENTS] == 1600


def test_a_screen_that_stays_is_said_once(command, flash, monkeypatch, pass_file):
    monkeypatch.setattr("terminal.cli._typed_keys", lambda: iter([*PIN, "#", "1", "#", *[None] * 5]))
    monkeypatch.setattr("hardware.in_process.InProcessReader.find_pass", _broken)
    _, said = command("run", "--flash", flash, "--emulated", pass_file)
    assert said.count("De lezer werkt niet") == 1


def _broken(_reader):
    raise ReaderError("unplugged")


def test_a_reader_that_is_not_there_is_said_before_the_first_guest(command, flash, monkeypatch):
    monkeypatch.setattr("hardware.pcsc.PcscReader.find_pass", _broken)
    assert command("run", "--flash", flash) == (1, "unplugged\n")


def test_what_is_no_emulated_pass_is_refused(command, flash, tmp_path):
    (tmp_path / "note").write_text("hello")
    code, said = command("run", "--flash", flash, "--emulated", tmp_path / "note")
    assert (code, "not an emulated pass" in said) == (1, True)
    assert command("run", "--flash", flash, "--emulated", tmp_path / "nothing")[0] == 2
    assert command("run", "--flash", flash, "--emulated", tmp_path / "note", "--reader", "acr")[0] == 2


@pytest.fixture
def papers(command, tmp_path):
    """A new device, and the two files that come from the vault for it: `(flash, device file, lease file)`."""
    flash, device, first = tmp_path / "new", tmp_path / "device.json", tmp_path / "lease.bin"
    about = {"device": command("enrol", "--flash", flash)[1].strip(), "lease": 0}
    device.write_bytes(device_file(about))
    first.write_bytes(lease(about))
    return flash, device, first


def test_a_terminal_says_what_it_needs_first(command, tmp_path, papers, pass_file):
    flash, device, first = papers
    for verb in (["run"], ["sync"], ["diagnose"], ["provision", device, first]):
        code, said = command(*verb, "--flash", tmp_path / "nowhere")
        assert (code, "enrol it first" in said) == (1, True)
    assert not (tmp_path / "nowhere").exists()
    for verb in ("run", "sync"):
        code, said = command(verb, "--flash", flash)
        assert (code, "provision it first" in said) == (1, True)
    assert command("provision", device, first, "--pin", PIN, "--flash", flash)[0] == 0
    code, said = command("run", "--flash", flash, "--emulated", pass_file)
    assert (code, "sync it first" in said) == (1, True)


def test_a_device_says_its_number_for_people_and_for_machines(command, tmp_path):
    code, device = command("enrol", "--flash", tmp_path / "new")
    assert (code, len(bytes.fromhex(device))) == (0, 8)
    said = command("enrol", "--flash", tmp_path / "new", "--json")[1]
    assert json.loads(said) == {"device": device.strip()}


def test_a_device_gets_its_keys_once(command, papers):
    flash, device, first = papers
    code, said = command("provision", device, first, "--pin", PIN, "--flash", flash)
    assert (code, said.replace("\n", " ")) == (
        0,
        f"Terminal {TERMINAL} has its keys, good until 2026-12-21. Destroy {device}. ",
    )
    code, said = command("provision", device, first, "--pin", PIN, "--flash", flash)
    assert (code, "reset it before it gets another" in said) == (1, True)


def test_a_pc_terminal_takes_its_first_keys_when_its_shift_is_open(command, papers):
    flash, device, first = papers
    code, said = command("provision", device, first, "--flash", flash)
    assert (code, "open the shift with the PIN first" in said) == (1, True)
    for wrong in ("1234", "12", "x"):
        code, said = command("provision", device, first, "--flash", flash, "--pin", wrong)
        assert (code, "is not the PIN of this terminal" in said) == (1, True)
    assert command("provision", device, first, "--flash", flash, "--pin", PIN)[0] == 0


def test_a_forgotten_pin_takes_the_card_keys_along_and_a_sync_brings_them(command, flash, backend, keypad, pass_file):
    assert "choose another" in command("forget-pin", "--flash", flash)[1].lower()
    about = said_of(json.loads(command("diagnose", "--flash", flash, "--json")[1]))
    assert (about["pin"], about["shift"]) == (False, "closed")
    keypad("9182#9182#1#")
    assert "(30)" in command("run", "--flash", flash, "--emulated", pass_file)[1]
    backend.leases = httpx.Response(200, content=lease(about, day=DAY))
    code, said = command("sync", "--flash", flash, "--pin", "2580")
    assert (code, "is not the PIN of this terminal" in said) == (1, True)
    assert command("sync", "--flash", flash, "--pin", "9182")[0] == 0
    keypad("9182#1#")
    assert "Ja, akkoord (00)" in command("run", "--flash", flash, "--emulated", pass_file)[1]


def test_provisioning_that_stopped_half_way_goes_on(command, papers):
    flash, device, first = papers
    good = first.read_bytes()
    first.write_bytes(good[:-1])
    code, said = command("provision", device, first, "--pin", PIN, "--flash", flash)
    assert (code, "altered on their way" in said) == (1, True)
    first.write_bytes(good)
    said = command("provision", device, first, "--pin", PIN, "--flash", flash, "--json")[1]
    assert json.loads(said) == {"terminal": TERMINAL, "lease_until": "2026-12-21"}


@pytest.mark.parametrize("content", [b"", b"[]", b"hello", b"\xff"])
def test_what_is_no_device_file_is_refused(command, papers, content):
    flash, device, first = papers
    device.write_bytes(content)
    code, said = command("provision", device, first, "--pin", PIN, "--flash", flash)
    assert (code, "is not the file of a device" in said) == (1, True)


def test_a_folder_that_cannot_be_written_is_said(command, tmp_path):
    (tmp_path / "file").write_text("")
    code, said = command("enrol", "--flash", tmp_path / "file")
    assert (code, "cannot be written" in said) == (1, True)


def test_diagnose_says_days_as_people_write_them_and_machines_count_them(command, flash, papers):
    said = command("diagnose", "--flash", flash)[1]
    assert "clock: 2026-11-21" in said
    assert "keys: good until 2026-12-21\n" in said
    (book,) = json.loads(command("diagnose", "--flash", flash, "--json")[1])["books"]
    assert (book["day"], book["lease_until"], book["lease"]) == (DAY, DAY + 30, 1)
    assert "It has no keys yet; provision it first.\n" in command("diagnose", "--flash", papers[0])[1]


@pytest.fixture
def backend(monkeypatch, flash):
    """A backend that has nothing to ask; `leases` is what it says when it is asked for keys."""

    class Answers:
        leases = httpx.Response(503, json={"title": "Busy", "detail": "The vault does not answer."})
        refused = ()

        def __call__(self, request):
            if "/leases/" in request.url.path:
                return self.leases
            if request.url.path.endswith("/bundle"):
                nonce = json.loads(request.content[32:])["nonce"]
                key = link_key(VAULT.handed_out("link", 1), TERMINAL)
                sealed = bundle()
                return httpx.Response(
                    200, content=signed_bundle(sealed + freshness_mac(key, bytes.fromhex(nonce), sealed))
                )
            if request.url.path.endswith("/batches"):
                return httpx.Response(422, json={"kept": True, "nextPosition": 3, "refused": self.refused})
            return httpx.Response(200, json={"nextPosition": 1, "challenge": "07" * 16})

    answers = Answers()
    monkeypatch.setattr("terminal.cli.Backend", lambda url, token: Backend(url, httpx.MockTransport(answers), token))
    return answers


def test_sync_says_until_when_the_keys_are_good(command, flash, backend):
    about = said_of(json.loads(command("diagnose", "--flash", flash, "--json")[1]))
    backend.leases = httpx.Response(200, content=lease(about, day=DAY + 1))
    assert command("sync", "--flash", flash) == (
        0,
        "Terminal 101: 0 records handed in, offers up to date.\nIts keys are good until 2026-12-22.\n",
    )


def test_sync_says_when_the_keys_could_not_be_renewed(command, flash, backend):
    code, said = command("sync", "--flash", flash)
    assert code == 0
    assert "Its keys are good until 2026-12-21.\nThe keys could not be renewed; sync again later." in said
    report = json.loads(command("sync", "--flash", flash, "--json")[1])
    assert (report["lease_until"], "could not be renewed" in report["warning"]) == ("2026-12-21", True)


def test_sync_is_done_when_records_are_set_aside_and_says_how_many_and_why(command, tmp_path, backend):
    terminal = PcTerminal(tmp_path / "flash", provision=False)
    for uid in (b"\x04\x11\x22\x33\x44\x55\x66", b"\x04\x66\x55\x44\x33\x22\x11"):
        terminal.tap(make_pass(uid)[0])
    refused = [{"position": at, "sequence": at, "reason": reason} for at, reason in [(1, "offer"), (2, "mac")]]
    backend.refused = refused
    code, said = command("sync", "--flash", terminal.flash)
    assert code == 0
    assert "2 records handed in" in said
    assert said.endswith("The backend took them and set 2 aside (1 for mac, 1 for offer); the municipality sees why.\n")
    code, said = command("sync", "--flash", terminal.flash, "--json")
    assert (code, json.loads(said)["refused"]) == (0, refused)


def test_sync_ends_with_one_for_a_terminal_that_was_revoked(command, flash, backend):
    backend.leases = httpx.Response(404, json={"title": "Not Found", "detail": "Terminal 101 was revoked."})
    code, said = command("sync", "--flash", flash)
    assert code == 1
    assert said == (
        "The keys of this terminal were revoked, or never issued; its records are handed in. "
        "The vault says: Terminal 101 was revoked.\n"
    )


def test_sync_takes_a_hotlist_from_a_file_or_an_address(command, flash, backend, monkeypatch, tmp_path):
    (tmp_path / "list").write_bytes(signed_hotlist(version=2))
    code, said = command("sync", "--flash", flash, "--hotlist", tmp_path / "list")
    assert (code, "offers and hotlist up to date" in said) == (0, True)

    def desk(request):
        assert str(request.url) in ("https://desk/v1/hotlist", "https://desk/v1/hotlist/changes")
        return httpx.Response(200, content=signed_hotlist(version=3))

    monkeypatch.setattr("terminal.cli.HotlistAddress", lambda url: HotlistAddress(url, httpx.MockTransport(desk)))
    code, said = command("sync", "--flash", flash, "--hotlist", "https://desk/v1/hotlist")
    assert (code, "offers and hotlist up to date" in said) == (0, True)
    assert said_of(json.loads(command("diagnose", "--flash", flash, "--json")[1]))["hotlist"] == 3


def test_sync_ends_with_one_when_the_address_gives_no_hotlist(command, flash, backend):
    code, said = command("sync", "--flash", flash, "--hotlist", "http://127.0.0.1:1/v1/hotlist")
    assert (code, "cannot be reached" in said) == (1, True)


def test_wrong_use_ends_with_two(command, tmp_path):
    assert command("diagnose")[0] == 2
    assert command("diagnose", "--flash", tmp_path, "--port", "/dev/null")[0] == 2
    assert command("provision", tmp_path / "nothing", tmp_path / "nothing", "--flash", tmp_path)[0] == 2
    assert command("provision", tmp_path, tmp_path, "--flash", tmp_path)[0] == 2
    for no_list in (tmp_path / "nothing", tmp_path, "ftp://desk/hotlist"):
        assert command("sync", "--flash", tmp_path, "--hotlist", no_list)[0] == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(404, json={"title": "Not Found", "detail": "There is no terminal 101."}), "no terminal 101"),
        (httpx.Response(503, json={"title": "Busy"}), r"Busy \(503\)"),
        (httpx.Response(502, text="<h1>Bad gateway</h1>"), r"not a backend \(502\)"),
    ],
)
def test_a_backend_that_refuses_is_quoted(answer, said):
    backend = Backend("http://backend", httpx.MockTransport(lambda request: answer))
    with pytest.raises(BackendUnreachable, match=said):
        backend.where(101)
    with pytest.raises(BackendUnreachable, match=said):
        backend.hand_in(101, b"")
