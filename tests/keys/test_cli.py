"""The vault's commands: what they write, how they refuse, and that a refusal changes nothing."""

import hashlib
import json
import subprocess
import sys
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from typer.testing import CliRunner

from card.lease import WrappingKey, unwrap
from card.release import build_package
from card.signing import read_certificate
from keys import custody_cli, opening
from keys.balance import SIGNED
from keys.cli import asker
from keys.custody_cli import app
from keys.days import date_of, today
from keys.errors import ShareError
from keys.hierarchy import derive
from keys.shares import Shares
from keys.token import Token
from keys.transcript import Transcript
from tests.keys.a_vault import CHEAP, PASSPHRASE
from tests.softhsm import soft_token

SCHEME = '[municipality]\nname = "Gelredam"\nnumber = 1\naid = "F0E0D1"\n'
DEVICE = "0011223344556677"
UNTIL = (today() + timedelta(days=60)).isoformat()


class Vault:
    """Somebody at a command line, with a folder and a file of passphrases."""

    def __init__(self, folder):
        self.tmp = folder
        self.folder = folder / "keys"
        self.passphrases = folder / "passphrases"
        self.passphrases.write_text(PASSPHRASE + "\n")
        self.scheme = folder / "scheme.toml"
        self.scheme.write_text(SCHEME)

    def __call__(self, *words, status=0, data=None, **options):
        given = ["--data", data or self.folder] if data is not False else []
        for name, value in options.items():
            given += [f"--{name.replace('_', '-')}", value]
        environment = {"MEEDOEN_PASSPHRASES": str(self.passphrases)}
        answer = CliRunner().invoke(app, [str(word) for word in (*words, *given)], env=environment)
        assert not answer.exception or isinstance(answer.exception, SystemExit), answer.exception
        assert answer.exit_code == status, answer.output
        return answer.output

    def json(self, *words, **options):
        return json.loads(self(*words, "--json", **options))

    def picture(self):
        """The hash of every file but the log."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file() and path.name != "audit.log")
        return {str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    @property
    def share(self):
        return self.folder / "share-1.txt"

    def opened(self):
        return opening.open_store(self.folder, lambda wanted: [PASSPHRASE])


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Argon2id at its floor; what it costs in earnest is tested with the stores."""
    create = opening.SealedFile.create
    monkeypatch.setattr(opening.SealedFile, "create", lambda path, phrases: create(path, phrases, CHEAP))


@pytest.fixture
def empty(tmp_path):
    return Vault(tmp_path)


@pytest.fixture
def vault(empty):
    empty("init", "--scheme", empty.scheme)
    return empty


# Making


def test_every_file_is_readable_for_its_owner_only_and_no_key_stands_open_in_any(vault):
    files = sorted(path for path in vault.folder.rglob("*") if path.is_file())
    year = today().year
    names = {"vault.json", "keys.sealed", "issuer.json", "backend.json", "share-1.txt"}
    assert {path.name for path in files} == names | {f"{year}.seed", f"{year + 1}.seed"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    store, _ = vault.opened()
    content = b"".join(path.read_bytes() for path in files)
    for key in store._keys.values():
        assert key not in content
        assert key.hex().encode() not in content


def test_keys_that_are_there_are_never_replaced(vault):
    before = vault.picture()
    assert "already holds the keys" in vault("init", "--scheme", vault.scheme, status=1)
    assert vault.picture() == before


@pytest.mark.parametrize("content", ["# A page", "x = 1", "municipality = 1", "[municipality]\nnumber = 1"])
def test_what_is_no_scheme_makes_no_keys(empty, content):
    empty.scheme.write_text(content)
    assert empty("init", "--scheme", empty.scheme, status=1).startswith(f"{empty.scheme} is not a scheme")
    assert not empty.folder.exists()


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [("1\n", "0\n", "number"), ("1\n", '"1"\n', "number"), ('"F0E0D1"', "5", "aid"), ("F0E0D1", "F0E0", "aid")],
)
def test_a_scheme_that_no_pass_can_carry_makes_no_keys(empty, old, new, names):
    empty.scheme.write_text(SCHEME.replace(old, new, 1))
    assert names in empty("init", "--scheme", empty.scheme, status=1)
    assert not empty.folder.exists()


