"""What the servers of all parties have in common: pages with a login, the form of an interface. It knows no party."""
