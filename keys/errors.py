"""What can go wrong with keys. Texts never hold a key or a word of a share."""

from keys.words import WRONG


class KeyStoreError(Exception):
    """The keys are not there, damaged, or may not be used like this."""


class KeyMissing(KeyStoreError):
    """A key is not in the store: never made, retired, or destroyed."""

    def __init__(self, purpose: str, version: int) -> None:
        super().__init__(f"The store has no {purpose} key {version}.")
        self.purpose, self.version = purpose, version


class ShareError(KeyStoreError):
    """A share that does not count. `reason` is one of keys.words.WRONG; nothing in it helps to guess a secret."""

    def __init__(self, reason: str, **about: object) -> None:
        self.reason, self._about = reason, about
        super().__init__(self.words("en"))

    def words(self, language: str) -> str:
        """The sentence for it: `nl` or `en`."""
        return WRONG[self.reason][language].format(**self._about)


class NotUnderstood(KeyStoreError):
    """A question that is not one of the forms that the vault knows."""


class NotAllowed(KeyStoreError):
    """A question that the vault does not answer, or not to this person."""
