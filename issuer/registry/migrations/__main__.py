"""Writes the next step."""

import sys

from issuer.registry.migrations import STEPS

STEPS.write_next(*sys.argv[1:])
