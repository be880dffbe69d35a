"""Letters: who gets which, in words that people can read, on paper that fits its envelope."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader
from pyphen import Pyphen
from sqlalchemy import select, update
from typer.testing import CliRunner

from issuer import messages
from issuer.errors import SchemeError
from issuer.letters import batch
from issuer.letters.letter import Letter, write_letter
from issuer.letters.office import file_of, load_office
from issuer.letters.recipient import Recipient, recipient
from issuer.people import Person
from issuer.registry import Registry, passes, people
from issuer.registry.tables import Household, Message
from issuer.renewal_cli import app
from tests.issuer.a_registry import NOON, block, holder, in_memory, pass_of, take
from tests.issuer.test_renewal import (
    MOTHER,
    SAM,
    SCHEME,
    SCHEMES,
    STRANGER,
    accept,
    content,
    preview,
    with_pass,
)

OFFICE_FILE = SCHEMES / "letters" / "gelrepas.toml"
OFFICE = load_office(OFFICE_FILE)
# Passes of 2026 end on 31 January 2027.
UNTIL = date(2027, 1, 31)
SOON = UNTIL - timedelta(days=messages.NOTICE_DAYS)
LATER = date(2026, 12, 1)
AUNT = Person("7", "Vos", "de", "Jet", date(1980, 2, 2), 120)
ORPHAN = Person("8", "Vos", "de", "Pim", date(2016, 5, 5), 100)

REASONS = [
    [
        "De pas is er voor een inkomen tot en met 120 procent van de norm en dit huishouden heeft meer.",
        "The pass is for an income up to 120 percent of the norm, and this household has more.",
    ]
]
BUDGETS = [
    {"name": "Meedoen kind", "amount": 4500, "unit": "cent"},
    {"name": "Kleding kind", "amount": 18000, "unit": "cent"},
    {"name": "Korting", "amount": 250, "unit": "visit"},
]
YEAR = {"pass_year": "2027", "from": "2027-01-01", "until": "2027-01-31"}
FACTS = {
    "notice open": {**YEAR, "answer": "open", "reasons": []},
    "notice keeps": {**YEAR, "answer": "keeps", "reasons": []},
    "notice bring": {**YEAR, "answer": "bring", "reasons": []},
    "notice loses": {**YEAR, "answer": "loses", "reasons": REASONS},
    "granted renewed": {**YEAR, "needs_card": False, "budgets": BUDGETS},
    "granted new": {**YEAR, "needs_card": True, "budgets": BUDGETS},
    "granted nothing": {**YEAR, "needs_card": False, "budgets": []},
    "ended": {**YEAR, "reasons": REASONS},
    "ended never": {**YEAR, "until": None, "reasons": REASONS},
    "post": {"code": "K7QW-M2XP", "until": "2027-01-31"},
    "blocked": {"code": "K7QW-M2XP"},
}
HOME = Household(street="Rozenstraat 12", postcode="1234 XY", town="Gelredam")
PARENTS = Recipient("Sam de Vos", "Sam", HOME)
ADULT = Recipient("Noor de Vos", "", HOME)


def letter(case: str, to: Recipient = ADULT, language: str = "nl", number: int = 7) -> Letter:
    message = Message(id=number, holder_id=1, kind=case.split()[0], language=language, facts=FACTS[case], made_on=LATER)
    return write_letter(message, to, OFFICE, LATER)


def text(found: Letter) -> str:
    """What is read, without the mark-up; a block of the letter a line."""
    body = re.sub(r"(?s).*<body>", "", found.html)
    flowing = re.sub(r"\s+", " ", body)
    lines = re.sub(r"</(p|h1|h2|li|td|th|address)>", "\n", flowing)
    return re.sub(r"<[^>]+>", " ", lines).replace("&ensp;", " ").replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def registry() -> Registry:
    made = in_memory()
    take(made, [SAM, MOTHER, STRANGER])
    with_pass(made, SAM, MOTHER, STRANGER)
    return made


def notices(registry: Registry, on: date = LATER, proof_before: date | None = None) -> int:
    with registry.transaction() as session:
        return messages.notices(session, SCHEME, on, proof_before)


def answers(registry: Registry) -> dict[str, str]:
    with registry.transaction() as session:
        return {
            people.holder(session, each.holder_id).given_name: each.facts["answer"]
            for each in session.scalars(select(Message).where(Message.kind == "notice"))
        }


# The notice, 90 days ahead


def test_a_notice_comes_90_days_ahead_and_not_before(registry):
    assert notices(registry, SOON - timedelta(days=1)) == 0
    assert notices(registry, SOON) == 3
    with registry.transaction() as session:
        facts = session.scalars(select(Message)).first().facts
    assert facts == {
        "pass_year": "2027",
        "from": "2027-01-01",
        "until": "2027-01-31",
        "answer": "open",
        "reasons": [],
    }


def test_a_notice_comes_once_a_pass_year(registry):
    assert (notices(registry), notices(registry), notices(registry, UNTIL)) == (3, 0, 0)
    with registry.transaction() as session:
        for who in people.holders(session):
            number = passes.of(session, who.id).id
            passes.renewing(session, number, date(2028, 1, 31), "clerk", NOON)
            passes.renewed(session, number, "clerk", NOON)
    assert notices(registry, LATER) == 0
    assert notices(registry, date(2027, 12, 1)) == 3


def test_a_blocked_pass_and_one_that_ended_get_no_notice(registry):
    block(registry, pass_of(registry, holder(registry, SAM)))
    assert notices(registry) == 2
    assert notices(registry, UNTIL + timedelta(days=1)) == 0


def test_a_notice_says_what_was_accepted(registry):
    take(registry, [replace(STRANGER, income_percent=130)])
    run = preview(registry)
    assert notices(registry) == 3
    assert set(answers(registry).values()) == {"open"}
    with registry.transaction() as session:
        session.execute(update(Message).values(kind="post"))
    accept(registry, run)
    notices(registry)
    assert answers(registry) == {"Sam": "keeps", "Noor": "keeps", "Ali": "loses"}


def test_a_notice_says_what_counted_and_not_what_the_preview_said(registry):
    run = preview(registry)
    take(registry, [replace(STRANGER, income_percent=130)])
    accept(registry, run)
    notices(registry)
    assert answers(registry)["Ali"] == "loses"


def test_who_gave_proof_long_ago_is_asked_to_bring_it(registry):
    accept(registry, preview(registry))
    with registry.transaction() as session:
        session.execute(update(Household).where(Household.reference == "1").values(band_on=date(2025, 6, 30)))
    notices(registry, proof_before=date(2025, 7, 1))
    assert answers(registry) == {"Sam": "bring", "Noor": "bring", "Ali": "keeps"}


@pytest.mark.parametrize(
    ("months", "year_end", "before"),
    [
        (0, date(2026, 12, 31), None),
        (12, date(2026, 12, 31), date(2026, 1, 1)),
        (6, date(2027, 7, 31), date(2027, 2, 1)),
    ],
)
def test_how_old_proof_may_be(months, year_end, before):
    assert replace(OFFICE, proof_after_months=months).proof_before(year_end) == before


# To whom


def test_a_letter_about_a_child_goes_to_its_parents_until_it_is_18(registry):
    with registry.transaction() as session:
        sam = people.holder(session, holder(registry, SAM).id)
        as_child = recipient(session, sam, date(2033, 4, 30))
        as_adult = recipient(session, sam, date(2033, 5, 1))
    assert (as_child.child, as_child.address("Ouders van").to) == ("Sam", "Ouders van Sam de Vos")
    assert (as_adult.child, as_adult.address("Ouders van").to) == ("", "Sam de Vos")


def test_a_letter_about_a_child_without_adults_at_home_goes_to_who_was_put_down(registry):
    take(registry, [AUNT, ORPHAN])
    with registry.transaction() as session:
        child, aunt = (people.holder(session, holder(registry, each).id) for each in (ORPHAN, AUNT))
        assert recipient(session, child, LATER).household is child.household
        people.add_guardian(session, child, aunt, LATER)
        assert recipient(session, child, LATER).household is aunt.household
    with registry.transaction() as session:
        sam = people.holder(session, holder(registry, SAM).id)
        people.add_guardian(session, sam, people.holder(session, holder(registry, AUNT).id), LATER)
        assert recipient(session, sam, LATER).household is sam.household


# What it says


@pytest.mark.parametrize("case", FACTS)
@pytest.mark.parametrize("to", [PARENTS, ADULT], ids=["child", "adult"])
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_letter_says_who_writes_where_to_ask_and_nothing_of_an_income(case, to, language):
    said = text(letter(case, to, language))
    assert OFFICE.phone in said
    assert OFFICE.signatory in said
    assert to.name in said
    assert OFFICE.words[language].hours in said
    assert not re.search(r"\b(110|BSN|burgerservicenummer)\b", said)
    assert "None" not in said
    assert not re.search(r"\{|\}", said)


@pytest.mark.parametrize("case", ["granted renewed", "granted new", "ended", "ended never"])
def test_a_decision_says_how_to_object(case):
    said = text(letter(case))
    assert "binnen 6 weken na 1 december 2026" in said
    assert "Commissie bezwaarschriften" in said
    assert "Postbus 1, 1230 AA Gelredam" in said
    assert "2026-000007" in said


def test_what_somebody_gets_is_said_in_words():
    said = text(letter("granted new"))
    for words in ("Meedoen kind", "45,00 euro", "180,00 euro", "250 bezoeken", "tot en met 31 januari 2027"):
        assert words in said
    assert "45.00 euros" in text(letter("granted new", language="en"))


def test_a_notice_says_what_to_do():
    assert "Dat kan vanaf 1 januari 2027" in text(letter("notice keeps"))
    assert "bewijs van uw inkomen" not in text(letter("notice keeps"))
    assert "bewijs van uw inkomen" in text(letter("notice bring"))
    assert "niets te doen" in text(letter("notice open"))
    assert "Sam krijgt geen nieuwe" in text(letter("notice loses", PARENTS))


def test_a_name_cannot_put_anything_in_a_letter():
    found = letter("blocked", Recipient("<b>Noor</b>", "", HOME))
    assert "&lt;b&gt;Noor" in found.html
    assert "<b>" not in found.html


_HYPHENS = Pyphen(lang="nl_NL")


def syllables(word: str) -> int:
    return len(_HYPHENS.positions(word)) + 1


def sentences(said: str) -> list[list[str]]:
    """The words of each sentence; an address and a row of a table are no sentences."""
    found = []
    for line in said.split("\n"):
        for sentence in re.split(r"(?<=[.?!:;])\s", line.strip()):
            words = re.findall(r"[A-Za-zÀ-ÿ]+(?:-[A-Za-zÀ-ÿ]+)*", sentence)
            if len(words) > 2 and re.search(r"[.?!:;]$", sentence.strip()):
                found.append(words)
    return found


@pytest.mark.parametrize("case", FACTS)
@pytest.mark.parametrize("to", [PARENTS, ADULT], ids=["child", "adult"])
def test_dutch_letters_are_short_sentences_of_short_words(case, to):
    found = sentences(text(letter(case, to)))
    # The reason of a decision is the sentence of the rules, word for word.
    own = [words for words in found if " ".join(words) not in " ".join(re.findall(r"[A-Za-z]+", REASONS[0][0]))]
    assert max(map(len, own)) <= 15
    words = [word for sentence in own for word in sentence]
    length = len(words) / len(own)
    assert length < 9
    # Flesch by Douma, for Dutch; above 70 is fairly easy, and letters of a town hall are mostly below 50.
    assert 206.84 - 0.93 * length - 77 * sum(map(syllables, words)) / len(words) > 70


# On paper


MM = 72 / 25.4


def pdf(folder: Path, *letters: Letter) -> PdfReader:
    (made,) = batch.batches(letters)
    batch.write(made, folder / "letters.pdf")
    return PdfReader(folder / "letters.pdf")


def places(page) -> list[tuple[str, float, float]]:
    """Every piece of text with where its first line begins, in mm from the left and the top."""
    found = []

    def visit(said, page_matrix, text_matrix, _font, _size):
        (a, b, c, d, e, f), (x, y) = page_matrix, text_matrix[4:]
        if said.strip():
            found.append((said.strip(), (x * a + y * c + e) / MM, 297 - (x * b + y * d + f) / MM))

    page.extract_text(visitor_text=visit)
    return found


@pytest.mark.parametrize("case", ["notice keeps", "granted new", "ended", "post", "blocked"])
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_the_address_stays_in_the_window_and_nothing_else_can_come_there(tmp_path, case, language):
    found = places(pdf(tmp_path, letter(case, PARENTS, language)).pages[0])
    # 4 mm is the height of a capital, and more.
    stays = [said for said, x, y in found if 95 <= x < 195 and y - 4 >= 50 and y <= 79]
    can_come = [said for said, x, y in found if x < 205 and 39 < y < 90 and x + 3 * len(said) > 85]
    assert [" ".join(said.split()) for said in stays] == [
        f"{'Ouders of verzorgers van' if language == 'nl' else 'Parents or carers of'} Sam de Vos",
        "Rozenstraat 12",
        "1234 XY Gelredam",
    ]
    assert can_come == stays


def structure(node: object) -> list[str]:
    """The tags of a PDF, in reading order."""
    found = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(found, list):
        return [tag for each in found for tag in structure(each)]
    if not isinstance(found, dict):
        return []
    own = [found["/S"]] if "/S" in found else []
    return own + (structure(found["/K"]) if "/K" in found else [])


def test_letters_are_accessible_pdfs_on_a4(tmp_path):
    made = pdf(tmp_path, *(letter(case, PARENTS, number=n) for n, case in enumerate(FACTS, start=1)))
    root = made.trailer["/Root"]
    assert root["/Lang"] == "nl"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert 'pdfuaid:part="1"' in root["/Metadata"].get_data().decode()
    assert made.metadata.title == "letters"
    tags = structure(root["/StructTreeRoot"]["/K"])
    assert tags.count("/H1") == len(FACTS)
    assert tags.count("/TH") == 4
    assert {(round(page.mediabox.width / MM), round(page.mediabox.height / MM)) for page in made.pages} == {(210, 297)}
    fonts = {
        str(font["/BaseFont"]) for page in made.pages for font in map(_found, page["/Resources"]["/Font"].values())
    }
    assert fonts
    assert all("Open-Sans" in font for font in fonts)


def _found(reference):
    return reference.get_object()


def test_every_letter_counts_its_own_pages_and_repeats_its_reference(tmp_path):
    made = pdf(tmp_path, letter("post", number=1), letter("granted new", number=2), letter("blocked", number=3))
    said = [" ".join(page.extract_text().split()) for page in made.pages]
    assert [re.search(r"Pagina (\d van \d)", page)[1] for page in said] == ["1 van 1", "1 van 2", "2 van 2", "1 van 1"]
    assert [re.search(r"2026-(\d+) Pagina", page)[1] for page in said] == ["000001", "000002", "000002", "000003"]


def test_an_english_letter_is_a_pdf_in_english(tmp_path):
    assert pdf(tmp_path, letter("post", language="en")).trailer["/Root"]["/Lang"] == "en"


def test_a_batch_is_one_language_sorted_by_postcode_and_not_too_large(monkeypatch):
    monkeypatch.setattr(batch, "_MOST", 2)
    codes = ["3000 AA", "1000 AA", "2000 AA", "1000 AB"]
    homes = [Recipient("Noor", "", Household(street="A", postcode=code, town="B")) for code in codes]
    found = batch.batches(
        [letter("post", to, number=n) for n, to in enumerate(homes)] + [letter("post", language="en", number=9)]
    )
    assert [each.numbers for each in found] == [[1, 3], [2, 0], [9]]


def test_a_desk_works_without_weasyprint_until_it_writes_letters():
    script = "import sys, issuer.renewal_cli; sys.exit('weasyprint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


# Waiting and sent


def live_at(registry: Registry, **postcodes: str) -> None:
    with registry.transaction() as session:
        for reference, postcode in postcodes.items():
            wanted = update(Household).where(Household.reference == reference.removeprefix("h"))
            session.execute(wanted.values(street="Kerkweg 3", postcode=postcode, town="Gelredam"))


def test_letters_wait_for_an_address_and_until_somebody_says_they_were_printed(registry):
    live_at(registry, h1="1234 XY")
    notices(registry)
    with registry.transaction() as session:
        (found,), unreachable = batch.waiting(session, OFFICE, LATER)
        assert (len(found.letters), len(unreachable)) == (2, 1)
        again, _ = batch.waiting(session, OFFICE, LATER)
        assert again[0].numbers == found.numbers
        assert messages.sent(session, found.numbers, LATER) == 2
        assert messages.sent(session, found.numbers, LATER + timedelta(days=1)) == 0
        assert batch.waiting(session, OFFICE, LATER)[0] == []
        assert {session.get(Message, number).sent_on for number in found.numbers} == {LATER}


def test_only_the_kinds_that_were_asked_for_are_printed(registry):
    live_at(registry, h1="1234 XY", h2="1234 XZ")
    notices(registry)
    with registry.transaction() as session:
        card = passes.of(session, holder(registry, SAM).id)
        messages.posted(session, card, LATER)
        messages.blocked(session, card, LATER, "en")
    with registry.transaction() as session:
        found, _ = batch.waiting(session, OFFICE, LATER, ["post", "blocked"])
    assert [[each.message.kind for each in one.letters] for one in found] == [["post"], ["blocked"]]
    assert f"CODE-{card.holder_id}" in found[0].letters[0].html


def test_every_decision_of_a_renewal_becomes_a_letter(registry):
    live_at(registry, h1="1234 XY", h2="1234 XZ")
    take(registry, [replace(STRANGER, income_percent=130)])
    accept(registry, preview(registry))
    with registry.transaction() as session:
        (found,), _ = batch.waiting(session, OFFICE, LATER)
    said = {each.message.holder_id: text(each) for each in found.letters}
    assert "120 procent" in said[holder(registry, STRANGER).id]
    assert "tot en met 31 januari 2027" in said[holder(registry, STRANGER).id]
    assert "180,00 euro" in said[holder(registry, SAM).id]
    assert "tot en met 31 januari 2028" in said[holder(registry, SAM).id]


# The municipality's own words


def test_the_file_of_an_office_stands_beside_its_scheme():
    assert file_of(SCHEMES / "gelrepas.toml") == OFFICE_FILE


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('phone = "14 0123"', "", "phone: missing"),
        ('phone = "14 0123"', 'phone = ""', "phone: expected"),
        ('phone = "14 0123"', 'phone = "14 0123"\nfax = "1"', "fax: unknown key"),
        ("proof_after_months = 0", "proof_after_months = -1", "proof_after_months: expected"),
        ("[objection]", "[objections]", "[objection]: missing"),
    ],
)
def test_a_fault_in_the_file_of_an_office_is_said_with_its_line(tmp_path, old, new, fault):
    path = tmp_path / "office.toml"
    path.write_text(OFFICE_FILE.read_text().replace(old, new))
    with pytest.raises(SchemeError) as error:
        load_office(path)
    assert fault in str(error.value)
    assert re.search(r"line \d+, ", str(error.value))


# On the command line


def test_notices_are_made_printed_and_counted_as_sent(tmp_path):
    registry = Registry.at(tmp_path / "desk")
    take(registry, [SAM, MOTHER, STRANGER])
    with_pass(registry, SAM, MOTHER, STRANGER)
    live_at(registry, h1="1234 XY")
    before = content(registry)
    out = tmp_path / "out"

    def run(*words: str):
        answer = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "desk"), "--on", "2026-12-01", "--json"])
        return answer.exit_code, json.loads(answer.stdout) if answer.stdout else None

    assert run("letters", "--out", str(out), "--printed") == (1, None)
    assert run("notices", "--language", "fr")[0] == 2
    assert run("letters", "--out", str(out), "--kind", "postcard")[0] == 2
    assert content(registry) == before
    assert run("notices") == (0, {"notices": 3})
    files = [str(out / "letters-001.pdf")]
    assert run("letters", "--out", str(out)) == (0, {"letters": 2, "files": files, "without_address": 1})
    assert len(PdfReader(files[0]).pages) == 2
    assert run("letters", "--out", str(out), "--printed") == (0, {"sent": 2})
    assert run("letters", "--out", str(out)) == (0, {"letters": 0, "files": [], "without_address": 1})
