"""Work that was refused. Each text is one sentence that says to whom it is for what to do."""


class Refusal(Exception):
    """Nothing changed.

    `text` is the sentence with its `facts` still open, as `{name}`: screens look up their own language by it.
    """

    def __init__(self, text: str, **facts: object) -> None:
        super().__init__(text.format(**facts) if facts else text)
        self.text = text
        self.facts = facts
