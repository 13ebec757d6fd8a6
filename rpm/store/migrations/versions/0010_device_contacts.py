"""What was last heard of each device, and the day by which a window's next reading must come."""

import sqlalchemy as sa
from alembic import op

from rpm.store.migrations.steps import create_table

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both projections of contacts; readiness is computed anew with its two columns."""
    create_table(
        "device_contact",
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("vendor_device_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_as", sa.String(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("battery", sa.String(), nullable=True),
        sa.Column("battery_at", sa.DateTime(timezone=True), nullable=True),
        key=("organization_id", "vendor", "vendor_device_id"),
        refers={"device_id": "device"},
        indexes=[("organization_id", "device_id"), ("organization_id", "heard_at")],
    )
    create_table(
        "device_contact_mark",
        sa.Column("computed_through", sa.Integer(), nullable=False),
        key=("organization_id",),
    )
    op.add_column(
        "readiness_row", sa.Column("due_code", sa.String(), nullable=False, server_default="")
    )
    op.add_column("readiness_row", sa.Column("due_day", sa.Date(), nullable=True))
    op.create_index(None, "readiness_row", ["organization_id", "due_day", "patient_id", "position"])
    op.execute("UPDATE readiness_mark SET as_of = '1970-01-01'")
