"""Legal holds, purges that two persons ordered, and what stands in the place of what went."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_fact(
        "legal_hold",
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("lifts_id", sa.Uuid(), nullable=True),
        refers={"patient_id": "patient", "lifts_id": "legal_hold"},
        unique=[("organization_id", "lifts_id")],
        indexes=[("organization_id", "patient_id")],
    )
    create_fact(
        "purge_order",
        sa.Column("before_day", sa.Date(), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("ordered_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    create_fact(
        "purge_approval",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        refers={"order_id": "purge_order"},
        unique=[("organization_id", "order_id")],
    )
    create_fact(
        "tombstone",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("row_digest", sa.String(), nullable=False),
        sa.Column("left_digest", sa.String(), nullable=False),
        refers={"order_id": "purge_order"},
        unique=[("organization_id", "table_name", "row_id")],
    )
