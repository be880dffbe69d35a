"""The first that runs on a Pico W: files at the start of the flash, so that the journals at its end are left alone."""

import vfs

from terminal.firmware.boards import of_this_machine
from terminal.firmware.drivers.rp2_flash import files

# The RP2 programs whole pages.
_PAGE = 256

_device = files(of_this_machine()["journal"])
try:
    _files = vfs.VfsLfs2(_device, progsize=_PAGE)  # type: ignore[abstract]
except OSError:
    vfs.VfsLfs2.mkfs(_device, progsize=_PAGE)
    _files = vfs.VfsLfs2(_device, progsize=_PAGE)  # type: ignore[abstract]
vfs.mount(_files, "/")
