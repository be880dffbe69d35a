"""The parts of a terminal beside the reader chip."""
