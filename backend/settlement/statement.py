"""The statement of one venue as a PDF, the same bytes for the same settlement."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import as_file, files

import typst
from babel.dates import format_date

from backend.money import euro


@dataclass(frozen=True)
class StatementLine:
    """Taps or reversals of one offer; `cents` is what they bring the venue. `late`: they are of before the period."""

    offer: int
    name: str
    kind: str
    count: int
    cents: int
    not_payable: str | None
    late: bool = False


@dataclass(frozen=True)
class Statement:
    """What a venue gets to see. Cents; `reference` is the end-to-end id of the payment.

    `reopened`: payments that came back and are paid now, each with its reference, how it came back and its amount.
    """

    number: str
    municipality: str
    venue: str
    iban: str
    since: date | None
    until: date
    execution_on: date
    opening: int
    reopened: list[tuple[str, str, int]]
    earned: int
    paid: int
    carried: int
    reference: str
    made_at: datetime
    lines: list[StatementLine]


def statement_pdf(statement: Statement) -> bytes:
    """PDF/A-2b, made with the fonts of the typesetter only, so that it does not depend on the machine."""
    with as_file(files("backend.settlement") / "statement.typ") as template:
        pdf: bytes = typst.compile(
            str(template),
            sys_inputs={"statement": json.dumps(_words(statement))},
            ignore_system_fonts=True,
            pdf_standards=["a-2b"],
            timestamp=int(statement.made_at.timestamp()),
        )
    return pdf


def _words(statement: Statement) -> dict[str, object]:
    """Everything that the template prints, as text."""
    return {
        "number": statement.number,
        "municipality": statement.municipality,
        "venue": statement.venue,
        "iban": " ".join(statement.iban[at : at + 4] for at in range(0, len(statement.iban), 4)),
        "since": _day(statement.since) if statement.since else "",
        "until": _day(statement.until),
        "execution_on": _day(statement.execution_on),
        "reference": statement.reference if statement.paid else "",
        "opening": euro(statement.opening) if statement.opening else "",
        "reopened": [
            {"reference": reference, "how": how, "amount": euro(amount)}
            for reference, how, amount in statement.reopened
        ],
        "earned": euro(statement.earned),
        "paid": euro(statement.paid),
        "carried": euro(statement.carried) if statement.carried else "",
        "lines": [_line(line) for line in statement.lines if not line.not_payable],
        "not_payable": [_line(line) for line in statement.lines if line.not_payable],
    }


def _line(line: StatementLine) -> dict[str, object]:
    return {
        "offer": str(line.offer),
        "name": line.name,
        "reversal": line.kind == "reversal",
        "late": line.late,
        "count": str(line.count),
        "amount": euro(line.cents),
    }


def _day(day: date) -> str:
    return format_date(day, "d MMMM y", locale="nl_NL")
