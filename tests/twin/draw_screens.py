"""Draws the screens that standard input names (state, code and two lines, a JSON list each) on MicroPython's framebuf.

Answers each with the picture in hex, the bytes of memory that drawing it used, and how many are in use after it.
"""

import gc
import json
import sys

import framebuf

from terminal.firmware.screen import HEIGHT, WIDTH, draw

picture = bytearray(WIDTH * HEIGHT // 8)
frame = framebuf.FrameBuffer(picture, WIDTH, HEIGHT, framebuf.MONO_VLSB)
for line in sys.stdin:
    state, code, lines = json.loads(line)
    # What stood there before does not shine through.
    frame.fill(1)
    draw(frame, state, code, lines)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    draw(frame, state, code, lines)
    used = gc.mem_alloc() - before
    gc.enable()
    gc.collect()
    print(picture.hex(), used, gc.mem_alloc())
