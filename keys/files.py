"""Files that only their owner reads, whole or not there at all."""

import json
import os
from pathlib import Path


def write_secret(path: Path, content: dict[str, object] | bytes) -> None:
    """Write JSON or bytes, mode 0600; after a power cut the file is the old one or the new one."""
    data = content if isinstance(content, bytes) else json.dumps(content, indent=1).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
