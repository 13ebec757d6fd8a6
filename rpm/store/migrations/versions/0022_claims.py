"""Claims: what they need, the claims themselves, their files, and what befell them."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact, create_table

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _what_claims_need()
    _claims()
    _files_and_events()


def _what_claims_need() -> None:
    create_fact(
        "practice_billing",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("street_more", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.Column("tax_id", sa.String(), nullable=False),
        sa.Column("tax_id_kind", sa.String(), nullable=False),
        sa.Column("taxonomy", sa.String(), nullable=False),
        sa.Column("contact_name", sa.String(), nullable=False),
        sa.Column("contact_phone", sa.String(), nullable=False),
        sa.Column("submitter_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    create_fact(
        "patient_address",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("street_more", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        refers={"patient_id": "patient"},
        indexes=[("organization_id", "patient_id")],
    )
    create_fact(
        "practitioner_name",
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.String(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("middle", sa.String(), nullable=False),
        sa.Column("suffix", sa.String(), nullable=False),
        refers={"practitioner_id": "practitioner"},
        indexes=[("organization_id", "practitioner_id")],
    )
    create_fact(
        "payer_billing",
        sa.Column("payer_id", sa.Uuid(), nullable=False),
        sa.Column("edi_payer_id", sa.String(), nullable=False),
        sa.Column("filing_code", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("street_more", sa.String(), nullable=False),
        sa.Column("city", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("postal_code", sa.String(), nullable=False),
        sa.Column("day_range", sa.Boolean(), nullable=False),
        sa.Column("timely_filing_days", sa.Integer(), nullable=True),
        sa.Column("appeal_days", sa.Integer(), nullable=True),
        sa.Column("clearinghouse_key", sa.String(), nullable=False),
        refers={"payer_id": "payer"},
        indexes=[("organization_id", "payer_id")],
    )
    create_fact(
        "coverage_detail",
        sa.Column("coverage_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.String(), nullable=False),
        sa.Column("group_number", sa.String(), nullable=False),
        sa.Column("group_name", sa.String(), nullable=False),
        sa.Column("relationship", sa.String(), nullable=False),
        sa.Column("subscriber", sa.JSON(), nullable=True),
        refers={"coverage_id": "coverage"},
        indexes=[("organization_id", "coverage_id")],
    )
    create_fact(
        "practice_charge",
        sa.Column("procedure", sa.String(), nullable=False),
        sa.Column("modifier", sa.String(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        indexes=[("organization_id", "procedure")],
    )


def _claims() -> None:
    create_fact(
        "claim_record",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("payer_id", sa.Uuid(), nullable=False),
        sa.Column("close_id", sa.Uuid(), nullable=True),
        sa.Column("control_number", sa.String(), nullable=False),
        sa.Column("rendering_npi", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("charge_cents", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        refers={"patient_id": "patient", "payer_id": "payer", "close_id": "close"},
        unique=[("organization_id", "control_number")],
        indexes=[
            ("organization_id", "patient_id"),
            ("organization_id", "close_id"),
            ("organization_id", "from_day"),
        ],
    )
    create_fact(
        "claim_line_record",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.String(), nullable=False),
        sa.Column("procedure", sa.String(), nullable=False),
        sa.Column("charge_cents", sa.Integer(), nullable=False),
        sa.Column("posting_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        refers={"claim_id": "claim_record", "posting_id": "posting", "visit_id": "visit"},
        unique=[("organization_id", "service_id"), ("organization_id", "claim_id", "line_number")],
        indexes=[("organization_id", "posting_id"), ("organization_id", "visit_id")],
    )
    create_fact(
        "claim_version",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("frequency", sa.String(), nullable=False),
        sa.Column("charge_cents", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("corrected_by", sa.Uuid(), nullable=True),
        refers={"claim_id": "claim_record", "corrected_by": "user_account"},
        unique=[("organization_id", "claim_id", "attempt")],
    )


def _files_and_events() -> None:
    create_fact(
        "claim_file",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("interchange_number", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("clearinghouse_key", sa.String(), nullable=False),
        sa.Column("usage", sa.String(), nullable=False),
        sa.Column("claim_count", sa.Integer(), nullable=False),
        sa.Column("charge_cents", sa.Integer(), nullable=False),
        unique=[("organization_id", "kind", "interchange_number")],
    )
    create_fact(
        "claim_event",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("frequency", sa.String(), nullable=False),
        sa.Column("paid_cents", sa.Integer(), nullable=False),
        sa.Column("patient_cents", sa.Integer(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        refers={"claim_id": "claim_record", "user_id": "user_account", "file_id": "claim_file"},
        unique=[("organization_id", "claim_id", "key")],
        indexes=[("organization_id", "file_id")],
    )
    create_table(
        "number_sequence",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        key=("organization_id", "name"),
    )
