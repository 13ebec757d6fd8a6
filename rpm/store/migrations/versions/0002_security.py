"""Audit events and the chain head first: every later fact names one."""

import sqlalchemy as sa
from alembic import op

from rpm.store.append_only import guard
from rpm.store.migrations.steps import create_fact, create_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _demo_clock()
    _job_run()
    _audit_event()
    _idempotency_key()
    _import_run()
    _organization_head()


def _demo_clock() -> None:
    op.create_table(
        "demo_clock",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("instant", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _job_run() -> None:
    op.create_table(
        "job_run",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("job", "slot"),
    )


def _audit_event() -> None:
    create_table(
        "audit_event",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("fact_counts", sa.JSON(), nullable=False),
        sa.Column("fact_digest", sa.String(), nullable=False),
        sa.Column("row_digests", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hmac", sa.String(), nullable=False),
        sa.Column("hmac", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        key=("organization_id", "number"),
        unique=[("organization_id", "id")],
    )
    guard(op.get_bind(), "audit_event")


def _idempotency_key() -> None:
    create_table(
        "idempotency_key",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("response", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        key=("organization_id", "key"),
    )


def _import_run() -> None:
    create_fact(
        "import_run",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("file_digest", sa.String(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
    )


def _organization_head() -> None:
    create_table(
        "organization_head",
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("last_hmac", sa.String(), nullable=False),
        key=("organization_id",),
    )
