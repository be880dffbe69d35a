"""Letters to holders: what was decided, what to do and until when, in Dutch (B1) or English, as an accessible PDF."""
