"""What runs in the terminal itself, in the dialect that CPython and MicroPython share."""
