"""Whose word a practice takes for who somebody is."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    create_fact(
        "identity_provider",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("client_secret_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
    )
