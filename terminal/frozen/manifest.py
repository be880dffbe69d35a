"""What is frozen into MicroPython for a terminal: the firmware, and what it needs of micropython-lib.

`rp2.py` and `esp32.py` include this; docs/build-a-terminal.md says how they are used.
"""

import os

# What only the desk or the vault does with a pass, and what is another board.
_NOT_ON_A_BOARD = ("administration.py", "blueprint.py", "tmac.py", "unix.py")
_ROOT = "../.."


def _modules(folder):
    return sorted(
        name for name in os.listdir(_ROOT + "/" + folder) if name.endswith(".py") and name not in _NOT_ON_A_BOARD
    )


package("card", files=_modules("card"), base_path=_ROOT, opt=2)
package("terminal", files=["__init__.py"], base_path=_ROOT, opt=2)
for _folder in ("terminal/firmware", "terminal/firmware/drivers", "terminal/firmware/boards"):
    package(_folder, files=_modules(_folder), base_path=_ROOT, opt=2)

require("neopixel")
