"""A ceremony from the welcome to the record: on a scripted console, and typed on a real terminal."""

import io
import json
import re
import signal
import sys
import time
from datetime import UTC, datetime

import pexpect
import pytest
from pypdf import PdfReader

from keys import register
from keys.ceremony import City, hold, mixed, read_shares
from keys.custody import check_value
from keys.errors import KeyStoreError, ShareError
from keys.hierarchy import derive
from keys.shares import Shares, split
from keys.sheets import transcript_pdf
from keys.store import MemoryStore
from keys.transcript import KeyCheck, Transcript, verify
from keys.words import SENTENCES, STEPS
from tests.keys.test_sheets import text_of, words_on

NOON = datetime(2026, 11, 21, 11, 30, tzinfo=UTC)
CITY = City(1, "Gelredam")
NAMES = ["Aïcha van den Berg", "Bram", "Cor"]
CHECKS = [KeyCheck("load", 1, "A1B2C3"), KeyCheck("nullifier", 2026, "00FFEE")]


class People:
    """Answers prompts as custodians do: reads the sheet that was printed, and types it. `instead`: other answers."""

    def __init__(self, sheets, language="nl", **instead):
        self.sheets, self.language, self.instead = sheets, language, instead
        self.said, self.cleared, self.asked = [], 0, []
        self.printed = []
        self.folders = []

    def say(self, text):
        self.said.append(text)

    def clear(self):
        self.cleared += 1

    def ask(self, prompt):
        sentence = next(key for key, said in SENTENCES.items() if _is(prompt, said[self.language]))
        self.asked.append(sentence)
        assert len(self.asked) < 200, "the ceremony goes round in circles"
        given = self.instead.get(sentence)
        if isinstance(given, list) and given:
            answer = given.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            if answer is not None:
                return answer
        if sentence == "printed":
            (path,) = self.sheets.iterdir()
            self.folders.append(oct(path.stat().st_mode & 0o777))
            self.printed.append(words_on(path.read_bytes()))
        return {"words": " ".join(self.printed[-1]) if self.printed else "", "threshold": "2", "mix": "qwerty"}.get(
            sentence, ""
        )


def _is(prompt, sentence):
    return re.fullmatch(re.sub(r"\\{\w+\\}", ".*", re.escape(sentence.strip())), prompt.strip(), re.DOTALL)


def ceremony(
    people, sheets, custodians=NAMES, threshold=2, rehearsal=False, establish=lambda root, about: CHECKS, **about
):
    about = {"random": lambda count: bytes(count), "language": people.language, **about}
    return hold(people, CITY, custodians, threshold, rehearsal, sheets, establish, lambda: NOON, **about)


@pytest.fixture
def sheets(tmp_path):
    return tmp_path / "sheets"


@pytest.mark.parametrize("language", ["nl", "en"])
def test_from_the_welcome_to_a_signed_record(sheets, language):
    people, roots = People(sheets, language), []

    def establish(root, about):
        roots.append(root)
        return CHECKS

    made = ceremony(people, sheets, establish=establish)
    shares = [" ".join(words) for words in people.printed]
    for pair in ((0, 1), (1, 2), (0, 2)):
        again = Shares(made.share_set)
        for number in pair:
            again.add(shares[number])
        assert [again.root()] == roots
    assert (made.threshold, made.custodians, made.keys) == (2, NAMES, CHECKS)
    assert people.cleared == 6
    assert people.folders == ["0o600"] * 3
    assert not sheets.exists()
    content = verify(made.signed_json, derive(roots[0], CITY.number, "transcript"))
    assert [step["what"] for step in content["steps"]][-1] == STEPS["ended"][language]


def test_what_everybody_typed_is_in_the_root():
    machine = bytes(range(32))
    typed = ["qwe", "rty", ""]
    assert mixed(machine, typed) != machine
    others = [["qwe", "rtz", ""], ["qwer", "ty", ""], ["rty", "qwe", ""], ["qwe", "rty"], []]
    assert len({mixed(machine, each) for each in [typed, *others]} | {mixed(bytes(32), typed)}) == 7


def test_a_typo_is_named_and_the_sheet_typed_again(sheets):
    people = People(sheets, words=["abc def", None, None, None])
    ceremony(people, sheets)
    assert any("Dit zijn 2 woorden" in said for said in people.said)
    assert people.cleared == 7


def test_the_sheet_of_somebody_else_is_refused(sheets):
    people = People(sheets)
    first = []

    def ask(prompt):
        answer = People.ask(people, prompt)
        if people.asked[-1] == "words" and len(people.printed) == 2 and not first:
            first.append(True)
            return " ".join(people.printed[0])
        return answer

    people.ask = ask
    ceremony(people, sheets)
    assert any("Dit is deel 1. We hebben nu deel 2 nodig: het blad van Bram." in said for said in people.said)


