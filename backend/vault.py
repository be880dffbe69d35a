"""The vault, as clearing sees it: records in, verdicts out, over HTTP."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from backend.errors import LinkError

MOST_RECORDS = 1000
_REASONS = {"seal", "handle", "mac", "record"}


@dataclass(frozen=True)
class Verdict:
    """What the vault says of one record: its nullifier (32 hex digits) when a pass of ours committed it, or why not."""

    nullifier: str | None
    reason: str | None


@dataclass(frozen=True)
class Question:
    """A record to be proven: who it claims to be, its clear and its sealed part."""

    terminal: int
    sequence: int
    clear: bytes
    sealed: bytes


class VaultClient:
    """`transport` is for a vault in this process (httpx.WSGITransport) and for tests; without it, a socket."""

    def __init__(self, base_url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {token}"}, transport=transport, timeout=30
        )

    def prove(self, questions: Sequence[Question]) -> list[Verdict]:
        """One verdict for each of at most 1000 records, in their order; raises LinkError when there is none."""
        if not 1 <= len(questions) <= MOST_RECORDS:
            raise ValueError(f"1 to {MOST_RECORDS} records, not {len(questions)}")
        body = b"".join(question.clear + question.sealed for question in questions)
        try:
            answer = self._http.post("/v1/prove", content=body, headers={"Content-Type": "application/octet-stream"})
        except httpx.HTTPError as error:
            raise LinkError(f"the vault cannot be reached ({type(error).__name__})") from None
        if answer.status_code != httpx.codes.OK:
            raise LinkError(f"the vault answered {answer.status_code}")
        try:
            proofs = answer.json()["proofs"]
            if len(proofs) != len(questions):
                raise LinkError("the vault did not answer every record")
            return [_verdict(question, proof) for question, proof in zip(questions, proofs, strict=True)]
        except (ValueError, KeyError, TypeError):
            raise LinkError("the vault's answer cannot be read") from None

    def close(self) -> None:
        self._http.close()


def _verdict(question: Question, proof: dict[str, object]) -> Verdict:
    """Refuses an answer about another record, or one that is neither a yes nor a no."""
    nullifier, reason = proof["nullifier"], proof["reason"]
    if proof["valid"] is True and isinstance(nullifier, str) and re.fullmatch("[0-9a-f]{32}", nullifier):
        if (proof["terminal"], proof["sequence"]) != (question.terminal, question.sequence):
            raise LinkError("the vault answered about another record")
        return Verdict(nullifier, None)
    if proof["valid"] is False and nullifier is None and reason in _REASONS:
        return Verdict(None, str(reason))
    raise LinkError("the vault's answer cannot be read")
