"""What can go wrong between us and a reader or the pass on it."""


class ReaderError(Exception):
    """The reader failed, or the connection to it. Nothing is known about any pass."""


class PassGone(ReaderError):
    """There is no pass on the reader, or it left. Whether its last command ran is not known."""


class PrinterError(Exception):
    """The printer failed or cannot be reached. The text says in one sentence what to do."""


class PrintedBefore(PrinterError):
    """The printer has printed a job of this name before. Nothing was sent."""
