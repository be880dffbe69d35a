"""The vault, as clearing sees it: records in, verdicts out, over HTTP."""

import ssl
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx

from backend.config import Vault
from backend.errors import LinkError, NotFound
from web.outside import from_json

MOST_RECORDS = 1000
# An answer: terminal, sequence, index of the reason, nullifier; zeros for what there is not.
_PROOF = struct.Struct("<IIB16s")
_NO_NULLIFIER = bytes(16)
_REASONS = (None, "record", "year", "seal", "handle", "mac")
# A year of a city takes minutes.
_AUDIT_TIMEOUT_S = 900
ENDS_OF_DOUBT = ("happened", "did_not_happen")
FINDINGS = ("missing", *ENDS_OF_DOUBT, "not_ours", "differs")


class Verdict(NamedTuple):
    """What the vault says of one record: its nullifier (32 hex digits) when a pass of ours committed it, or why not."""

    nullifier: str | None
    reason: str | None


class Question(NamedTuple):
    """A record to be proven: who it claims to be, its clear and its sealed part."""

    terminal: int
    sequence: int
    clear: bytes
    sealed: bytes


@dataclass(frozen=True)
class Finding:
    """What the vault found of one record: see FINDINGS. `nullifier` only of a doubt that happened."""

    kind: str
    terminal: int
    sequence: int
    nullifier: str | None


@dataclass(frozen=True)
class Audit:
    """`unnamed`: transactions that passes counted and of which nothing more is known."""

    records: int
    findings: list[Finding]
    unnamed: int


class VaultClient:
    """`transport` is for a vault in this process (httpx.WSGITransport) and for tests; without it, a socket."""

    def __init__(self, vault: Vault, transport: httpx.BaseTransport | None = None) -> None:
        path = vault.address.removeprefix("unix:")
        local = path != vault.address
        if local and transport is None:
            transport = httpx.HTTPTransport(uds=path)
        self._http = httpx.Client(
            base_url="http://vault" if local else vault.address, transport=transport, timeout=30, verify=_tls(vault)
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
        if len(answer.content) != len(questions) * _PROOF.size:
            raise LinkError("the vault did not answer every record")
        proofs = _PROOF.iter_unpack(answer.content)
        return [_verdict(question, *proof) for question, proof in zip(questions, proofs, strict=True)]

    def audit(self, lines: Iterable[bytes], count: int, from_the_start: bool) -> Audit:
        """What follows from `count` records of 103 bytes (outcome, clear, sealed); raises LinkError."""
        try:
            answer = self._http.post(
                "/v1/audit",
                params={"fromTheStart": from_the_start},
                content=lines,
                headers={"Content-Type": "application/octet-stream", "Content-Length": str(103 * count)},
                timeout=_AUDIT_TIMEOUT_S,
            )
        except httpx.HTTPError as error:
            raise LinkError(f"the vault cannot be reached ({type(error).__name__})") from None
        if answer.status_code != httpx.codes.OK:
            raise LinkError(f"the vault answered {answer.status_code}")
        try:
            found = from_json(answer.content)
            return Audit(found["records"], [_finding(each) for each in found["findings"]], found["unnamed"])
        except (ValueError, KeyError, TypeError):
            raise LinkError("the vault's answer cannot be read") from None

    def lease(self, terminal: int, number: int) -> bytes:
        """A terminal's keys, wrapped to its device; nobody here can read them. Raises NotFound when there are none."""
        try:
            answer = self._http.get(f"/v1/terminals/{terminal}/leases/{number}")
        except httpx.HTTPError as error:
            raise LinkError(f"the vault cannot be reached ({type(error).__name__})") from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotFound("terminal", _title(answer))
        if answer.status_code != httpx.codes.OK:
            raise LinkError(f"the vault answered {answer.status_code}")
        return answer.content

    def close(self) -> None:
        self._http.close()


def _tls(vault: Vault) -> ssl.SSLContext | bool:
    """Our certificate, and the authority that the vault's must come from."""
    if vault.certificate is None or vault.key is None or vault.ca is None:
        return True
    context = ssl.create_default_context(cafile=vault.ca)
    context.load_cert_chain(vault.certificate, vault.key)
    return context


def _title(answer: httpx.Response) -> str:
    try:
        return str(from_json(answer.content)["detail"])
    except (ValueError, KeyError, TypeError):
        return "The vault has no keys for this terminal."


def _finding(found: dict[str, Any]) -> Finding:
    if found["kind"] not in FINDINGS:
        raise ValueError("a finding of an unknown kind")
    return Finding(found["kind"], found["terminal"], found["sequence"], found["nullifier"])


def _verdict(question: Question, terminal: int, sequence: int, reason: int, nullifier: bytes) -> Verdict:
    """Refuses an answer about another record, or one that is neither a yes nor a no."""
    is_valid = reason == 0
    if reason >= len(_REASONS) or is_valid != (nullifier != _NO_NULLIFIER):
        raise LinkError("the vault's answer cannot be read")
    if is_valid and (terminal, sequence) != (question.terminal, question.sequence):
        raise LinkError("the vault answered about another record")
    return Verdict(nullifier.hex(), None) if is_valid else Verdict(None, _REASONS[reason])