COMMANDS = [
    ["desk"],
    ["status"],
    ["serve"],
    ["terminal", "issue", "104", "--device", DEVICE],
    ["terminal", "renew", "104", "--lease", "1"],
    ["terminal", "revoke", "104"],
    ["terminal", "lease-days", "14"],
    ["officer", "add", "Anna", "00" * 32],
    ["officer", "remove", "Anna"],
    ["certificates", "127.0.0.1:8441"],
    ["verify-shares"],
    ["rotate", "load", "--until", UNTIL],
    ["new-year", "2030"],
    ["retire", "load", "1"],
    ["destroy", "--year", "2020", "--yes"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_without_keys_each_says_how_to_make_them(empty, words):
    assert "meedoen keys ceremony" in empty(*words, status=1)
    assert not empty.folder.exists()


@pytest.mark.parametrize("words", [each for each in COMMANDS if each != ["serve"]], ids=" ".join)
def test_with_a_wrong_passphrase_nothing_happens(vault, words):
    before = vault.picture()
    vault.passphrases.write_text("wrong\n")
    assert "check each passphrase" in vault(*words, status=1)
    vault.passphrases.write_text("one\ntwo\n")
    assert "one person" in vault(*words, status=1)
    vault.passphrases.unlink()
    assert "one a line" in vault(*words, status=1)
    assert vault.picture() == before


@pytest.mark.parametrize(
    "words",
    [["init"], ["terminal", "issue", "1", "--device", DEVICE], ["rotate", "load"], ["rotate", "load", "--until", "x"]],
    ids=" ".join,
)
def test_wrong_use_ends_with_two(vault, words):
    vault(*words, status=2)


def test_refusals_are_json_for_machines(vault):
    said = json.loads(vault("retire", "load", "1", "--json", status=1))
    assert said == {"refused": "load 1 is the current version. Rotate it first."}


def test_one_command_at_a_time_changes_a_vault(vault):
    before = vault.picture()
    with opening.claim(vault.folder):
        assert "Another command" in vault("terminal", "issue", 104, device=DEVICE, status=1)
    assert vault.picture() == before
    vault("terminal", "issue", 104, device=DEVICE)


# Day by day


def test_the_status_shows_every_key_and_what_is_to_be_done(vault):
    shown = vault.json("status")
    assert {key["purpose"] for key in shown["keys"]} >= {"load", "nullifier", "sealing", "firmware"}
    assert shown["shares"]["needed"] == 1
    assert shown["to_do"] == []
    vault("rotate", "load", until=today().isoformat(), share=vault.share)
    assert "load                2" in vault("status")
    store, about = vault.opened()
    store.remove([("tap", 1)])
    about.keys["load"]["1"].until = "2020-01-01"
    about.keys["nullifier"].pop(str(today().year))
    opening.save(vault.folder, about, store)
    said = vault("status", status=1)
    for todo in ("tap 1 is not in the store", f"new-year {today().year}", "retire load 1"):
        assert todo in said


def test_a_terminal_gets_a_device_file_and_a_lease_that_only_opens_with_it(vault):
    made = vault.json("terminal", "issue", 104, device=DEVICE)
    by_hand = json.loads((vault.folder / "terminal-104.device.json").read_text())
    lease = (vault.folder / "terminal-104.lease").read_bytes()
    assert made["files"] == [str(vault.folder / name) for name in ("terminal-104.device.json", "terminal-104.lease")]
    wrapping = WrappingKey(bytes.fromhex(by_hand["wrapping_key"]))
    assert json.loads(unwrap(wrapping, 104, bytes.fromhex(DEVICE), lease))["terminal"] == 104
    vault("terminal", "renew", 104, lease=1)
    wrapping.step()
    again = (vault.folder / "terminal-104.lease").read_bytes()
    assert json.loads(unwrap(wrapping, 104, bytes.fromhex(DEVICE), again))["terminal"] == 104
    vault("terminal", "revoke", 104)
    assert "was revoked on" in vault("terminal", "renew", 104, lease=2, status=1)
    assert "another device, or was revoked" in vault("terminal", "issue", 104, device=DEVICE, status=1)


def test_how_long_a_terminal_goes_without_a_sync_can_be_set(vault):
    assert vault.json("terminal", "lease-days", 14) == {"lease_days": 14}
    made = vault.json("terminal", "issue", 104, device=DEVICE)
    assert made["until"] == (today() + timedelta(days=14)).isoformat()
    for wrong in (0, 181):
        vault("terminal", "lease-days", wrong, status=2)


@pytest.mark.parametrize(
    ("number", "device", "why"),
    [
        (105, DEVICE, "is terminal 104 already"),
        (104, "ff" * 8, "another device"),
        (106, "ff", "16 digits"),
        (106, "zz" * 8, "16 digits"),
    ],
)
def test_one_device_is_one_terminal(vault, number, device, why):
    vault("terminal", "issue", 104, device=DEVICE)
    before = vault.picture()
    assert why in vault("terminal", "issue", number, device=device, status=1)
    assert vault.picture() == before
    assert "is not known" in vault("terminal", "revoke", 999, status=1)


def test_officers_have_keys_of_their_own_and_sign_what_they_read(vault, tmp_path):
    vault.passphrases.write_text("officers choose their own\n")
    key, request, out = tmp_path / "anna.pem", tmp_path / "request.json", tmp_path / "anna.sig"
    public = vault.json("officer", "new-key", key, data=False)["public_key"]
    assert "there already" in vault("officer", "new-key", key, data=False, status=1)
    request.write_bytes(b'{"reason":"lost"}')
    said = vault("officer", "sign", request, data=False, key=key, name="Anna", out=out)
    assert "lost" in said
    made = json.loads(out.read_text())
    signed = bytes.fromhex(made["signature"]), SIGNED + request.read_bytes()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(*signed)
    vault.passphrases.write_text("wrong\n")
    assert "does not open" in vault("officer", "sign", request, data=False, key=key, name="A", out=out, status=1)
    vault.passphrases.write_text(PASSPHRASE + "\n")
    assert vault.json("officer", "add", "Anna", public) == {"officers": ["Anna"]}
    for name, other in (("Anna", "11" * 32), ("Bram", public), ("Bram", "zz")):
        vault("officer", "add", name, other, status=1)
    assert vault.json("officer", "remove", "Anna") == {"officers": []}
    assert "is not an officer" in vault("officer", "remove", "Anna", status=1)


def test_certificates_change_where_the_parties_find_the_vault(vault):
    address = json.loads((vault.folder / "backend.json").read_text())["vault"]["address"]
    assert address == f"unix:{(vault.folder / 'run/backend.sock').resolve()}"
    vault("certificates", "vault.example:8441")
    place = json.loads((vault.folder / "issuer.json").read_text())["vault"]
    assert place["address"] == "https://vault.example:8441"
    assert all((vault.folder / place[name]).is_file() for name in ("certificate", "key", "ca"))
    for wrong in ("vault.example", ":8441", "vault:x"):
        vault("certificates", wrong, status=2)


def test_files_are_signed_with_the_key_for_them(vault, tmp_path):
    file = tmp_path / "firmware.bin"
    file.write_bytes(b"firmware")
    made = vault.json("sign", "firmware", file)
    signature = (tmp_path / "firmware.bin.sig").read_bytes()
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(made["public_key"])).verify(signature, b"firmware")
    for wrong in ("load", "bundle", "transcript", "door"):
        assert "is not a key that signs files" in vault("sign", wrong, file, status=1)


def released(vault, tmp_path, version, content=b"code"):
    """A package of firmware that this vault signed."""
    file = tmp_path / f"release-{version}"
    file.write_bytes(build_package(version, {"terminal/firmware/till.mpy": content}))
    vault("sign", "firmware", file)
    return file


def test_a_release_is_approved_and_every_lease_from_then_on_says_so(vault, tmp_path):
    vault("terminal", "issue", 101, device=DEVICE)
    file = released(vault, tmp_path, 2)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert vault.json("approve-firmware", file) == {"version": 2, "sha256": digest}
    vault("terminal", "issue", 101, device=DEVICE)
    paper = json.loads((vault.folder / "terminal-101.device.json").read_text())
    wrapping = WrappingKey(bytes.fromhex(paper["wrapping_key"]))
    lease = unwrap(wrapping, 101, bytes.fromhex(DEVICE), (vault.folder / "terminal-101.lease").read_bytes())
    assert json.loads(lease)["release"] == {"version": 2, "sha256": digest}


def test_an_older_release_is_not_approved_after_a_newer_one(vault, tmp_path):
    vault("approve-firmware", released(vault, tmp_path, 3))
    before = vault.picture()
    older = released(vault, tmp_path, 2)
    assert "Version 3 was approved" in vault("approve-firmware", older, status=1)
    assert vault.picture() == before
    assert vault.json("approve-firmware", released(vault, tmp_path, 3, b"mended"))["version"] == 3


def test_what_this_vault_did_not_sign_is_not_approved(vault, tmp_path):
    before = vault.picture()
    altered, unsigned, letter = (released(vault, tmp_path, version) for version in (2, 3, 4))
    altered.write_bytes(altered.read_bytes()[:-1] + b"\x00")
    unsigned.with_name("release-3.sig").unlink()
    for file in (altered, unsigned):
        assert "no signature of this vault" in vault("approve-firmware", file, status=1)
    letter.write_bytes(b"a letter")
    vault("sign", "firmware", letter)
    assert "not a package of firmware" in vault("approve-firmware", letter, status=1)
    assert vault("approve-firmware", tmp_path / "nothing", status=2)
    assert vault.picture() == before


def test_the_log_of_what_custodians_did_is_whole_and_shows_when_it_is_not(vault):
    vault("rotate", "load", until=UNTIL, share=vault.share)
    head = vault.json("log")["last"]
    vault("rotate", "load", until=UNTIL, share=vault.share)
    assert vault.json("log", last=head)["lines"] == 2
    path = vault.folder / "audit.log"
    path.write_bytes(path.read_bytes().replace(b"load 2", b"load 9"))
    assert "does not follow" in vault("log", status=1)


# With shares


def test_a_rotated_key_is_there_for_every_party_at_once(vault):
    before = json.loads((vault.folder / "backend.json").read_text())["link_roots"]
    made = vault.json("rotate", "link", until=UNTIL, share=vault.share)
    assert made == {"purpose": "link", "version": 2, "old_until": UNTIL}
    after = json.loads((vault.folder / "backend.json").read_text())["link_roots"]
    assert (len(after), after[1:]) == (2, before)


def test_with_the_keys_of_a_new_year_clearing_may_sign_that_much_longer(vault):
    def last_year():
        certificate = json.loads((vault.folder / "backend.json").read_text())["certificate"]
        return date_of(read_certificate(bytes.fromhex(certificate))[0]).year

    assert last_year() == today().year + 1
    assert "backend.json" in vault("new-year", today().year + 2, share=vault.share)
    assert last_year() == today().year + 2


def test_what_cannot_be_done_asks_nobody_for_a_share(vault):
    before = vault.picture()
    yesterday = (today() - timedelta(days=1)).isoformat()
    for words, why in (
        (["rotate", "nullifier", "--until", UNTIL], "every year"),
        (["rotate", "door", "--until", UNTIL], "cannot be rotated"),
        (["rotate", "load", "--until", yesterday], "in the past"),
        (["new-year", today().year], "there already"),
    ):
        assert why in vault(*words, status=1)
    assert vault.picture() == before


@pytest.mark.parametrize(
    "words", [["verify-shares"], ["rotate", "load", "--until", UNTIL], ["new-year", 2040]], ids=str
)
def test_a_share_of_another_city_is_named_and_changes_nothing(vault, tmp_path, words):
    (tmp_path / "other").mkdir()
    other = Vault(tmp_path / "other")
    other("init", "--scheme", other.scheme)
    before = vault.picture()
    assert "This share is of set" in vault(*words, status=1, share=other.share)
    assert "33 words" in vault(*words, status=1, share=tmp_path / "nothing")
    (tmp_path / "typo").write_text(vault.share.read_text().replace(" ", " zzzz ", 1))
    assert "34 words" in vault(*words, status=1, share=tmp_path / "typo")
    assert vault.picture() == before


def test_shares_that_are_right_are_said_to_be_right(vault):
    assert vault.json("verify-shares", share=vault.share) == {"keys": len(vault.opened()[1].names())}


def test_a_record_that_somebody_changed_is_found_when_shares_are_verified(vault):
    root = Shares()
    root.add(vault.share.read_text())
    record = Transcript(1, "Gelredam", False, "nl", 1, ["Anna"])
    record.sign(derive(root.root(), 1, "transcript"))
    path = vault.folder / "transcript.json"
    path.write_bytes(record.signed_json)
    assert "is as it was signed" in vault("verify-shares", share=vault.share)
    path.write_bytes(record.signed_json.replace(b"Anna", b"Eve"))
    assert "was changed" in vault("verify-shares", share=vault.share, status=1)


def test_everything_comes_back_from_the_shares_and_the_back_up_of_what_is_no_secret(vault, tmp_path):
    vault("rotate", "tap", until=UNTIL, share=vault.share)
    vault("terminal", "issue", 104, device=DEVICE)
    store, about = vault.opened()
    back_up = tmp_path / "back-up"
    (back_up / "years").mkdir(parents=True)
    for name in ("vault.json", *(f"years/{year}.seed" for year in (today().year, today().year + 1))):
        (back_up / name).write_bytes((vault.folder / name).read_bytes())
    new = tmp_path / "new"
    vault("recover", "--from", back_up, "--people", 1, data=new, share=vault.share)
    again, found = opening.open_store(new, lambda wanted: [PASSPHRASE])
    assert again._keys == store._keys
    assert found == about
    assert "already holds" in vault("recover", "--from", back_up, data=new, share=vault.share, status=1)


def test_a_back_up_that_somebody_touched_is_not_recovered(vault, tmp_path):
    path = vault.folder / "vault.json"
    path.write_text(path.read_text().replace('"lease_days": 30', '"lease_days": 3000'))
    said = vault("recover", "--from", vault.folder, data=tmp_path / "new", share=vault.share, status=1)
    assert "does not hold the keys" in said
    assert not (tmp_path / "new").exists()


def test_a_back_up_without_the_register_is_named(vault, tmp_path):
    (tmp_path / "usb").mkdir()
    said = vault("recover", "--from", tmp_path / "usb", data=tmp_path / "new", share=vault.share, status=1)
    assert "has no vault.json" in said


def test_two_people_choose_two_passphrases_long_enough(monkeypatch):
    one, two = "long enough 1", "long enough 2"
    typed = iter(["short", one, one, one, two, "another one!", two, two])
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or next(typed))
    wanted = [opening.Secret("passphrase_of", {"number": number, "people": 2}, new=True) for number in (1, 2)]
    assert asker(None, "nl")(wanted) == [one, two]
    assert asked[0] == "Kies een nieuwe, van minstens 12 tekens. Wachtwoordzin van persoon 1 van 2: "
    monkeypatch.setattr("getpass.getpass", lambda prompt: "stop")
    with pytest.raises(ShareError, match="Stopped"):
        asker(None)(wanted)


