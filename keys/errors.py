"""What can go wrong with keys. Texts never hold a key."""


class KeyStoreError(Exception):
    """The keys are not there, damaged, or may not be used like this."""
