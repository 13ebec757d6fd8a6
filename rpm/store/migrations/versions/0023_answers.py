"""Files received from clearinghouses and payers, remittances, and payments of patients."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _files()
    _remittances()
    create_fact(
        "patient_payment",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        refers={
            "patient_id": "patient",
            "claim_id": "claim_record",
            "received_by": "user_account",
            "reverses_id": "patient_payment",
        },
        unique=[("organization_id", "reverses_id")],
        indexes=[("organization_id", "patient_id"), ("organization_id", "claim_id")],
    )
    create_fact(
        "overpayment_found",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("identified_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        refers={"claim_id": "claim_record", "user_id": "user_account"},
        indexes=[("organization_id", "claim_id")],
    )


def _files() -> None:
    create_fact(
        "received_file",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("interchange_sender", sa.String(), nullable=False),
        sa.Column("interchange_number", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        refers={"received_by": "user_account"},
        unique=[("organization_id", "sha256")],
        indexes=[("organization_id", "interchange_sender", "interchange_number")],
    )
    create_fact(
        "received_file_outcome",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        refers={"file_id": "received_file"},
        indexes=[("organization_id", "file_id")],
    )


def _remittances() -> None:
    create_fact(
        "remittance",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("payment_key", sa.String(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("payer_name", sa.String(), nullable=False),
        sa.Column("payer_id_text", sa.String(), nullable=False),
        sa.Column("payee_npi", sa.String(), nullable=False),
        sa.Column("trace_number", sa.String(), nullable=False),
        sa.Column("payment_day", sa.Date(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("claims_cents", sa.BigInteger(), nullable=False),
        sa.Column("provider_adjustments", sa.JSON(), nullable=False),
        sa.Column("adjusted_cents", sa.BigInteger(), nullable=False),
        sa.Column("difference_cents", sa.BigInteger(), nullable=False),
        sa.Column("claim_count", sa.Integer(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        refers={"file_id": "received_file", "replaces_id": "remittance"},
        unique=[("organization_id", "file_id", "ordinal"), ("organization_id", "replaces_id")],
        indexes=[("organization_id", "payment_key"), ("organization_id", "payment_day")],
    )
    create_fact(
        "remittance_claim",
        sa.Column("remittance_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("control_number", sa.String(), nullable=False),
        sa.Column("status_code", sa.String(), nullable=False),
        sa.Column("is_reversal", sa.Boolean(), nullable=False),
        sa.Column("charge_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("patient_cents", sa.BigInteger(), nullable=False),
        sa.Column("payer_claim_number", sa.String(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("adjustments", sa.JSON(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("remarks", sa.JSON(), nullable=False),
        refers={"remittance_id": "remittance", "claim_id": "claim_record"},
        unique=[("organization_id", "key")],
        indexes=[
            ("organization_id", "remittance_id", "ordinal"),
            ("organization_id", "claim_id"),
        ],
    )
    create_fact(
        "remittance_match",
        sa.Column("remittance_claim_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        refers={
            "remittance_claim_id": "remittance_claim",
            "claim_id": "claim_record",
            "user_id": "user_account",
        },
        unique=[("organization_id", "remittance_claim_id")],
        indexes=[("organization_id", "claim_id")],
    )
