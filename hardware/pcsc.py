"""A PC/SC reader on the desk, through pyscard and the pcscd of the system (or the one in PCSCLITE_CSOCK_NAME)."""

import importlib
from typing import Any

from hardware.errors import PassGone, ReaderError

_GET_UID = bytes.fromhex("FFCA000000")


class PcscReader:
    """Same promises as InProcessReader, with a reader that is really there.

    `name`: of the reader, or a part of it that no other reader has, in any case; None takes the first one. Nothing
    happens before find_pass. A ReaderError says in one sentence what is missing; the next find_pass tries everything
    anew.
    """

    def __init__(self, name: str | None = None) -> None:
        self._wanted = name
        self._context: Any = None
        self._card: Any = None
        self._protocol = 0

    def find_pass(self) -> bytes | None:
        """Switch the field on: the UID seen at activation (a random one changes each time), or None.

        A pass that has just been laid down is seen after at most half a second.
        """
        self.release()
        scard = _scard()
        name = self._reader(scard)
        protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        code, card, protocol = scard.SCardConnect(self._context, name, scard.SCARD_SHARE_EXCLUSIVE, protocols)
        if code in _no_pass(scard):
            return None
        if code == scard.SCARD_E_SHARING_VIOLATION:
            raise ReaderError(f"another program is using the pass on {name}")
        self._require(scard, code, f"the reader {name} does not connect")
        self._card, self._protocol = card, protocol
        try:
            answer = self.transmit(_GET_UID)
        except PassGone:
            return None
        if answer[-2:] != b"\x90\x00":
            self.release()
            raise ReaderError(f"the reader {name} does not tell the UID of a pass")
        return answer[:-2]

    def transmit(self, apdu: bytes) -> bytes:
        """One wrapped or ISO APDU; answers data and status word. PassGone if no pass is activated, or it left."""
        if self._card is None:
            raise PassGone("no pass on the reader")
        scard = _scard()
        code, answer = scard.SCardTransmit(self._card, self._protocol, list(apdu))
        # Readers differ in what they say when a pass leaves in the middle of an exchange.
        gone = code in (*_no_pass(scard), scard.SCARD_E_NOT_TRANSACTED, scard.SCARD_F_COMM_ERROR)
        # vpcd calls it a success without an answer.
        if gone or (code == scard.SCARD_S_SUCCESS and not answer):
            self.release()
            raise PassGone("the pass left the reader")
        self._require(scard, code, "the reader does not answer")
        if len(answer) < 2:
            raise ReaderError("the reader gives an answer without a status word")
        return bytes(answer)

    def release(self) -> None:
        """Switch the field off. The pass may stay where it is and be found again."""
        if self._card is not None:
            card, self._card = self._card, None
            scard = _scard()
            # Whether it succeeds does not matter: the pass or the reader may be gone.
            scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)

    def _reader(self, scard: Any) -> str:
        if self._context is None:
            code, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            if code != scard.SCARD_S_SUCCESS:
                self._context = None
            _require(scard, code, "pcscd does not answer")
        code, names = scard.SCardListReaders(self._context, [])
        if code != scard.SCARD_E_NO_READERS_AVAILABLE:
            self._require(scard, code, "pcscd does not tell which readers there are")
        return _chosen(self._wanted, list(names))

    def _require(self, scard: Any, code: int, otherwise: str) -> None:
        if code == scard.SCARD_S_SUCCESS:
            return
        if self._context is not None:
            scard.SCardReleaseContext(self._context)
        self._context = self._card = None
        _require(scard, code, otherwise)


def readers() -> list[str]:
    """The names of the readers that are plugged in, in the order of pcscd."""
    scard = _scard()
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    _require(scard, code, "pcscd does not answer")
    try:
        code, names = scard.SCardListReaders(context, [])
        if code == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        _require(scard, code, "pcscd does not tell which readers there are")
        return list(names)
    finally:
        scard.SCardReleaseContext(context)


def _chosen(wanted: str | None, names: list[str]) -> str:
    """The one reader that is meant; ReaderError with the names to choose from when that is none or several."""
    if not names:
        raise ReaderError("no reader: plug one in")
    if wanted is None or wanted in names:
        return wanted or names[0]
    found = [name for name in names if wanted.lower() in name.lower()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ReaderError(f"no reader with {wanted!r} in its name; there is {_listed(names)}")
    raise ReaderError(f"several readers have {wanted!r} in their names: choose one of {_listed(found)}")


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _require(scard: Any, code: int, otherwise: str) -> None:
    if code == scard.SCARD_S_SUCCESS:
        return
    if code in (scard.SCARD_E_NO_SERVICE, scard.SCARD_E_SERVICE_STOPPED):
        raise ReaderError("pcscd does not run: start it, or install the package pcscd")
    raise ReaderError(f"{otherwise}: {scard.SCardGetErrorMessage(code)}")


def _scard() -> Any:
    """PC/SC itself. Imported late, so that everything else works where pyscard is not installed."""
    try:
        return importlib.import_module("smartcard.scard")
    except ImportError as error:
        raise ReaderError("PC/SC readers need pyscard: uv sync --extra pcsc") from error


def _no_pass(scard: Any) -> tuple[int, ...]:
    return (
        scard.SCARD_E_NO_SMARTCARD,
        scard.SCARD_W_REMOVED_CARD,
        scard.SCARD_W_RESET_CARD,
        scard.SCARD_W_UNPOWERED_CARD,
        scard.SCARD_W_UNRESPONSIVE_CARD,
    )
