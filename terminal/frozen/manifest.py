"""What is frozen into MicroPython for a terminal: the files of package.json, and what it needs of micropython-lib.

`rp2.py` and `esp32.py` include this; docs/build-a-terminal.md says how they are used.
"""

import json

_ROOT = "../.."

with open(_ROOT + "/package.json") as _file:
    _package = json.load(_file)
for _target, _path in _package["urls"]:
    module(_path, base_path=_ROOT, opt=2)
for _name, _version in _package["deps"]:
    require(_name)