def test_a_seed_that_is_missing_from_the_back_up_is_named(vault, tmp_path):
    seed = vault.folder / f"years/{today().year}.seed"
    seed.unlink()
    said = vault("recover", "--from", vault.folder, data=tmp_path / "new", share=vault.share, status=1)
    assert f"{today().year}.seed is missing" in said
    assert not (tmp_path / "new").exists()


def test_into_a_token_and_in_no_file(vault, tmp_path, monkeypatch):
    token = soft_token(tmp_path, monkeypatch)
    new = tmp_path / "new"
    vault.passphrases.write_text(token.pin + "\n")
    options = {"pkcs11_module": token.module, "pkcs11_token": token.label, "share": vault.share}
    vault("recover", "--from", vault.folder, data=new, **options)
    assert not (new / "keys.sealed").exists()
    held = Token(token.module, token.label, token.pin, 1)
    try:
        for name in held.names():
            told = held.attributes(name)
            assert told["sensitive"]
            assert not told["extractable"]
    finally:
        held.close()
    vault("status", data=new)
    vault("terminal", "issue", 104, device=DEVICE, data=new)
    assert "already holds" in vault("recover", "--from", vault.folder, data=tmp_path / "third", **options, status=1)


# Destroying


def past_year(vault, monkeypatch):
    """The clock of the commands, a year later."""
    later = today().replace(year=today().year + 1, month=2, day=1)
    monkeypatch.setattr(custody_cli, "today", lambda: later)
    return later.year - 1


