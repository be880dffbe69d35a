"""The status bytes a pass answers with, and the one exception by which a command says no.

Names as in the public NXP data sheets (NT4H2421Gx section 10.2; MIFARE DESFire Light, status words).
"""

OK = 0x00
NO_CHANGES = 0x0C
OUT_OF_EEPROM = 0x0E
ILLEGAL_COMMAND = 0x1C
INTEGRITY_ERROR = 0x1E
NO_SUCH_KEY = 0x40
LENGTH_ERROR = 0x7E
PERMISSION_DENIED = 0x9D
PARAMETER_ERROR = 0x9E
APPLICATION_NOT_FOUND = 0xA0
AUTHENTICATION_ERROR = 0xAE
ADDITIONAL_FRAME = 0xAF
BOUNDARY_ERROR = 0xBE
COMMAND_ABORTED = 0xCA
COUNT_ERROR = 0xCE
DUPLICATE_ERROR = 0xDE
FILE_NOT_FOUND = 0xF0


class Refused(Exception):
    """A command is refused. Carries the status byte. The open transaction ends with it, and the session but in D40."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:02X}")
        self.status = status


def require(condition: bool, status: int) -> None:
    """One refusal: raise `Refused(status)` unless the condition holds."""
    if not condition:
        raise Refused(status)
