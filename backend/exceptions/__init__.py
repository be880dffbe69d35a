"""The exceptions desk: what is not in order, what can be done about it, and who did what."""
