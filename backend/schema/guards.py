"""What the database itself refuses, laid anew after every migration from what the tables declare.

In SQLite triggers stop what may not change. In PostgreSQL the role that clearing works as has no right to it, and row
policies show a session the rows of one municipality: the one that its transaction names in `meedoen.municipality`.
That is a wall against mistakes of ours, not against who holds the password: for that, give each its own database.

| role | may |
|---|---|
| meedoen_owner | change tables: migrations only |
| meedoen_clearing | add, and change what is declared to change |
| meedoen_auditor | read |

None of them logs in; an administrator makes users that are members.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Table, text

from backend.schema.base import guarded, metadata

OWNER, CLEARING, AUDITOR = "meedoen_owner", "meedoen_clearing", "meedoen_auditor"

MAKE_ROLES = (
    "".join(
        f"""
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$;"""
        for role in (OWNER, CLEARING, AUDITOR)
    )
    + f"\nGRANT USAGE, CREATE ON SCHEMA public TO {OWNER};"
)

HAS_ROLES = f"""
    SELECT count(*) = 3 AND bool_and(rolname <> '{OWNER}' OR has_schema_privilege(oid, 'public', 'CREATE'))
    FROM pg_roles WHERE rolname IN ('{OWNER}', '{CLEARING}', '{AUDITOR}')"""


# Only the owner of a table gives it a part. When entries of the month are with the other days already, they stay there.
_ENTRY_MONTH = """
    CREATE OR REPLACE FUNCTION entry_month(month date) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public AS $$
    DECLARE part text := to_char(month, '"entry_"YYYY_MM');
    BEGIN
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF entry FOR VALUES FROM (%L) TO (%L)',
                           part, month, month + interval '1 month');
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
        END IF;
    EXCEPTION WHEN check_violation OR duplicate_table THEN NULL;
    END $$"""


def lay(connection: Connection) -> None:
    """Take away what guarded the tables before, and guard them as they are declared now."""
    lift(connection)
    for statement in _for_sqlite() if connection.dialect.name == "sqlite" else _for_postgresql():
        connection.execute(text(statement))


def lift(connection: Connection) -> None:
    """Take away what would be in the way of a migration back."""
    if connection.dialect.name == "sqlite":
        for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))


def _for_sqlite() -> Iterator[str]:
    for table, guard in guarded.items():
        fixed = [column.name for column in table.columns if column.name not in guard.changing]
        yield _trigger(table, f"UPDATE OF {', '.join(fixed)}", "update")
        if not guard.removable:
            yield _trigger(table, "DELETE", "delete")
        for change, when in guard.final:
            yield _trigger(table, change, f"final_{change.lower()}", f"WHEN {when}")


def _trigger(table: Table, change: str, name: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER {table.name}_{name} BEFORE {change} ON {table.name} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    )


def _for_postgresql() -> Iterator[str]:
    yield _ENTRY_MONTH
    yield "ALTER TABLE entry_other ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    yield "REVOKE ALL ON FUNCTION entry_month(date) FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION entry_month(date) TO {CLEARING}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {CLEARING}, {AUDITOR}"
    yield f"GRANT USAGE ON SCHEMA public TO {CLEARING}, {AUDITOR}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {CLEARING}"
    yield f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {CLEARING}, {AUDITOR}"
    for table in metadata.sorted_tables:
        yield f"GRANT {', '.join(_rights(table))} ON {table.name} TO {CLEARING}"
        yield f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        yield f"DROP POLICY IF EXISTS municipality ON {table.name}"
        yield (
            f"CREATE POLICY municipality ON {table.name} "
            "USING (municipality = current_setting('meedoen.municipality')::integer)"
        )
    for table, guard in guarded.items():
        for change, when in guard.final:
            yield from _final(table, change, when)


def _rights(table: Table) -> list[str]:
    guard = guarded.get(table)
    if guard is None:
        return ["INSERT", "UPDATE", "DELETE"]
    update = [f"UPDATE ({', '.join(guard.changing)})"] if guard.changing else []
    return ["INSERT", *update, *(["DELETE"] if guard.removable else [])]


def _final(table: Table, change: str, when: str) -> Iterator[str]:
    """A trigger: what a row may come to depends on the row, and a right does not."""
    name = f"{table.name}_final_{change.lower()}"
    goes_on = "OLD" if change == "DELETE" else "NEW"
    yield (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {when} THEN "
        f"RAISE EXCEPTION '{table.name} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        f"RETURN {goes_on}; END $$"
    )
    yield (f"CREATE OR REPLACE TRIGGER {name} BEFORE {change} ON {table.name} FOR EACH ROW EXECUTE FUNCTION {name}()")
