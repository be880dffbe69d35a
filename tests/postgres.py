"""A PostgreSQL server of one's own: Debian's, on a socket in a folder, gone at the end."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "listen_addresses=''",
    "max_connections=400",
)


@contextmanager
def a_server() -> Iterator[str]:
    """The start of an address, as in `address + database`."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data = folder / "data"
        _run("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-D", str(data))
        options = " ".join(f"-c {setting}" for setting in (*_SETTINGS, f"unix_socket_directories={folder}"))
        _run("pg_ctl", "start", "-w", "-D", str(data), "-o", options, "-l", str(folder / "log"))
        try:
            yield f"postgresql+psycopg://postgres@/{{}}?host={folder}"
        finally:
            _run("pg_ctl", "stop", "-m", "immediate", "-D", str(data))
    finally:
        shutil.rmtree(folder)


@contextmanager
def a_database(server: str, template: str = "template1") -> Iterator[str]:
    """The address of an empty database, or of a copy of one that nobody has open."""
    name = f"t{secrets.token_hex(6)}"
    engine = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name} template {template}"))
    try:
        yield server.format(name)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"drop database {name} with (force)"))
        engine.dispose()


def _run(program: str, *arguments: str) -> None:
    user: dict[str, int] = {}
    if os.geteuid() == 0:
        # PostgreSQL refuses to be root.
        found = pwd.getpwnam("postgres")
        user = {"user": found.pw_uid, "group": found.pw_gid}
    subprocess.run([_PROGRAMS / program, *arguments], check=True, capture_output=True, cwd="/", timeout=60, **user)
