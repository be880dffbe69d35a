"""A terminal in the browser, to learn it and to try what goes wrong: the real firmware, emulated reader and passes.

Read in this order: `machine` (the firmware, running), `simulator` (what a trainee can do), `words`, `pages`.
"""
