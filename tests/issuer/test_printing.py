"""The pass as it is printed: what is on it, that it can be read, and that it tells nothing of its holder's income."""

import io
import random
import shutil
from datetime import date
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageChops
from pypdf import PdfReader

from issuer.errors import ArtworkRefused, FaceRefused
from issuer.printing import Artwork, Face, check_artwork, load_artwork
from issuer.printing.photo import portrait
from issuer.scheme import load_scheme

ROOT = Path(__file__).parents[2]
UNTIL = date(2027, 1, 31)
JAN = Face("Jan de Boer", "K7QW-M2XP")
ELSE = Face("Çelik-Žižka van den Øverbeek", "WWWW-MMMM")


@pytest.fixture(scope="module")
def scheme():
    return load_scheme(ROOT / "schemes" / "gelrepas.toml")


@pytest.fixture
def folder(tmp_path):
    """The folder of a municipality that begins with the default."""
    return Path(shutil.copytree(ROOT / "issuer" / "printing" / "default", tmp_path / "artwork"))


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def with_photo(folder):
    edit(folder / "face.toml", "[photo]\nshown = false", "[photo]\nshown = true")
    return Artwork(folder)


def photo(size=(600, 800), colour="#AA5533", file_format="JPEG", **options):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, file_format, **options)
    return file.getvalue()


def picture(png):
    return Image.open(io.BytesIO(png)).convert("RGB")


def text(pdf):
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


# What is on it


def test_the_default_artwork_may_be_printed(scheme):
    check_artwork(load_artwork(), scheme)


def test_a_pass_says_whose_it_is_its_code_on_both_sides_and_until_when(scheme):
    front, back = text(load_artwork().pdf([JAN], UNTIL))
    assert all(words in front for words in ("Gelrepas", "Gelredam", "Jan de Boer", "K7QW-M2XP", "31-01-2027"))
    assert all(words in back for words in ("K7QW-M2XP", "Pas kwijt?", "Pas gevonden?", "14 026"))
    assert "Jan" not in back


def test_a_batch_has_two_pages_for_each_in_their_order():
    pages = text(load_artwork().pdf([JAN, ELSE], UNTIL))
    assert [("K7QW-M2XP" in page, "WWWW-MMMM" in page) for page in pages] == [(True, False)] * 2 + [(False, True)] * 2


def test_a_picture_is_a_card_at_300_dpi():
    assert picture(load_artwork().png(JAN, "front", UNTIL)).size == (1011, 638)
    assert picture(load_artwork().png(JAN, "back", UNTIL)).size == (1011, 638)


def test_a_phone_finds_the_help_page_on_the_back():
    found = zxingcpp.read_barcodes(picture(load_artwork().png(JAN, "back", UNTIL)))
    assert [one.text for one in found] == ["https://www.gelredam.example/pas"]


@pytest.mark.parametrize(
    "name", ["Çelik-Žižka van den Øverbeek", "Ayşe Ğündoğdu", "Łukasz Śćiążko", "O’Brien-d'Hondt", "J.P. Ő"]
)
def test_a_name_is_printed_with_all_its_accents(name):
    front, _ = text(load_artwork().pdf([Face(name, "K7QW-M2XP")], UNTIL))
    assert name.replace(" ", "") in "".join(front.split())


def test_a_name_written_with_loose_accents_is_the_same_name():
    loose, whole = Face("C\u0327elik", "K7QW-M2XP"), Face("\u00c7elik", "K7QW-M2XP")
    assert load_artwork().png(loose, "front", UNTIL) == load_artwork().png(whole, "front", UNTIL)


def test_a_long_name_is_printed_smaller_and_one_that_does_not_fit_is_refused():
    front, _ = text(
        load_artwork().pdf([Face("Wilhelmina Alexandrina van Oudshoorn-van der Meulen", "K7QW-M2XP")], UNTIL)
    )
    assert "Meulen" in front
    with pytest.raises(FaceRefused, match="write it shorter"):
        load_artwork().pdf([Face("Hottentottententententoonstellingskaart", "K7QW-M2XP")], UNTIL)


