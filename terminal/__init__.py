"""The terminal of a venue: its firmware, and the side of the host that provisions and syncs it."""
