"""What comes from other systems and is proposed, exports to them, and eligibility answers."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact, create_table

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _proposals()
    _exports()
    _eligibility()


def _proposals() -> None:
    create_table(
        "visit_platform",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("secret_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        unique=[("token_hash",)],
    )
    create_fact(
        "inbound_message",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        refers={"platform_id": "visit_platform"},
        unique=[("organization_id", "sha256")],
    )
    create_fact(
        "proposal",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_number", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        refers={"message_id": "inbound_message"},
        unique=[("organization_id", "message_id", "ordinal")],
        indexes=[("organization_id", "record_number")],
    )
    create_fact(
        "proposal_answer",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("made", sa.JSON(), nullable=False),
        refers={"proposal_id": "proposal", "answered_by": "user_account"},
        unique=[("organization_id", "proposal_id")],
    )


def _exports() -> None:
    create_fact(
        "fhir_export",
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        refers={"requested_by": "user_account"},
    )
    create_fact(
        "fhir_export_end",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        refers={"export_id": "fhir_export"},
        unique=[("organization_id", "export_id")],
    )


def _eligibility() -> None:
    create_fact(
        "eligibility_inquiry",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("coverage_id", sa.Uuid(), nullable=False),
        sa.Column("trace_number", sa.String(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        refers={"patient_id": "patient", "coverage_id": "coverage", "file_id": "claim_file"},
        unique=[("organization_id", "trace_number")],
        indexes=[("organization_id", "patient_id")],
    )
    create_fact(
        "eligibility_answer",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("check_id", sa.Uuid(), nullable=True),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("plan_name", sa.String(), nullable=True),
        sa.Column("copay_cents", sa.Integer(), nullable=True),
        sa.Column("coinsurance_percent", sa.String(), nullable=True),
        sa.Column("deductible_left_cents", sa.Integer(), nullable=True),
        sa.Column("covers_telehealth", sa.Boolean(), nullable=True),
        sa.Column("covers_monitoring", sa.Boolean(), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        refers={
            "message_id": "inbound_message",
            "inquiry_id": "eligibility_inquiry",
            "patient_id": "patient",
            "check_id": "eligibility_check",
        },
        unique=[("organization_id", "message_id", "ordinal")],
        indexes=[("organization_id", "patient_id")],
    )