def test_a_closed_year_is_destroyed_with_a_report_of_what_is_gone_and_what_is_left_to_do(vault, monkeypatch):
    year = past_year(vault, monkeypatch)
    digest = hashlib.sha256((vault.folder / f"years/{year}.seed").read_bytes()).hexdigest()
    made = vault.json("destroy", "--yes", year=year)
    assert made["seed_sha256"] == digest
    report = " ".join(made["report"])
    for part in ("Nobody can tell any more", "not with all shares", f"every copy of years/{year}.seed", digest):
        assert part in report
    assert json.loads((vault.folder / f"destroyed-{year}.json").read_text()) == made
    assert "never made again" in vault("new-year", year, status=1)
    assert "already" in vault("destroy", "--yes", year=year, status=1)
    assert str(year) not in vault.opened()[1].keys["nullifier"]


def test_without_a_yes_nothing_is_destroyed(vault, monkeypatch):
    year = past_year(vault, monkeypatch)
    before = vault.picture()
    assert "can never be undone" in vault("destroy", year=year, status=1)
    assert vault.picture() == before
    assert "not over yet" in vault("destroy", "--yes", year=year + 1, status=1)
    assert vault.picture() == before


# Rehearsals


def test_real_keys_and_those_of_a_rehearsal_are_never_taken_for_each_other(vault):
    before = vault.picture()
    for words in (
        ["rotate", "load", "--until", UNTIL],
        ["verify-shares"],
        ["retire", "load", "1"],
        ["new-year", "2040"],
    ):
        assert "real keys" in vault(*words, "--rehearsal", status=1)
    new = vault.tmp / "new"
    assert "Real keys" in vault("recover", "--from", vault.folder, "--rehearsal", status=1, data=new, share=vault.share)
    assert vault.picture() == before
    store, about = vault.opened()
    about.rehearsal = True
    opening.save(vault.folder, about, store)
    for words in (["rotate", "load", "--until", UNTIL], ["verify-shares"], ["destroy", "--yes", "--year", "2020"]):
        assert "say --rehearsal" in vault(*words, status=1)
    vault("rotate", "load", "--rehearsal", until=UNTIL, share=vault.share)
    assert "REHEARSAL" in vault("status")


def test_a_rehearsal_has_a_folder_of_its_own(vault):
    assert custody_cli._folder(custody_cli.DEFAULT_FOLDER, True) == custody_cli.REHEARSAL_FOLDER
    assert custody_cli._folder(vault.folder, True) == vault.folder


def test_the_program_itself_knows_all_of_this():
    command = [sys.executable, "-m", "meedoen", "keys", "--help"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    for verb in ("ceremony", "recover", "verify-shares", "rotate", "retire", "destroy", "new-year", "serve"):
        assert verb in said
