"""The people of Gelredam: a CSV as a municipality would export it. All of them are made up."""

import random
from datetime import date
from pathlib import Path

HEADER = "huishouden;voornaam;tussenvoegsel;achternaam;geboortedatum;inkomensklasse;mantelzorger"

_GIVEN = (
    "Aafke", "Bilal", "Chantal", "Daan", "Elif", "Femke", "Guus", "Hanna", "Idris", "Jip", "Karima", "Loek",
    "Merel", "Nour", "Otto", "Pien", "Quinten", "Roos", "Samira", "Teun", "Umar", "Veerle", "Wout", "Xander",
    "Yara", "Zoë", "Björn", "Noémie", "Jörg", "Fatima", "Sjoerd", "Marijke", "Hendrik", "Ilse", "Achmed", "Greet",
    "Cor", "Truus",
)  # fmt: skip
_FAMILY = (
    "Akkerman", "Bakker", "Çelik", "Dijkstra", "Evers", "Faber", "Groot", "Hoekstra", "Ibrahim", "Jansen",
    "Kuipers", "Linden", "Meijer", "Noordhoek", "Özdemir", "Postma", "Quist", "Ruiter", "Schouten", "Timmer",
    "Ubels", "Veenstra", "Wolters", "Zijlstra",
)  # fmt: skip
_INFIX = ("", "", "", "van", "de", "van der")
HOUSEHOLDS = 44


def write_csv(path: Path, seed: int) -> None:
    """44 households with their members, the same for the same seed; UTF-8, semicolons, Dutch dates."""
    chance = random.Random(seed)
    rows = [HEADER]
    for number in range(1, HOUSEHOLDS + 1):
        rows += _household(chance, number)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_spoilt_csv(path: Path, seed: int) -> None:
    """The same file as somebody could spoil it in a spreadsheet: Latin-1, an impossible date, a person twice."""
    write_csv(path, seed)
    rows = path.read_text(encoding="utf-8").splitlines()
    rows[3] = ";".join([*rows[3].split(";")[:4], "31-02-2014", *rows[3].split(";")[5:]])
    rows.append(rows[5])
    path.write_bytes("\r\n".join(rows).encode("cp1252", errors="replace"))


def _household(chance: random.Random, number: int) -> list[str]:
    infix, family = chance.choice(_INFIX), chance.choice(_FAMILY)
    # Most are within the income limit of 120 % of the norm; the last few are not, so that the rules say no as well.
    band = chance.choice(("100", "110", "120")) if number <= HOUSEHOLDS - 3 else "130"
    adults = [date(chance.randint(1950, 2004), chance.randint(1, 12), chance.randint(1, 28)) for _ in range(2)]
    born = adults[: chance.choice((1, 1, 2))]
    if born[0].year > 1975:
        born += [
            date(chance.randint(2009, 2021), chance.randint(1, 12), chance.randint(1, 28))
            for _ in range(chance.choice((0, 1, 2, 3)))
        ]
    names = chance.sample(_GIVEN, len(born))
    return [
        f"{number};{name};{infix};{family};{day:%d-%m-%Y};{band};{'ja' if at == 0 and number % 9 == 0 else 'nee'}"
        for at, (name, day) in enumerate(zip(names, born, strict=True))
    ]