# All passes alike


@pytest.mark.parametrize("side", ["front", "back"])
@pytest.mark.parametrize("seed", range(5))
def test_two_passes_differ_in_the_places_of_name_code_and_photo_only(folder, side, seed):
    artwork, dice = with_photo(folder), random.Random(seed)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    faces = [
        Face(
            "".join(dice.choices(letters, k=dice.randint(1, 14))).title(),
            "-".join("".join(dice.choices(letters, k=4)) for _ in range(2)),
            photo(colour=dice.choice(["red", "green"])),
        )
        for _ in range(2)
    ]
    one, other = (picture(artwork.png(face, side, UNTIL)) for face in faces)
    assert ImageChops.difference(one, other).getbbox() is not None
    for place in artwork.design.places.values():
        if place.side == side:
            # One pixel around it: an edge may fall within a pixel.
            box = [
                round(edge * 300 / 25.4)
                for edge in (place.left, place.top, place.left + place.width, place.top + place.height)
            ]
            area = (box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1)
            one.paste("white", area)
            other.paste("white", area)
    assert ImageChops.difference(one, other).getbbox() is None


@pytest.mark.parametrize(
    "asks",
    [
        "#sys.inputs.name",
        '#rect(fill: if data.name.starts-with("A") { red } else { blue })',
        '#if data.faces.at(0).code.first() == "K" [A]',
        "#context query(<name>).first()",
        '#read("../households.csv")',
        '#read("/etc/hostname")',
        '#csv("people.csv")',
    ],
)
def test_a_template_that_asks_for_a_holder_or_a_file_elsewhere_is_refused(folder, scheme, asks):
    (folder.parent / "households.csv").write_text("x")
    with (folder / "face.typ").open("a") as template:
        template.write(asks)
    with pytest.raises(ArtworkRefused, match="may use the files in its own folder"):
        check_artwork(Artwork(folder), scheme)


def test_a_template_is_given_what_the_municipality_says_and_nothing_else(folder):
    (folder / "face.typ").write_text(
        "#repr(json(bytes(sys.inputs.data)).keys())#sys.inputs.keys()#datetime.today().year()"
    )
    (given,) = text(Artwork(folder).drawn)
    keys = ("city", "pass_name", "phone", "help_page", "help_page_qr", "colours", "places")
    listed = ",".join(f'"{key}"' for key in keys)
    assert "".join(given.split()) == f'({listed},)("data",)1970'


def test_a_template_that_fetches_a_package_is_refused(folder, scheme):
    (folder / "part.typ").write_text('#import "@preview/cetz:0.3.0"')
    with pytest.raises(ArtworkRefused, match=r"part.typ fetches a package"):
        check_artwork(Artwork(folder), scheme)


def test_a_package_under_a_disguised_name_is_not_found_on_the_machine_either(folder, scheme, tmp_path, monkeypatch):
    package = tmp_path / "data" / "typst" / "packages" / "local" / "cheat" / "1.0.0"
    package.mkdir(parents=True)
    (package / "typst.toml").write_text('[package]\nname = "cheat"\nversion = "1.0.0"\nentrypoint = "cheat.typ"\n')
    (package / "cheat.typ").write_text("#let colour = red")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    edit(folder / "face.typ", "// Front", '#import "\\u{40}local/cheat:1.0.0": colour')
    with pytest.raises(ArtworkRefused, match="package"):
        check_artwork(Artwork(folder), scheme)


@pytest.mark.parametrize(
    "words",
    [
        "Kleding",
        "kleding kind",
        "Minimabeleid",
        "Mantelzorg",
        "voor lage inkomens",
        "low income",
        "120 %",
        "€ 150",
        "150 euro",
    ],
)
def test_an_artwork_that_names_a_budget_or_an_income_is_refused(folder, scheme, words):
    edit(folder / "face.typ", "[Pas kwijt?]", f"[{words}]")
    with pytest.raises(ArtworkRefused, match="take it off the pass"):
        check_artwork(Artwork(folder), scheme)


