"""A card printer on the network or behind CUPS, through IPP (RFC 8011)."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from pyipp import IPP
from pyipp.enums import IppJobState, IppOperation, IppPrinterState, IppStatus, IppTag
from pyipp.exceptions import IPPError
from pyipp.tags import ATTRIBUTE_TAG_MAP

from hardware.errors import PrintedBefore, PrinterError

_PDF = "application/pdf"
# PWG 5101.1, table of self-describing media names: the size of a CR80 card.
_CARD = "om_card_54x86mm"
_LONGEST_NAME = 255
_ANSWER_SECONDS = 30
_LOOK_AGAIN_SECONDS = 0.3
# RFC 8011, 5.4.12, without the suffix for severity. Cards are media, ribbon and film are marker supplies or toner.
_HELP = {
    "media-empty": "has no cards left: put cards in",
    "media-needed": "has no cards left: put cards in",
    "input-tray-missing": "misses its tray of cards: put it in",
    "media-jam": "has a card stuck in it: open it and take the card out",
    "marker-supply-empty": "is out of ribbon: put a new one in",
    "toner-empty": "is out of ribbon: put a new one in",
    "cover-open": "is open: close it",
    "door-open": "is open: close it",
    "interlock-open": "is open: close it",
    "output-area-full": "has no room for printed cards: take them out",
    "paused": "was paused: let it go on, at the printer itself",
    "shutdown": "is switched off: switch it on",
    "timed-out": "does not answer the computer that it is connected to: switch it on, and see to its cable",
}
_OVER = (IppJobState.CANCELED, IppJobState.ABORTED, IppJobState.COMPLETED)

# The printer is not to make a card fit on letter paper (PWG 5100.16, 4.1.7); pyipp leaves out what it has no tag for.
ATTRIBUTE_TAG_MAP.setdefault("print-scaling", IppTag.KEYWORD)


class IppPrinter:
    """A printer at an address such as `ipp://cardprinter.local:631/ipp/print`; `ipps` with a certificate.

    Nothing happens before print_pdf.
    """

    def __init__(self, uri: str, patience_seconds: int = 120) -> None:
        self._uri = uri
        self._patience_seconds = patience_seconds

    def print_pdf(self, document: bytes, name: str, again: bool = False) -> None:
        """Print a document and wait until it lies in the tray. PrinterError says what to do if it does not.

        `name`: what the printer knows the job by, with the codes on the passes. Doing the same again is safe: a job of
        this name that the printer still has to print is waited for, and PrintedBefore is raised for one that it has
        printed, as far back as the printer remembers. `again`: print it once more for all that.
        """
        if not 0 < len(name.encode()) <= _LONGEST_NAME:
            raise ValueError("a name for a print job has 1 to 255 bytes")
        waiting = self._jobs("not-completed", name)
        if waiting:
            self._wait(waiting[-1]["job-id"])
            return
        printed = [job for job in self._jobs("completed", name) if job["job-state"] == IppJobState.COMPLETED]
        if printed and not again:
            raise PrintedBefore("the printer has printed this before: look in its tray before it is printed again")
        able = self._able()
        self._wait(self._send(document, name, able, len(printed)))

    def _able(self) -> dict[str, Any]:
        """What the printer can do; PrinterError if it cannot print now, or no PDF."""
        printer = self._printer()
        _refuse_a_standstill(printer)
        if _PDF not in _several(printer.get("document-format-supported")):
            raise PrinterError("the printer takes no PDF: set up a queue for it in CUPS, and give the address of that")
        return printer

    def _send(self, document: bytes, name: str, able: dict[str, Any], printed_before: int) -> int:
        """The number of the job. When the answer is lost the printer is asked whether it has the job."""
        # Only what the printer says that it knows: some refuse a job for an attribute that is new to them.
        attributes = {
            attribute: value
            for attribute, value in (
                ("media", _CARD),
                ("sides", "two-sided-long-edge"),
                ("print-scaling", "none"),
            )
            if value in _several(able.get(f"{attribute}-supported"))
        }
        end = time.monotonic() + self._patience_seconds
        message = {
            "operation-attributes-tag": {"job-name": name, "document-format": _PDF},
            "job-attributes-tag": attributes,
            "data": document,
        }
        try:
            while True:
                try:
                    return int(self._ask(IppOperation.PRINT_JOB, message)["jobs"][0]["job-id"])
                except _Busy:
                    self._have_patience(end)
        except _AnswerLost:
            found = self._jobs("not-completed", name) or self._jobs("completed", name)[printed_before:]
            if not found:
                raise PrinterError(
                    "the connection to the printer broke and it has no card to print: do it again"
                ) from None
            return int(found[-1]["job-id"])

    def _wait(self, number: int) -> None:
        end = time.monotonic() + self._patience_seconds
        while True:
            message = {
                "operation-attributes-tag": {
                    "job-id": number,
                    "requested-attributes": ["job-state", "job-state-reasons"],
                }
            }
            job = self._ask(IppOperation.GET_JOB_ATTRIBUTES, message)["jobs"][0]
            if job["job-state"] == IppJobState.COMPLETED:
                return
            if job["job-state"] in _OVER:
                raise PrinterError(
                    "the printer gave up on this card: throw away what lies half printed, and do it again"
                )
            self._have_patience(end)

    def _have_patience(self, end: float) -> None:
        """Wait a moment; PrinterError if the printer stands still, or it is past the end."""
        late = time.monotonic() > end
        _refuse_a_standstill(self._printer(), late)
        if late:
            raise PrinterError("the printer is still busy: wait, and do it again; nothing is printed twice")
        time.sleep(_LOOK_AGAIN_SECONDS)

    def _jobs(self, which: str, name: str) -> list[dict[str, Any]]:
        """The jobs of this name, the oldest first."""
        message = {
            "operation-attributes-tag": {
                "which-jobs": which,
                "requested-attributes": ["job-id", "job-name", "job-state"],
            }
        }
        jobs = self._ask(IppOperation.GET_JOBS, message)["jobs"]
        return sorted((job for job in jobs if job.get("job-name") == name), key=lambda job: int(job["job-id"]))

    def _printer(self) -> dict[str, Any]:
        answer = self._ask(IppOperation.GET_PRINTER_ATTRIBUTES, {})
        return dict(answer["printers"][0])

    def _ask(self, operation: IppOperation, message: dict[str, Any]) -> dict[str, Any]:
        try:
            # In a thread of its own: the one that asks may run a loop already.
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(asyncio.run, self._execute(operation, message)).result()
        except IPPError as error:
            # Only an answer that was understood has a status; RFC 8011, B.1.
            facts = error.args[1] if len(error.args) > 1 else {}
            status = facts.get("status-code")
            if status == IppStatus.ERROR_DOCUMENT_FORMAT_NOT_SUPPORTED:
                raise PrinterError(
                    "the printer takes no PDF: set up a queue for it in CUPS, and give the address of that"
                ) from None
            if status == IppStatus.ERROR_BUSY:
                raise _Busy("the printer is busy with another card: wait, and do it again") from None
            if status is not None:
                raise PrinterError(
                    f"the printer refuses the work (status {status:#06x}): ask who looks after it"
                ) from None
            raise _AnswerLost(self._unreachable()) from None
        except (aiohttp.ClientError, OSError):
            raise _AnswerLost(self._unreachable()) from None

    async def _execute(self, operation: IppOperation, message: dict[str, Any]) -> dict[str, Any]:
        async with IPP(self._uri, request_timeout=_ANSWER_SECONDS, verify_ssl=True) as printer:
            return await printer.execute(operation, message)

    def _unreachable(self) -> str:
        return f"the printer at {self._uri} does not answer: switch it on, and see to its cable or network"


class _AnswerLost(PrinterError):
    """Nothing came back, whether or not it arrived."""


class _Busy(PrinterError):
    """It takes one job at a time and has one."""


def _refuse_a_standstill(printer: dict[str, Any], late: bool = False) -> None:
    """PrinterError if it stands still for a reason that somebody has to take away.

    `late`: a warning counts too, since nothing else explains why it is not done. Some printers know no errors.
    """
    reasons = _several(printer.get("printer-state-reasons"))
    stopped = printer.get("printer-state") == IppPrinterState.STOPPED
    for reason in reasons:
        name, _, severity = reason.rpartition("-")
        if severity not in ("error", "warning", "report"):
            name, severity = reason, "error"
        if name in _HELP and (stopped or severity == "error" or (late and severity == "warning")):
            raise PrinterError(f"the printer {_HELP[name]}; it then goes on with what it was given")
    if stopped:
        raise PrinterError(f"the printer has stopped ({', '.join(reasons)}): see what its own display says")


def _several(value: Any) -> list[Any]:
    """pyipp gives a list only where there is more than one value."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
