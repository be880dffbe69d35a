"""How long a card and its link would take for some exchanges, where the emulated pass takes no time worth measuring.

Air: 128/fc a bit at 106 kbit/s and a quarter of it at 424, nine bits a byte, three bytes around a frame of at most 61,
frame delays of 1172/fc, and an acknowledgement between two frames of one chain (ISO/IEC 14443-3 and -4). USB 3 ms an
exchange. The card's own time is an estimate: 1.2 ms a command in plain, 2.2 the second half of an authentication, 2.0 a
command under secure messaging, 1 more for what is written to EEPROM, 6 for a commit.
"""

from collections.abc import Iterable

_BIT_MS = 128 / 13_560
_BITS_A_BYTE = 9
_AROUND_A_FRAME = 3
_MOST_IN_A_FRAME = 61
_FRAME_DELAY_MS = 1172 / 13_560
_USB_MS = 3.0
_PLAIN_MS, _AUTHENTICATED_MS, _SECURED_MS, _WRITTEN_MS, _COMMIT_MS = 1.2, 2.2, 2.0, 1.0, 6.0
_MORE = 0xAF
_COMMIT = 0xC7
_AUTHENTICATIONS = (0x71, 0x77, 0xAA, 0x1A)
# ChangeKey, ChangeKeySettings, CreateApplication, the creation of files, WriteData, SetConfiguration, Credit, Debit,
# LimitedCredit, CommitReaderID.
_WRITES = (0xC4, 0x54, 0xCA, 0xCD, 0xCC, 0xCE, 0x8D, 0x3D, 0x5C, 0x0C, 0xDC, 0x1C, 0xC8)


def milliseconds(exchanges: list[tuple[bytes, bytes]]) -> float:
    """Of (sent, answered) pairs, one after the other, over USB and at 424 kbit/s."""
    return _USB_MS * len(exchanges) + card(exchanges) + sum(air(len(part), 424) for pair in exchanges for part in pair)


def card(exchanges: Iterable[tuple[bytes, bytes]]) -> float:
    """What the card itself takes for them."""
    total, secured, before = 0.0, False, 0
    for sent, _ in exchanges:
        command = sent[1]
        if command == _MORE and before in _AUTHENTICATIONS:
            total += _AUTHENTICATED_MS
            secured = True
        elif command == _COMMIT:
            total += _COMMIT_MS
        else:
            total += _SECURED_MS if secured else _PLAIN_MS
            total += _WRITTEN_MS if command in _WRITES else 0
        if command == 0x5A:
            secured = False
        before = command
    return total


def air(length: int, kbit: int) -> float:
    """One command or answer on the air, with the delay before its frame and with the acknowledgements of a chain."""
    frames = -(-length // _MOST_IN_A_FRAME)
    return raw_air(length + _AROUND_A_FRAME * (2 * frames - 1), kbit) + (2 * frames - 1) * _FRAME_DELAY_MS


def raw_air(count: int, kbit: int) -> float:
    """So many bytes on the air."""
    return count * _BITS_A_BYTE * _BIT_MS * 106 / kbit
