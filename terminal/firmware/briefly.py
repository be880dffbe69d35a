"""Calls what only the host's questions need, and lets go of it: a small heap has to hold the taps as well."""

import sys

import terminal.firmware as package


def briefly(module, function, *arguments):
    """What `function` of a module of the firmware says."""
    path = "terminal.firmware." + module
    try:
        return getattr(__import__(path, None, None, (function,)), function)(*arguments)
    finally:
        # CPython has room, and keeps one copy of each class.
        if sys.implementation.name == "micropython":
            sys.modules.pop(path, None)
            if hasattr(package, module):
                delattr(package, module)
