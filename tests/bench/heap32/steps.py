"""Runs statements one by one on MicroPython's unix port, and prints after each how much of the heap is in use.

Usage: micropython -m steps AT_ANY_TIME STATEMENT...   With 0, memory is collected only between two statements.
"""

import gc
import sys

# As terminal/firmware/unix.py does.
_COLLECT_AFTER = 4096

if sys.argv[1] == "1":
    gc.threshold(_COLLECT_AFTER)
else:
    gc.disable()
for statement in sys.argv[2:]:
    gc.collect()
    exec(statement)
    print(gc.mem_alloc())
