"""What a terminal seldom needs is imported where it is needed, and leaves the memory when that is done.

On a board the code itself stays in its flash; what goes is what an import makes of it.
"""

import sys

_OF_FIRMWARE = (
    "answers",
    "cards",
    "duty",
    "enrolment",
    "forms",
    "incoming",
    "intake",
    "lock",
    "shelf",
    "staff",
    "totals",
    "update",
)
_OF_CARD = ("lease",)


def unload():
    """Whoever still holds something of these modules keeps it; the next import makes a new one."""
    if sys.implementation.name != "micropython":
        return  # a PC has memory enough, and others in its process may use the same modules
    for package, names in (("terminal.firmware", _OF_FIRMWARE), ("card", _OF_CARD)):
        for name in names:
            if sys.modules.pop("%s.%s" % (package, name), None) is not None:
                delattr(sys.modules[package], name)
