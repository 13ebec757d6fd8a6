"""Receivers of events, events, and how far each was told."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact, create_table

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_table(
        "endpoint",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("secret_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
    )
    create_fact(
        "outbound_event",
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False),
    )
    create_table(
        "outbound_delivery",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_problem", sa.String(), nullable=False),
        key=("organization_id", "event_id", "endpoint_id"),
        refers={"event_id": "outbound_event", "endpoint_id": "endpoint"},
        indexes=[("organization_id", "state", "next_at")],
    )
