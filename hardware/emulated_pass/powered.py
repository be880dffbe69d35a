"""What a pass knows only while it is in the field: what is selected, who is authenticated, what is pending.

Commands get this object and nothing else of the machinery around them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hardware.emulated_pass.memory import Memory
from hardware.emulated_pass.messaging import Channel
from hardware.emulated_pass.model import Application, File, Key, Picc
from hardware.emulated_pass.status import (
    APPLICATION_NOT_FOUND,
    AUTHENTICATION_ERROR,
    FILE_NOT_FOUND,
    NO_SUCH_KEY,
    PERMISSION_DENIED,
    Refused,
    require,
)
from hardware.emulated_pass.transaction import Transaction

PICC_LEVEL = bytes(3)
MASTER_KEY = 0

MAY_CHANGE_MASTER_KEY = 0x01
MAY_LIST = 0x02
MAY_CREATE = 0x04
MAY_CHANGE_SETTINGS = 0x08


@dataclass
class Session:
    """Somebody proved to know key `key_no` of what is selected."""

    key_no: int
    channel: Channel


class Powered:
    def __init__(self, memory: Memory, random: Callable[[int], bytes]) -> None:
        self.memory = memory
        self.random = random
        self.selected = PICC_LEVEL
        self.session: Session | None = None
        self.transaction = Transaction(self.picc.uid)

    @property
    def picc(self) -> Picc:
        return self.memory.picc

    @property
    def at_picc_level(self) -> bool:
        return self.selected == PICC_LEVEL

    @property
    def application(self) -> Application:
        """The selected application. At PICC level there is none: 9D."""
        require(not self.at_picc_level, PERMISSION_DENIED)
        return self.picc.applications[self.selected]

    @property
    def settings(self) -> int:
        """Key settings 1 of what is selected."""
        return self.picc.settings if self.at_picc_level else self.application.settings

    def select(self, aid: bytes) -> None:
        require(aid == PICC_LEVEL or aid in self.picc.applications, APPLICATION_NOT_FOUND)
        self.drop()
        self.selected = aid

    def drop(self) -> None:
        """End the session and forget the transaction."""
        self.session = None
        self.abort_transaction()

    def abort_transaction(self) -> None:
        self.transaction = Transaction(self.picc.uid)

    def key(self, number: int) -> Key:
        """A key of what is selected. At PICC level only the master key exists here."""
        keys = [self.picc.key] if self.at_picc_level else self.application.keys
        require(number < len(keys), NO_SUCH_KEY)
        return keys[number]

    def file(self, number: int) -> File:
        file = self.application.files.get(number)
        if file is None:
            raise Refused(FILE_NOT_FOUND)
        return file

    def require_picc_level(self) -> None:
        require(self.at_picc_level, PERMISSION_DENIED)

    def require_master_key(self) -> None:
        require(self.session is not None and self.session.key_no == MASTER_KEY, AUTHENTICATION_ERROR)

    def require_setting(self, setting: int) -> None:
        """What the settings leave free needs nobody; otherwise the master key of what is selected (else AE)."""
        if not self.settings & setting:
            self.require_master_key()
