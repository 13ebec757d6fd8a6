"""The second wall between practices: PostgreSQL gives a transaction the rows of one organization.

Owns the policies and which tables stand before the wall. Does not own who says for which
organization a transaction is (``rpm.store.engine``). The first wall is the scope of every query;
this one holds where a query forgot it. SQLite has no such thing: there the scope stands alone.
"""

from sqlalchemy import Connection, text

from rpm.store.tables.base import METADATA

SETTING = "rpm_ledger.organization"
"""The parameter of a transaction that names its organization."""
BEFORE_THE_WALL = frozenset(
    {
        *("organization", "user_account", "credential", "sign_in", "invitation"),
        *("api_token", "connection", "visit_platform"),
    }
)
"""Tables that also answer while no organization is named: they tell which one it is.

Who has this address, this cookie, this token, this door of a webhook; which practices have a job.
"""
_POLICY = "one_organization"


def walled_tables() -> list[str]:
    """The tables with rows of organizations, by name."""
    return sorted(
        name
        for name, table in METADATA.tables.items()
        if name == "organization" or "organization_id" in table.c
    )


def wall(connection: Connection, table: str) -> None:
    """Put the wall around a table of PostgreSQL, anew where it stands; nothing on SQLite.

    The owner of the tables goes through it: migrations, backups and restores see everything.
    """
    if connection.dialect.name == "sqlite":
        return
    column = "id" if table == "organization" else "organization_id"
    # in a sub-select: asked once for a query, not once for a row
    named = f"(SELECT CAST(current_setting('{SETTING}') AS uuid))"
    condition = f"{column} = {named}"
    if table in BEFORE_THE_WALL:
        named = f"(SELECT CAST(nullif(current_setting('{SETTING}', true), '') AS uuid))"
        condition = f"coalesce({column} = {named}, true)"
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS {_POLICY} ON {table}",
        f"CREATE POLICY {_POLICY} ON {table} USING ({condition})",
    ):
        connection.execute(text(statement))


def missing_walls(connection: Connection) -> set[str]:
    """Tables that should have the wall around them and have none; none on SQLite."""
    if connection.dialect.name == "sqlite":
        return set()
    found = connection.execute(
        text(
            "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid"
            " WHERE relrowsecurity AND polname = :policy AND polcmd = '*' AND polpermissive"
            " AND pg_get_expr(polqual, polrelid) LIKE '%' || :setting || '%'"
        ),
        {"policy": _POLICY, "setting": SETTING},
    )
    return set(walled_tables()) - set(found.scalars())


def behind_the_wall(connection: Connection) -> bool:
    """Whether this login sees one organization only: the service does, the owner does not."""
    if connection.dialect.name == "sqlite":
        return False
    found = connection.execute(
        text(
            "SELECT row_security_active(oid) FROM pg_class WHERE relkind = 'r'"
            " AND relname = 'organization_head'"
        )
    )
    return bool(found.scalar())
