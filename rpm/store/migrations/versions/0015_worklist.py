"""The worklist: what is left to do for each patient, and saved views of it."""

import sqlalchemy as sa
from alembic import op

from rpm.store.migrations.steps import create_table

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables; readiness is computed anew with its two columns."""
    op.add_column(
        "readiness_row", sa.Column("role", sa.String(), nullable=False, server_default="")
    )
    op.add_column(
        "readiness_row",
        sa.Column("at_top", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    create_table(
        "worklist_row",
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("needs_call", sa.Boolean(), nullable=False),
        sa.Column("needs_readings", sa.Boolean(), nullable=False),
        sa.Column("lacks_live", sa.Boolean(), nullable=False),
        sa.Column("seconds_needed", sa.Integer(), nullable=False),
        sa.Column("days_needed", sa.Integer(), nullable=False),
        sa.Column("due_day", sa.Date(), nullable=True),
        sa.Column("work_order", sa.Integer(), nullable=False),
        sa.Column("payer_key", sa.String(), nullable=False),
        key=("organization_id", "patient_id"),
        refers={"patient_id": "patient"},
        indexes=[("organization_id", "work_order", "patient_id")],
    )
    create_table(
        "saved_view",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        refers={"user_id": "user_account"},
        unique=[("organization_id", "user_id", "name")],
    )
    op.execute("UPDATE readiness_mark SET as_of = '1970-01-01'")
