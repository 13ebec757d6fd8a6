"""Limits that a practice adopts, the alerts they raise, and what is done about them."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact, create_table

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_fact(
        "alert_limit",
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        refers={"patient_id": "patient"},
        indexes=[("organization_id", "patient_id", "rule")],
    )
    _alert()
    create_fact(
        "alert_step",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("by_user_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        refers={"alert_id": "alert"},
        unique=[("organization_id", "alert_id", "ordinal")],
    )
    create_table(
        "alert_mark",
        sa.Column("looked_through", sa.Integer(), nullable=False),
        key=("organization_id",),
    )


def _alert() -> None:
    ids = ("patient", "episode", "reading", "device", "delivery")
    create_fact(
        "alert",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("band", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        *(sa.Column(f"{name}_id", sa.Uuid(), nullable=True) for name in ids),
        sa.Column("limit_id", sa.Uuid(), nullable=True),
        sa.Column("repeats_id", sa.Uuid(), nullable=True),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("comparison", sa.String(), nullable=False),
        sa.Column("limit_value", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("route", sa.JSON(), nullable=False),
        sa.Column("escalate_after_minutes", sa.Integer(), nullable=False),
        refers={f"{name}_id": name for name in ids}
        | {"limit_id": "alert_limit", "repeats_id": "alert"},
        unique=[("organization_id", "key")],
        indexes=[("organization_id", "patient_id", "rule"), ("organization_id", "level", "id")],
    )
