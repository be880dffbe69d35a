"""What runs in the terminal itself, in the dialect that CPython and MicroPython share."""

# The number of this firmware. A terminal takes no lower one, so each release has a higher one.
VERSION = 1
