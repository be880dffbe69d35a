"""ISOSelectFile (00 A4): an application by its DF name, or an application or file by its ISO file identifier."""

from hardware.emulated_pass.framing import (
    ISO_LIMIT_REACHED,
    ISO_NOT_FOUND,
    ISO_OK,
    ISO_UNKNOWN_INS,
    ISO_WRONG_LENGTH,
    ISO_WRONG_P1P2,
    Frame,
)
from hardware.emulated_pass.powered import PICC_LEVEL, Powered

SELECT = 0xA4
BY_FID = (0x00, 0x02)
BY_DF_NAME = 0x04
RETURN_OPTIONS = (0x00, 0x0C)  # file control information is never returned: these applications have none
PICC_FID = bytes.fromhex("3F00")
PICC_DF_NAME = bytes.fromhex("D2760000850100")


def select(card: Powered, frame: Frame) -> int:
    """The ISO status word. Whatever the outcome, session and transaction end."""
    card.drop()
    if frame.ins != SELECT:
        return ISO_UNKNOWN_INS
    if frame.p2 not in RETURN_OPTIONS or frame.p1 not in (*BY_FID, BY_DF_NAME):
        return ISO_WRONG_P1P2
    if frame.p1 == BY_DF_NAME:
        if not 1 <= len(frame.body) <= 16:
            return ISO_WRONG_LENGTH
        return _enter(card, _by_df_name(card, frame.body))
    if len(frame.body) not in (0, 2):
        return ISO_WRONG_LENGTH
    # The identifier goes most significant byte first in ISO commands, least significant first in DESFire's own.
    fid = frame.body or PICC_FID
    if not card.at_picc_level and any(file.fid == fid[::-1] for file in card.application.files.values()):
        return ISO_OK
    return _enter(card, _by_fid(card, fid))


def _by_df_name(card: Powered, name: bytes) -> bytes | None:
    if name == PICC_DF_NAME:
        return PICC_LEVEL
    return next((each.aid for each in card.picc.applications.values() if each.df_name == name), None)


def _by_fid(card: Powered, fid: bytes) -> bytes | None:
    if fid == PICC_FID:
        return PICC_LEVEL
    return next((each.aid for each in card.picc.applications.values() if each.fid == fid[::-1]), None)


def _enter(card: Powered, aid: bytes | None) -> int:
    if aid is None:
        return ISO_NOT_FOUND
    card.select(aid)
    if aid == PICC_LEVEL:
        return ISO_OK
    counter = card.application.transaction_mac()
    return ISO_LIMIT_REACHED if counter is not None and counter.exhausted else ISO_OK
