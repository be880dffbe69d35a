"""What Alembic runs a migration in: the connection that `upgrade` opened, in its transaction."""

from typing import Any, Literal

from alembic import context

from backend.migrations import is_no_part
from backend.schema import Moment, metadata


def _rendered(kind: str, thing: Any, _autogenerate: Any) -> str | Literal[False]:
    """A migration stands by itself: it does not change when our own types do."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=_rendered,
    include_name=is_no_part,
    # The caller began the transaction, and ends it.
    transactional_ddl=False,
)
context.run_migrations()
