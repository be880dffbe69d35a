"""What the servers of all parties have in common; nothing of any party."""
