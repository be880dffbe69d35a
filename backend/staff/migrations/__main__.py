"""Writes the next step."""

import sys

from backend.staff.migrations import STEPS

STEPS.write_next(*sys.argv[1:])
