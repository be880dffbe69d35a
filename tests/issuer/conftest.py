"""The registry's database: whatever asks for `empty_registry` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from issuer.registry import Registry
from tests.issuer.a_registry import in_memory
from tests.postgres import a_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_registry(request) -> Iterator[Registry]:
    if request.param == "sqlite":
        yield in_memory()
        return
    with a_database(request.getfixturevalue("postgresql")) as address:
        made = Registry.opened(address)
        yield made
        made.close()
