"""What the bank says of our payments: its files read, held against the books, and what does not fit shown."""