def test_a_sheet_of_an_earlier_ceremony_is_told_from_one_of_somebody_else(sheets):
    people = People(sheets, words=[split(bytes(32), 2, 3)[2]])
    ceremony(people, sheets)
    assert any("van een oefening" in said for said in people.said)
    assert not any("We hebben nu deel" in said for said in people.said)


def test_names_and_numbers_are_asked_again_until_they_can_be(sheets):
    people = People(sheets, name=["A", "a", "", "B", "", "C", ""], threshold=["1", "4", "two", "", "3"], mix=["", "x"])
    made = ceremony(people, sheets, custodians=[], threshold=0)
    assert (made.custodians, made.threshold) == (["A", "B", "C"], 3)
    assert "a staat er al. Typ de naam van iemand anders." in people.said
    assert "Dit zijn 1 namen. We hebben er minstens 3 nodig." in people.said
    assert people.said.count("Dat kan niet. Typ een cijfer van 2 tot en met 3.") == 4
    assert people.said.count("Er is niets getypt. Druk op een paar willekeurige toetsen.") == 1


@pytest.mark.parametrize("where", ["name", "threshold", "mix", "printed", "words", "more_words"])
@pytest.mark.parametrize(
    "how", ["stop", "STOP", KeyboardInterrupt(), EOFError()], ids=["stop", "STOP", "ctrl-c", "end"]
)
def test_whoever_stops_leaves_nothing_behind(sheets, tmp_path, where, how):
    people = People(sheets, **{where: [how]})
    with pytest.raises(KeyStoreError, match="Er is niets bewaard"):
        ceremony(people, sheets, custodians=[] if where == "name" else NAMES, threshold=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["stop", KeyboardInterrupt(), EOFError(), OSError()], ids=["stop", "^C", "end", "line"])
def test_once_the_keys_are_there_nobody_stops_half_way(sheets, tmp_path, how):
    roots = []

    def establish(root, about):
        roots.append(root)
        return CHECKS

    made = ceremony(People(sheets, written_down=[how]), sheets, establish=establish)
    content = verify(made.signed_json, derive(roots[0], CITY.number, "transcript"))
    assert content["steps"][-1]["what"] == STEPS["ended"]["nl"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["stop", KeyboardInterrupt(), EOFError()], ids=["stop", "ctrl-c", "end"])
def test_half_a_share_goes_from_the_screen_when_somebody_stops(sheets, how):
    people = People(sheets, more_words=[how])
    with pytest.raises(KeyStoreError):
        ceremony(people, sheets)
    assert people.cleared == 4


def test_a_sheet_is_overwritten_before_it_is_removed(sheets, tmp_path):
    kept = tmp_path / "the same blocks"
    people = People(sheets)

    def ask(prompt):
        answer = People.ask(people, prompt)
        if people.asked[-1] == "printed" and not kept.exists():
            kept.hardlink_to(sheets / "share-1.pdf")
        return answer

    people.ask = ask
    ceremony(people, sheets)
    assert kept.stat().st_size > 1000
    assert not any(kept.read_bytes())


def test_a_sheet_shows_the_check_value_of_the_root(sheets):
    people, roots, read = People(sheets), [], []

    def ask(prompt):
        answer = People.ask(people, prompt)
        if people.asked[-1] == "printed":
            (path,) = sheets.iterdir()
            read.append(text_of(path.read_bytes()))
        return answer

    people.ask = ask
    ceremony(people, sheets, establish=lambda root, about: roots.append(root) or CHECKS)
    name = ("register", 1)
    check = check_value(MemoryStore({name: derive(roots[0], CITY.number, *name)}), name)
    assert [f"controlewaarde: {check}" in text for text in read] == [True] * 3


def test_the_store_hears_which_sheets_belong_to_it_before_it_is_made(sheets):
    heard = []

    def establish(root, about):
        heard.append((about.share_set, about.threshold, list(about.custodians)))
        return CHECKS

    made = ceremony(People(sheets), sheets, establish=establish)
    assert heard == [(made.share_set, 2, NAMES)]


def test_a_store_that_cannot_be_made_leaves_no_sheet_behind(sheets, tmp_path):
    def establish(root, about):
        raise KeyStoreError("The token refuses.")

    with pytest.raises(KeyStoreError, match="token refuses"):
        ceremony(People(sheets), sheets, establish=establish)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(sheets):
    sheets.mkdir()
    (sheets / "holiday.jpg").write_bytes(b"jpg")
    with pytest.raises(KeyStoreError, match="not empty"):
        ceremony(People(sheets), sheets)
    assert (sheets / "holiday.jpg").read_bytes() == b"jpg"