def test_words_put_together_by_the_template_or_named_in_face_toml_are_read_too(folder, scheme):
    edit(folder / "face.typ", "[Pas kwijt?]", '("in" + "komen" + "sgroep B")')
    with pytest.raises(ArtworkRefused, match="inkomen"):
        check_artwork(Artwork(folder), scheme)
    edit(folder / "face.typ", '("in" + "komen" + "sgroep B")', "[Pas kwijt?]")
    check_artwork(Artwork(folder), scheme)
    edit(folder / "face.toml", 'name = "Gelrepas"', 'name = "Minimapas"')
    with pytest.raises(ArtworkRefused, match="Minima"):
        check_artwork(Artwork(folder), scheme)


def test_a_word_that_only_holds_the_name_of_a_budget_is_no_budget(folder, scheme):
    edit(folder / "face.typ", "[Pas kwijt?]", "[Sporthal]")
    check_artwork(Artwork(folder), scheme)


@pytest.mark.parametrize(
    "name", ["Jan 120%", "Jan (B)", "Jan\nB", "Jan #", "Jan €", "", " ", "x" * 81, "Jan 2", "Иван"]
)
def test_no_group_is_printed_in_place_of_a_name(name):
    with pytest.raises(FaceRefused, match="name on a pass"):
        Face(name, "K7QW-M2XP")


@pytest.mark.parametrize("code", ["", "K7QW", "K7QW-M2XP-B", "k7qw-m2xp", "K7QW-M2XP\n"])
def test_a_code_of_another_shape_is_refused(code):
    with pytest.raises(FaceRefused, match="code for the face"):
        Face("Jan", code)


def test_a_name_a_photo_and_a_last_day_are_on_every_pass_or_on_none(folder):
    with pytest.raises(FaceRefused, match="name is printed on all"):
        Artwork(folder).pdf([JAN, Face(None, "WWWW-MMMM")], UNTIL)
    with pytest.raises(FaceRefused, match="photo is printed on all"):
        Artwork(folder).pdf([JAN, Face("Jan", "WWWW-MMMM", photo())], UNTIL)
    with pytest.raises(FaceRefused, match="last day of validity"):
        Artwork(folder).pdf([JAN])
    edit(folder / "face.toml", "[name]\nshown = true", "[name]\nshown = false")
    edit(folder / "face.toml", "[valid_until]\nshown = true", "[valid_until]\nshown = false")
    with pytest.raises(FaceRefused, match="name is printed on all"):
        Artwork(folder).pdf([JAN])
    with pytest.raises(FaceRefused, match="photo is printed on all"):
        with_photo(folder).pdf([Face(None, "WWWW-MMMM")])


def test_a_pass_for_a_household_has_no_name(folder):
    edit(folder / "face.toml", "[name]\nshown = true", "[name]\nshown = false")
    front, _ = text(Artwork(folder).pdf([Face(None, "K7QW-M2XP")], UNTIL))
    assert "Laat deze pas zien" in front


# It can be read


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('ink = "#16212E"', 'ink = "#999999"', "ink and paper"),
        ('band = "#0A5A50"', 'band = "#FFCC00"', "on_band and band"),
        ('height = 7\ncolour = "ink"\nsize_pt = 14', 'height = 7\ncolour = "on_band"\nsize_pt = 14', r"\[code\]"),
    ],
)
def test_colours_that_cannot_be_read_are_refused(folder, scheme, old, new, words):
    edit(folder / "face.toml", old, new)
    with pytest.raises(ArtworkRefused, match=words):
        check_artwork(Artwork(folder), scheme)


