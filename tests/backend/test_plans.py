"""What every batch asks of the journal is looked up on SQLite too, however much others brought."""

import pytest
from sqlalchemy import event


@pytest.mark.parametrize("furnished", ["sqlite"], indirect=True)
def test_no_batch_reads_what_others_brought(world):
    engine, asked = world.clearing.store._engine, {}

    @event.listens_for(engine, "before_cursor_execute")
    def heard(connection, cursor, statement, parameters, context, many):
        if statement.startswith(("SELECT", "UPDATE")) and ("FROM entry" in statement or "UPDATE entry" in statement):
            asked[statement] = parameters[0] if many else parameters

    doubt = world.pool.doubt(world.holder)
    world.pool.tap(world.sibling)
    world.pool.commit(doubt, world.holder)
    # Alone, and so with a look at what was proven before.
    world.desk.load(world.holder)
    world.sync()
    world.clearing.ingest.prove_pending()
    event.remove(engine, "before_cursor_execute", heard)

    assert len(asked) >= 6
    with world.connection() as connection:
        for statement, parameters in asked.items():
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            steps = [step for step in plan if " entry " in f"{step} "]
            # One of a terminal and nothing more would be all that the terminal ever brought.
            assert steps, plan
            assert all(step.startswith("SEARCH entry") and not step.endswith("(terminal=?)") for step in steps), (
                statement,
                plan,
            )