def test_nothing_that_is_said_or_recorded_holds_a_word_of_a_share_or_the_root(sheets):
    people, roots = People(sheets), []
    made = ceremony(people, sheets, establish=lambda root, about: roots.append(root) or CHECKS, rehearsal=True)
    record = made.signed_json.decode() + "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(transcript_pdf(made))).pages
    )
    said = "\n".join(people.said)
    for text in (record, said):
        assert roots[0].hex() not in text
        runs = {" ".join(words[at : at + 2]) for words in people.printed for at in range(32)}
        assert not [run for run in runs if run in text]
    assert "OEFENING" in said


# Reading shares again


def test_shares_are_asked_until_there_are_enough(sheets):
    shares = split(bytes(range(32)), 2, 3)
    people = People(sheets, words=[shares[2], "abc", shares[2], shares[0]])
    assert read_shares(people, Shares().add(shares[0]) and _set(shares), 2) == bytes(range(32))
    assert sum("Dat ging niet goed" in said for said in people.said) == 2
    assert people.cleared == 4


@pytest.mark.parametrize("how", ["stop", KeyboardInterrupt(), EOFError()])
def test_reading_can_be_stopped(sheets, how):
    shares = split(bytes(32), 2, 3)
    with pytest.raises(ShareError) as stopped:
        read_shares(People(sheets, words=[shares[0], how]), _set(shares), 2)
    assert stopped.value.reason == "stopped"


def _set(shares):
    from keys.shares import share_set

    return share_set(shares[0])


# The record


def test_a_record_that_was_changed_does_not_verify():
    made = Transcript(1, "Gelredam", False, "nl", 2, NAMES, 12345)
    made.add(NOON, "Begonnen.")
    made.keys = CHECKS
    key = bytes(range(32))
    made.sign(key)
    assert verify(made.signed_json, key)["share_set"] == 12345
    for old, new in (("Bram", "Eve"), ("A1B2C3", "A1B2C4"), ("12345", "12346"), ("false", "true")):
        assert old.encode() in made.signed_json
        with pytest.raises(KeyStoreError, match="was changed"):
            verify(made.signed_json.replace(old.encode(), new.encode()), key)
    with pytest.raises(KeyStoreError, match="other keys"):
        verify(made.signed_json, bytes(32))
    for content in (b"", b"[]", b"{}", b'{"content": {}, "signature": "zz"}'):
        with pytest.raises(KeyStoreError, match="not the transcript"):
            verify(content, key)


def test_a_record_with_any_other_byte_in_its_content_does_not_verify():
    made = Transcript(1, "Gelredam", False, "nl", 2, NAMES, 12345)
    made.add(NOON, "Begonnen.")
    made.keys = CHECKS
    made.sign(bytes(range(32)))
    key, file = bytes.fromhex(made.public_key), made.signed_json
    content = json.loads(file)["content"]
    for at in range(file.index(b"{", 1), file.index(b'"public_key"')):
        for bit in range(8):
            changed = bytearray(file)
            changed[at] ^= 1 << bit
            try:
                # A space that became a line break changes nothing that is said.
                assert verify(bytes(changed), key) == content
                assert file[at : at + 1].isspace()
            except KeyStoreError:
                pass


# On a terminal


