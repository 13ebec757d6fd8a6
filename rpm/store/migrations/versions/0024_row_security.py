"""The wall between organizations in PostgreSQL, around every table that was made before it."""

import sqlalchemy as sa
from alembic import op

from rpm.store.row_security import wall

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put it up; nothing on SQLite."""
    connection = op.get_bind()
    asked = sa.inspect(connection)
    for table in sorted(asked.get_table_names()):
        columns = {column["name"] for column in asked.get_columns(table)}
        if table == "organization" or "organization_id" in columns:
            wall(connection, table)
