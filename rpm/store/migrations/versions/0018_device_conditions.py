"""What is known of a device's condition: lost, broken, or working again."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    create_fact(
        "device_condition",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        refers={"device_id": "device"},
        indexes=[("organization_id", "device_id")],
    )
