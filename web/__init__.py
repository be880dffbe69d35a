"""Pages that people log in to: accounts, the frame of a page, the log of who did what. It knows no party."""
