"""The manifest of a Pico W or Pico 2 W: as MicroPython's own, with a `_boot` that leaves room for the journals."""

freeze("$(PORT_DIR)/modules", ("rp2.py",))
module("_boot.py", base_path="rp2_modules")
require("bundle-networking")
include("manifest.py")
