"""What is printed at a ceremony: a sheet with a share for each custodian, and the record to sign on paper."""

import json
from dataclasses import dataclass
from datetime import date
from importlib.resources import as_file, files
from typing import Any

import typst
from babel.dates import format_date

from keys.transcript import Transcript


@dataclass(frozen=True)
class Sheet:
    """One share on paper; `number` of `custodians`, of which `threshold` are needed.

    `check`: the check value of the root's register key, which the record of the ceremony shows too.
    """

    municipality: str
    custodian: str
    number: int
    custodians: int
    threshold: int
    share_set: int
    words: list[str]
    made_on: date
    rehearsal: bool
    check: str = ""


def share_sheet(sheet: Sheet) -> bytes:
    """One page A4; the same bytes for the same sheet."""
    return _typeset(
        "share_sheet.typ",
        {
            **vars(sheet),
            "made_on": format_date(sheet.made_on, "d MMMM yyyy", locale="nl"),
            "made_on_en": format_date(sheet.made_on, "d MMMM yyyy", locale="en_GB"),
        },
    )


def transcript_pdf(transcript: Transcript) -> bytes:
    """The record, with a line for every custodian's signature. No secret is in it."""
    return _typeset("transcript.typ", json.loads(transcript.signed_json))


def _typeset(template: str, data: dict[str, Any]) -> bytes:
    with as_file(files("keys") / template) as path:
        pdf: bytes = typst.compile(
            str(path), sys_inputs={"data": json.dumps(data)}, ignore_system_fonts=True, timestamp=0
        )
    return pdf
