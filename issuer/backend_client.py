"""The backend's HTTP interface as far as the desk needs it: handing in what was loaded."""

from typing import Any

import httpx

from issuer.errors import DeskError
from issuer.journal import RegistryJournal
from web.outside import from_json

_UNREACHABLE = "The backend cannot be reached; the desk keeps its loads, try again later."
_NO_BACKEND = "What answers there is no backend; the desk keeps its loads. Look whether the address is right."


def hand_in(
    journal: RegistryJournal, terminal: int, base_url: str, transport: httpx.BaseTransport | None = None
) -> list[dict[str, object]]:
    """Hand in what the backend lacks of the desk's journal; returns what it refused and keeps. Safe to repeat."""
    refused: list[dict[str, object]] = []
    with httpx.Client(base_url=base_url, transport=transport, timeout=60) as client:
        try:
            first = _said(client.get(f"/v1/terminals/{terminal}").raise_for_status()).get("nextPosition")
            if not isinstance(first, int):
                raise DeskError(_NO_BACKEND)
            for batch in journal.batches(first):
                answer = client.post(
                    f"/v1/terminals/{terminal}/batches",
                    content=batch,
                    headers={"Content-Type": "application/octet-stream"},
                )
                found = _said(answer)
                if answer.is_error and not found.get("kept"):
                    raise DeskError("The backend did not take the loads: {reason}.", reason=found.get("detail"))
                if not isinstance(more := found.get("refused", []), list):
                    raise DeskError(_NO_BACKEND)
                refused += more
        except httpx.TransportError:
            raise DeskError(_UNREACHABLE) from None
        except httpx.HTTPStatusError as error:
            raise DeskError("The backend refused this desk ({status}).", status=error.response.status_code) from None
    return refused


def _said(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = from_json(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DeskError(_NO_BACKEND)
    return found