def test_a_drawing_under_the_name_is_refused(folder, scheme):
    edit(
        folder / "face.typ", "#pagebreak()", "#place(dx: 20mm, dy: 25mm, circle(radius: 2mm, fill: red))\n#pagebreak()"
    )
    with pytest.raises(ArtworkRefused, match=r"\[name\] of face.toml comes"):
        check_artwork(Artwork(folder), scheme)


def test_a_pass_of_another_size_or_with_another_number_of_sides_is_refused(folder, scheme):
    edit(folder / "face.typ", "width: 85.60mm", "width: 86.60mm")
    with pytest.raises(ArtworkRefused, match=r"width of 85\.60mm"):
        check_artwork(Artwork(folder), scheme)
    (folder / "face.typ").write_text("#set page(width: 85.60mm, height: 53.98mm)\nOne side")
    with pytest.raises(ArtworkRefused, match="makes 1 pages"):
        check_artwork(Artwork(folder), scheme)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('phone = "14 026"', "", "phone: missing"),
        ('"#0A5A50"', '"green"', 'band: expected is a colour such as "#0B5C4A"'),
        ("https://", "http://", "help_page: expected is an address"),
        ("width = 50", "width = 80", "width: reaches over the edge"),
        (
            "top = 20\nwidth = 50\nheight = 14",
            "top = 38\nwidth = 50\nheight = 14",
            r"\[code\] left: this place lies over",
        ),
        ("size_pt = 16", "size_pt = 8", "size_pt: expected is a whole number from 9 to 30"),
        ("[pass]", "[pass]\nincome = 120", "income: unknown key"),
    ],
)
def test_a_fault_in_face_toml_is_told_with_its_line(folder, old, new, words):
    edit(folder / "face.toml", old, new)
    with pytest.raises(ArtworkRefused, match=rf"line \d+, .*{words}"):
        Artwork(folder)


def test_a_folder_without_a_template_or_logo_says_so(folder, scheme):
    (folder / "logo.svg").unlink()
    with pytest.raises(ArtworkRefused, match=r"logo\.svg"):
        check_artwork(Artwork(folder), scheme)
    (folder / "face.typ").unlink()
    with pytest.raises(ArtworkRefused, match=r"an artwork has face\.typ"):
        check_artwork(Artwork(folder), scheme)


# The photo


def test_a_photo_is_upright_cropped_and_bare(folder):
    sideways = Image.new("RGB", (800, 600), "blue")
    sideways.paste("red", (0, 0, 400, 600))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x8825] = 6, "Jan", {1: "N"}
    file = io.BytesIO()
    sideways.save(file, "JPEG", exif=exif, comment=b"secret")
    made = portrait(file.getvalue(), 18, 24)
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == (213, 283)
        assert not image.getexif()
        assert not {"comment", "exif", "icc_profile"} & set(image.info)
        top, bottom = image.getpixel((106, 20)), image.getpixel((106, 260))
    assert (top[0] > 200, bottom[2] > 200) == (True, True)


def test_a_photo_is_on_the_pass(folder):
    front = picture(with_photo(folder).png(Face("Jan", "K7QW-M2XP", photo(colour="#AA5533")), "front", UNTIL))
    red, green, blue = front.getpixel((round(71 / 25.4 * 300), round(32 / 25.4 * 300)))
    assert (abs(red - 0xAA) < 8, abs(green - 0x55) < 8, abs(blue - 0x33) < 8) == (True, True, True)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "cannot be read"),
        (b"GIF89a", "cannot be read"),
        (photo()[:600], "cannot be read"),
        (photo(file_format="GIF"), "cannot be read"),
        (photo((9000, 9000), file_format="PNG"), "too many pixels"),
    ],
)
def test_a_file_that_is_no_photo_is_refused(folder, file, words):
    with pytest.raises(FaceRefused, match=words):
        with_photo(folder).pdf([Face("Jan", "K7QW-M2XP", file)], UNTIL)
