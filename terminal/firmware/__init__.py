"""What runs in the terminal itself, in the dialect that CPython and MicroPython share."""

# What a terminal says of itself, and what an update has to be above.
VERSION = 1
