"""Work on denials: assignments, notes, appeals and their answers, requests to write off."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_fact(
        "assignment",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_by", sa.Uuid(), nullable=True),
        refers={
            "claim_id": "claim_record",
            "user_id": "user_account",
            "assigned_by": "user_account",
        },
        indexes=[("organization_id", "claim_id")],
    )
    create_fact(
        "work_note",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("follow_up_on", sa.Date(), nullable=True),
        refers={"claim_id": "claim_record", "user_id": "user_account"},
        indexes=[("organization_id", "claim_id")],
    )
    _appeals()
    _write_offs()


def _appeals() -> None:
    create_fact(
        "appeal",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("letter", sa.String(), nullable=False),
        sa.Column("packet", sa.LargeBinary(), nullable=False),
        sa.Column("packet_sha256", sa.String(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("answer_due_on", sa.Date(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        refers={"claim_id": "claim_record", "user_id": "user_account"},
        unique=[("organization_id", "claim_id", "level")],
    )
    create_fact(
        "appeal_answer",
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        refers={"appeal_id": "appeal", "user_id": "user_account"},
        unique=[("organization_id", "appeal_id")],
    )


def _write_offs() -> None:
    create_fact(
        "write_off_request",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        refers={"claim_id": "claim_record", "requested_by": "user_account"},
        indexes=[("organization_id", "claim_id")],
    )
    create_fact(
        "write_off_decision",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        refers={"request_id": "write_off_request", "decided_by": "user_account"},
        unique=[("organization_id", "request_id")],
    )
