"""Tables that a practice loaded from files of CMS: edits by quarter, fee schedules by year."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    create_fact(
        "cms_table",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        unique=[("organization_id", "kind", "edition", "sha256")],
    )
