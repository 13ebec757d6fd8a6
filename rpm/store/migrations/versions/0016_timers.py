"""Running timers, and typed entries that wait for a second person."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_table

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_table(
        "timer",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("idle_seconds", sa.Integer(), nullable=True),
        sa.Column("pause", sa.String(), nullable=True),
        refers={"user_id": "user_account", "patient_id": "patient", "episode_id": "episode"},
        unique=[("organization_id", "user_id")],
    )
    create_table(
        "proposed_entry",
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        refers={
            "proposed_by": "user_account",
            "patient_id": "patient",
            "decided_by": "user_account",
        },
        indexes=[("organization_id", "state", "id")],
    )
