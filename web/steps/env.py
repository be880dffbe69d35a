"""What Alembic runs a step in: the connection that `Steps` was handed, in its transaction."""

from typing import Any, Literal

from alembic import context

_given = context.config.attributes
_steps = _given["steps"]


def _rendered(kind: str, thing: Any, _autogenerate: Any) -> str | Literal[False]:
    ours, said = _steps.moment
    return said if kind == "type" and isinstance(thing, ours) else False


context.configure(
    connection=_given["connection"],
    target_metadata=_steps.metadata(),
    version_table=_steps.version_table,
    render_item=_rendered,
    include_name=_steps.is_ours,
    # The caller began the transaction, and ends it.
    transactional_ddl=False,
)
context.run_migrations()
