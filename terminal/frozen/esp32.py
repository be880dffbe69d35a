"""The manifest of an ESP32-S3: MicroPython's own, and the firmware. Its flash is divided by partitions.csv."""

include("$(PORT_DIR)/boards/manifest.py")
include("manifest.py")
