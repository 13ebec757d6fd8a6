"""Sites, to which patients belong and users may be limited."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_fact(
        "site",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=True),
        unique=[("organization_id", "name")],
    )
    create_fact(
        "patient_site",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        refers={"patient_id": "patient", "site_id": "site"},
        indexes=[("organization_id", "patient_id")],
    )
    create_fact(
        "user_sites",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("site_ids", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        refers={"user_id": "user_account"},
        indexes=[("organization_id", "user_id")],
    )
