"""The registry's database: whatever asks for `empty_registry` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from issuer.registry import Registry
from tests.issuer.a_registry import in_memory, kept, put_back
from tests.postgres import a_database


@pytest.fixture(scope="session")
def registry_template(postgresql) -> Iterator[str]:
    """The name of a database with the tables of a registry and nothing in them, to copy."""
    with a_database(postgresql) as address:
        Registry.opened(address).close()
        yield str(make_url(address).database)


@pytest.fixture(scope="session")
def registry_in_memory() -> tuple[Registry, bytes]:
    made = in_memory()
    return made, kept(made)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_registry(request) -> Iterator[Registry]:
    if request.param == "sqlite":
        registry, empty = request.getfixturevalue("registry_in_memory")
        put_back(registry, empty)
        yield registry
        return
    server, template = request.getfixturevalue("postgresql"), request.getfixturevalue("registry_template")
    with a_database(server, template) as address:
        made = Registry.opened(address)
        yield made
        made.close()
