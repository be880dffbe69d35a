"""The backend's HTTP interface as far as the desk needs it: handing in what was loaded."""

import httpx

from issuer.errors import DeskError
from issuer.journal import RegistryJournal

_UNREACHABLE = "The backend cannot be reached; the desk keeps its loads, try again later."


def hand_in(
    journal: RegistryJournal, terminal: int, base_url: str, transport: httpx.BaseTransport | None = None
) -> list[dict[str, object]]:
    """Hand in what the backend lacks of the desk's journal; returns what it refused and keeps. Safe to repeat."""
    refused: list[dict[str, object]] = []
    with httpx.Client(base_url=base_url, transport=transport, timeout=60) as client:
        try:
            first = client.get(f"/v1/terminals/{terminal}").raise_for_status().json()["nextPosition"]
            for batch in journal.batches(first):
                answer = client.post(
                    f"/v1/terminals/{terminal}/batches",
                    content=batch,
                    headers={"Content-Type": "application/octet-stream"},
                )
                if answer.is_error and not answer.json().get("kept"):
                    raise DeskError("The backend did not take the loads: {reason}.", reason=answer.json().get("detail"))
                refused += answer.json().get("refused", [])
        except httpx.TransportError:
            raise DeskError(_UNREACHABLE) from None
        except httpx.HTTPStatusError as error:
            raise DeskError("The backend refused this desk ({status}).", status=error.response.status_code) from None
    return refused
