"""What a pass is: its commands, secure channel, layout, and the proof that a transaction happened.

Runs unchanged on CPython and MicroPython; imports nothing else of ours.
"""
