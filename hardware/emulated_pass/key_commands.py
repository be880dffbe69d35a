"""Commands about keys and key settings, of the chip or of the selected application."""

from hardware.emulated_pass.command import Call
from hardware.emulated_pass.crypto import AES, KEY_LENGTH
from hardware.emulated_pass.messaging import Answer
from hardware.emulated_pass.model import KIND_BITS, KIND_OF_BITS, Key
from hardware.emulated_pass.powered import MASTER_KEY, MAY_CHANGE_MASTER_KEY, MAY_CHANGE_SETTINGS, MAY_LIST, Powered
from hardware.emulated_pass.status import (
    AUTHENTICATION_ERROR,
    NO_SUCH_KEY,
    PARAMETER_ERROR,
    PERMISSION_DENIED,
    Refused,
    require,
)

KIND_MASK = 0xC0
SAME_KEY = 0xE
FROZEN = 0xF


def get_key_settings(card: Powered, call: Call) -> Answer:
    card.require_setting(MAY_LIST)
    if card.at_picc_level:
        return Answer(bytes([card.picc.settings, 0x01 | KIND_BITS[card.picc.key.kind]]))
    application = card.application
    iso = 0x20 if application.iso_files else 0
    return Answer(bytes([application.settings, len(application.keys) | iso | KIND_BITS[application.kind]]))


def change_key_settings(card: Powered, call: Call) -> Answer:
    card.require_master_key()
    require(bool(card.settings & MAY_CHANGE_SETTINGS), PERMISSION_DENIED)
    new = call.parameters[0]
    with card.memory.writing() as picc:
        if card.at_picc_level:
            require(new <= 0x0F, PARAMETER_ERROR)
            picc.settings = new
        else:
            card.application.settings = new
    return Answer()


def get_key_version(card: Powered, call: Call) -> Answer:
    return Answer(bytes([card.key(call.parameters[0]).version]))


def change_key(card: Powered, call: Call) -> Answer:
    """The key of the session itself is replaced without proof of the old one; then the session is over."""
    number, kind = _target(card, call.parameters[0])
    session = card.session
    if session is None:
        raise Refused(AUTHENTICATION_ERROR)
    old = card.key(number)
    same = session.key_no == number
    _require_right(card, number, session.key_no)
    size = KEY_LENGTH[kind] + (1 if kind == AES else 0)
    sent = session.channel.new_key(call.parameters[:1], call.parameters[1:], size, None if same else old.value)
    new = _key(kind, sent)
    with card.memory.writing() as picc:
        if card.at_picc_level:
            picc.key = new
        else:
            card.application.keys[number] = new
    if same:
        card.drop()
    return Answer()


def _target(card: Powered, byte: int) -> tuple[int, str]:
    """Which key is meant and of which kind it will be: only the PICC master key can change its kind."""
    if not card.at_picc_level:
        return byte, card.application.kind
    kind = KIND_OF_BITS.get(byte & KIND_MASK)
    if kind is None or byte & ~KIND_MASK != MASTER_KEY:
        raise Refused(NO_SUCH_KEY)
    return MASTER_KEY, kind


def _require_right(card: Powered, number: int, session_key: int) -> None:
    """Key settings 1: bit 0 for the master key, the upper half for all others. The wrong key answers AE."""
    if number == MASTER_KEY:
        require(session_key == MASTER_KEY, AUTHENTICATION_ERROR)
        require(bool(card.settings & MAY_CHANGE_MASTER_KEY), PERMISSION_DENIED)
        return
    right = card.settings >> 4
    require(right != FROZEN, PERMISSION_DENIED)
    # The key that may change all others is itself changed with the master key (DESFire EV1, change key key).
    needed = number if right == SAME_KEY else MASTER_KEY if right == number else right
    require(session_key == needed, AUTHENTICATION_ERROR)


def _key(kind: str, sent: bytes) -> Key:
    if kind == AES:
        return Key(kind, sent[:-1], sent[-1])
    # DES keys carry their version in the parity bits of their first eight bytes, most significant first.
    version = int("".join(str(byte & 1) for byte in sent[:8]), 2)
    return Key(kind, sent, version)
