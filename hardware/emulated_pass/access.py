"""Who may do what with a file, and how the data then travel.

The order follows what cards show: without a session a keyed file answers AE at once; with one, the message is first
checked as the file's mode says, and only then refused if its key has no right: AE too, or 9D where nobody's has
(NT4H2421Gx data sheet, tables 71 and 80).
"""

from hardware.emulated_pass.command import Command
from hardware.emulated_pass.messaging import Guard, Wire
from hardware.emulated_pass.model import FREE, NEVER, File, Mode, Rights, TransactionMacFile, ValueFile
from hardware.emulated_pass.powered import Powered
from hardware.emulated_pass.status import AUTHENTICATION_ERROR, LENGTH_ERROR, OK, PERMISSION_DENIED, Refused, require

PLAIN_MODE = {Guard.NONE: Mode.PLAIN, Guard.MAC: Mode.MAC, Guard.FULL: Mode.FULL, Guard.KEY: Mode.FULL}
GET_VALUE = 0x6C


def reading(rights: Rights) -> tuple[int, ...]:
    return rights.read, rights.read_write


def writing(rights: Rights) -> tuple[int, ...]:
    return rights.write, rights.read_write


def reading_or_writing(rights: Rights) -> tuple[int, ...]:
    return rights.read, rights.write, rights.read_write


def full_control(rights: Rights) -> tuple[int, ...]:
    return (rights.read_write,)


def changing(rights: Rights) -> tuple[int, ...]:
    return (rights.change,)


def wire_of(card: Powered, command: Command, parameters: bytes) -> tuple[Wire, int]:
    """How this command is protected, and the verdict (OK, 9D or AE) that holds once its message proved genuine."""
    if command.needs is None:
        return Wire(command.guard, PLAIN_MODE[command.guard]), OK
    require(bool(parameters), LENGTH_ERROR)
    file = card.file(parameters[0])
    rights = command.needs(file.rights)
    session = card.session
    mode = file.mode if command.guard is Guard.FILE else PLAIN_MODE.get(command.guard, Mode.FULL)
    if session is not None and session.key_no in rights:
        return Wire(command.guard, mode), _usable(card, command, file)
    if FREE in rights or (command.ins == GET_VALUE and isinstance(file, ValueFile) and file.free_get_value):
        # Free access is plain, also in the session of a key that has nothing to do with this file.
        return Wire(command.guard, Mode.MAC if command.guard is Guard.MAC else Mode.PLAIN), _usable(card, command, file)
    denied = PERMISSION_DENIED if all(right == NEVER for right in rights) else AUTHENTICATION_ERROR
    if session is None:
        raise Refused(denied)
    return Wire(command.guard, mode), denied


def _usable(card: Powered, command: Command, file: File) -> int:
    """When the transaction counter is used up, only the transaction MAC file itself can still be used."""
    counter = card.application.transaction_mac()
    if command.guard is Guard.CHANGE or isinstance(file, TransactionMacFile) or counter is None:
        return OK
    return PERMISSION_DENIED if counter.exhausted else OK