def test_three_people_on_a_terminal(tmp_path):
    """The whole of it as a program, typed on a pty: names, passphrases, a typo, a wrong sheet, and the right ones."""
    (tmp_path / "scheme.toml").write_text('[municipality]\nname = "Gelredam"\nnumber = 1\naid = "F0E0D1"\n')
    folder, sheets = tmp_path / "keys", tmp_path / "sheets"
    command = ["-m", "meedoen", "keys", "ceremony", "--rehearsal", "--scheme", str(tmp_path / "scheme.toml")]
    command += ["--data", str(folder), "--sheets", str(sheets), "--language", "en"]
    person = pexpect.spawn(sys.executable, command, timeout=90, encoding="utf-8", dimensions=(50, 120))
    person.expect("REHEARSAL")
    for number, name in enumerate(["Anna", "Bram", "Cor"], 1):
        person.expect(f"Name {number}:")
        person.sendline(name)
    person.expect("Name 4:")
    person.sendline("")
    person.expect("Choose 2 to 3:")
    person.sendline("2")
    for _ in range(3):
        person.expect("at random.*Enter:")
        person.sendline("asdfghjkl")
    shares = []
    for number, name in enumerate(["Anna", "Bram", "Cor"], 1):
        person.expect(f"turn of {name}")
        person.expect("Press Enter.")
        shares.append(words_on((sheets / f"share-{number}.pdf").read_bytes()))
        person.sendline("")
        if number == 2:
            for wrong, why in ((["aunt", *shares[1][1:]], "changed places"), (shares[0], "This is share 1")):
                _type(person, wrong)
                person.expect(why)
        _type(person, shares[-1], short=number == 3)
        person.expect(f"Share {number} is right")
    person.expect("Any 2 sheets together")
    for number in (1, 2):
        person.expect(f"person {number} of 2: ")
        person.sendline(f"long enough {number}")
        person.expect("Once more: ")
        person.sendline(f"long enough {number}")
    person.expect("check values")
    person.expect("Press Enter.")
    person.sendline("")
    person.expect("shredder")
    person.expect(pexpect.EOF)
    person.close()
    assert person.exitstatus == 0
    assert not sheets.exists()
    about = register.peek(folder)
    assert (about.rehearsal, about.threshold, about.custodians) == (True, 2, 3)
    record = json.loads((folder / "transcript.json").read_bytes())
    checks = {(key["purpose"], str(key["version"])): key["value"] for key in record["content"]["keys"]}
    assert checks["load", "1"] == about.keys["load"]["1"].check

    # And two of them, on another day, see that their sheets are still good.
    command = ["-m", "meedoen", "keys", "verify-shares", "--rehearsal", "--data", str(folder), "--language", "en"]
    person = pexpect.spawn(sys.executable, command, timeout=90, encoding="utf-8", dimensions=(50, 120))
    for number in (1, 2):
        person.expect(f"person {number} of 2: ")
        person.sendline(f"long enough {number}")
    for share in (shares[2], shares[0]):
        person.expect("The next custodian")
        _type(person, share)
    person.expect("These shares make all")
    person.expect("transcript.json is as it was signed")
    person.expect(pexpect.EOF)
    person.close()
    assert person.exitstatus == 0


@pytest.fixture
def at_the_first_sheet(tmp_path):
    """A ceremony on a pty, with the sheet of the first of three in its folder: `(the pty, the folder)`."""
    (tmp_path / "scheme.toml").write_text('[municipality]\nname = "Gelredam"\nnumber = 1\naid = "F0E0D1"\n')
    sheets = tmp_path / "sheets"
    command = ["-m", "meedoen", "keys", "ceremony", "--rehearsal", "--scheme", str(tmp_path / "scheme.toml")]
    command += ["--data", str(tmp_path / "keys"), "--sheets", str(sheets), "--language", "en", "--needed", "2"]
    command += [word for name in ("Anna", "Bram", "Cor") for word in ("--custodian", name)]
    person = pexpect.spawn(sys.executable, command, timeout=90, dimensions=(50, 120))
    for _ in range(3):
        person.expect("at random.*Enter:")
        person.sendline(b"caf\xe9")
    person.expect("turn of Anna")
    person.expect("Press Enter.")
    assert [path.name for path in sheets.iterdir()] == ["share-1.pdf"]
    yield person, sheets
    person.close(force=True)


@pytest.mark.parametrize("broken", [signal.SIGHUP, signal.SIGTERM], ids=["hung up", "ended"])
def test_a_line_that_breaks_leaves_no_sheet_behind(at_the_first_sheet, broken):
    person, sheets = at_the_first_sheet
    person.kill(broken)
    person.expect(pexpect.EOF)
    person.wait()
    assert person.exitstatus == 1
    assert not sheets.exists()


def test_a_terminal_that_is_closed_leaves_no_sheet_behind(at_the_first_sheet):
    person, sheets = at_the_first_sheet
    person.ptyproc.fileobj.close()
    deadline = time.monotonic() + 60
    while sheets.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not sheets.exists()


def test_what_was_typed_is_gone_from_the_terminal_after_ctrl_c(at_the_first_sheet):
    person, sheets = at_the_first_sheet
    words = words_on((sheets / "share-1.pdf").read_bytes())
    person.sendline("")
    person.expect("Words: ")
    person.sendline(" ".join(words[:20]))
    person.expect("more: ")
    person.sendintr()
    person.expect_exact("\x1b[3J")
    person.expect("Nothing of it was kept")
    assert not sheets.exists()


def test_a_key_that_is_no_letter_is_a_typo(at_the_first_sheet):
    person, sheets = at_the_first_sheet
    words = words_on((sheets / "share-1.pdf").read_bytes())
    person.sendline("")
    person.expect("Words: ")
    person.sendline(" ".join(words[:6]).encode() + b" \xe9\xff " + " ".join(words[7:]).encode())
    person.expect("more: ")
    person.sendline("")
    person.expect("Word 7 is not in the list")


def _type(person, words, short=False):
    person.expect("Words: ")
    words = [word[:4] if short else word for word in words]
    person.sendline(" ".join(words[:20]))
    person.expect("more: ")
    person.sendline(" ".join(words[20:]))
    person.expect("more: ")
    person.sendline("")
