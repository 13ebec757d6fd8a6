"""Organizations, the people who work there, patients and payers: who a fact is about."""

import sqlalchemy as sa
from alembic import op

from rpm.store.append_only import guard
from rpm.store.migrations.steps import create_fact, create_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _organization()
    _patient()
    _payer()
    _practice_setting()
    _practitioner()
    _coverage()
    _user_account()
    _api_token()
    _coverage_end()


def _organization() -> None:
    op.create_table(
        "organization",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("npi", sa.String(), nullable=False),
        sa.Column("tax_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("audit_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    guard(op.get_bind(), "organization")


def _patient() -> None:
    create_fact(
        "patient",
        sa.Column("record_number", sa.String(), nullable=False),
        sa.Column("family_name", sa.String(), nullable=False),
        sa.Column("given_name", sa.String(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        unique=[("organization_id", "record_number")],
    )


def _payer() -> None:
    create_fact(
        "payer",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("edi_payer_id", sa.String(), nullable=True),
        unique=[("organization_id", "key")],
    )


def _practice_setting() -> None:
    create_fact(
        "practice_setting",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )


def _practitioner() -> None:
    create_fact(
        "practitioner",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("npi", sa.String(), nullable=False),
        sa.Column("taxonomy", sa.String(), nullable=True),
        sa.Column("credential", sa.String(), nullable=False),
        unique=[("organization_id", "npi")],
    )


def _coverage() -> None:
    create_fact(
        "coverage",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("payer_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        refers={"patient_id": "patient", "payer_id": "payer"},
        indexes=[("organization_id", "patient_id")],
    )


def _user_account() -> None:
    create_table(
        "user_account",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        refers={"practitioner_id": "practitioner"},
        unique=[("organization_id", "email")],
    )


def _api_token() -> None:
    create_table(
        "api_token",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        refers={"user_id": "user_account"},
        unique=[("token_hash",)],
    )


def _coverage_end() -> None:
    create_fact(
        "coverage_end",
        sa.Column("coverage_id", sa.Uuid(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        refers={"coverage_id": "coverage"},
        indexes=[("organization_id", "coverage_id")],
    )
