"""What Alembic runs a migration in: the connection that `upgrade` opened, in its transaction."""

from typing import Any, Literal

from alembic import context

from backend.staff.migrations import VERSION_TABLE
from backend.staff.tables import metadata
from web.moment import Moment


def _rendered(kind: str, thing: Any, _autogenerate: Any) -> str | Literal[False]:
    """A migration stands by itself: it does not change when our own types do."""
    return "sa.String(25)" if kind == "type" and isinstance(thing, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_item=_rendered,
    # The caller began the transaction, and ends it.
    transactional_ddl=False,
)
context.run_migrations()
