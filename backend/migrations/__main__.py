"""Writes the next step."""

import sys

from backend.migrations import STEPS

STEPS.write_next(*sys.argv[1:])
