"""What a terminal says in Dutch and English, all in one string: many short ones would fill a small heap."""

DUTCH = 0
ENGLISH = 1


class Texts:
    """From lines `name|Dutch|English`: `texts[name]` is `(Dutch, English)`; going through it gives the names."""

    def __init__(self, lines):
        self._lines = lines

    def __contains__(self, name):
        return "\n%s|" % name in self._lines

    def __getitem__(self, name):
        at = self._lines.find("\n%s|" % name)
        if at < 0:
            raise KeyError(name)
        end = self._lines.find("\n", at + 1)
        _, dutch, english = self._lines[at + 1 : end].split("|")
        return dutch, english

    def __iter__(self):
        return iter([line.split("|")[0] for line in self._lines.split("\n") if line])
