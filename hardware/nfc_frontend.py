"""A contactless reader that is no PC/SC reader (a PN532 on a serial port or by USB), through nfcpy."""

import contextlib
import importlib
from typing import Any

from hardware.errors import PassGone, ReaderError

# What nfcpy says when a port or a reader is not there any more: its own errors, and those of pyserial, are OSErrors;
# that of the terminal driver is not.
_LOST = (OSError, importlib.import_module("termios").error)


class NfcpyReader:
    """Same promises as InProcessReader, with nfcpy doing ISO/IEC 14443-4 block by block.

    `device`: as nfcpy names them (`usb`, `usb:054c:06c3`, `tty:USB0:pn532`), or the path of a serial port with a PN532
    on it. Nothing happens before find_pass. After a ReaderError the next find_pass opens the reader anew.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._frontend: Any = None
        self._tag: Any = None

    def find_pass(self) -> bytes | None:
        """Switch the field on: the UID seen at activation (a random one changes each time), or None."""
        self.release()
        nfc = _nfc()
        try:
            if self._frontend is None:
                self._frontend = self._open(nfc)
            target = self._frontend.sense(nfc.clf.RemoteTarget("106A"))
            tag = None if target is None else nfc.tag.activate(self._frontend, target)
        except nfc.clf.CommunicationError:
            return None  # it was there for a moment
        except _LOST as error:
            raise self._lost() from error
        if tag is None:
            return None
        if tag.type != "Type4Tag":
            self.release()
            raise ReaderError("what lies on the reader is not a card that can be a pass")
        self._tag = tag
        return bytes(tag.identifier)

    def transmit(self, apdu: bytes) -> bytes:
        """One wrapped or ISO APDU; answers data and status word. PassGone if no pass is activated, or it left."""
        if self._tag is None:
            raise PassGone("no pass on the reader")
        nfc = _nfc()
        try:
            answer = bytes(self._tag.transceive(bytearray(apdu)))
        except (nfc.tag.TagCommandError, nfc.clf.CommunicationError) as error:
            self.release()
            raise PassGone("the pass left the reader") from error
        except _LOST as error:
            raise self._lost() from error
        if len(answer) < 2:
            raise ReaderError("the pass gives an answer without a status word")
        return answer

    def release(self) -> None:
        """Switch the field off. The pass may stay where it is and be found again."""
        if self._tag is not None:
            self._tag = None
            # Whether it succeeds does not matter: the reader may be gone.
            with contextlib.suppress(*_LOST):
                self._frontend.device.mute()

    def close(self) -> None:
        """Let go of the reader itself, for another program."""
        self.release()
        frontend, self._frontend = self._frontend, None
        if frontend is not None:
            with contextlib.suppress(*_LOST):
                frontend.close()

    def _open(self, nfc: Any) -> Any:
        frontend = nfc.clf.ContactlessFrontend()
        if self._device.startswith("/"):
            # By name nfcpy takes ports only that lie directly in /dev.
            transport = importlib.import_module("nfc.clf.transport")
            pn532 = importlib.import_module("nfc.clf.pn532")
            frontend.device = pn532.init(transport.TTY(self._device))
        elif not frontend.open(self._device):
            raise OSError("no such device")
        return frontend

    def _lost(self) -> ReaderError:
        self.close()
        return ReaderError(f"the reader {self._device} does not answer: is it plugged in?")


def _nfc() -> Any:
    """nfcpy itself. Imported late, so that everything else works where it is not installed."""
    try:
        importlib.import_module("nfc.tag")
        return importlib.import_module("nfc")
    except ImportError as error:
        raise ReaderError("this reader needs nfcpy: uv sync --extra nfcpy") from error
