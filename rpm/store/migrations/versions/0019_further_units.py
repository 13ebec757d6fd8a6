"""Readiness tells units beyond the band, such as each further 20 minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; readiness is computed anew."""
    op.add_column(
        "readiness_row", sa.Column("further_code", sa.String(), nullable=False, server_default="")
    )
    op.add_column(
        "readiness_row",
        sa.Column("further_units", sa.Integer(), nullable=False, server_default="0"),
    )
    op.execute("UPDATE readiness_mark SET as_of = '1970-01-01'")
