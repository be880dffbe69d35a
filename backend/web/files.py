"""Files that a page gives to keep."""

from flask import Response


def download(content: bytes | str, kind: str, name: str) -> Response:
    """The file, under its name."""
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
