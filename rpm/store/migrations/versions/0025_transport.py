"""Clearinghouses, and the sendings of files to them."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact, create_table

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_fact(
        "clearinghouse",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        indexes=[("organization_id", "key")],
    )
    create_table(
        "clearinghouse_state",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("secret_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        unique=[("organization_id", "key")],
    )
    create_fact(
        "file_sending",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("clearinghouse_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("place_digest", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        refers={"file_id": "claim_file", "user_id": "user_account"},
        unique=[("organization_id", "file_id", "number", "step")],
        indexes=[("organization_id", "clearinghouse_key", "step")],
    )
