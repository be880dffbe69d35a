"""Raspberry Pi Pico 2 W: the pins of the Pico W, and twice its flash."""

from terminal.firmware.boards import pico_w

BOARD = dict(pico_w.BOARD)
BOARD["name"] = "Raspberry Pi Pico 2 W"
BOARD["journal"] = {"books": 4, "blocks": 64}
