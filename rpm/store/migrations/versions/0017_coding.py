"""Visits, decisions about them, licenses, compacts, eligibility and authorizations."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _visits()
    create_fact(
        "practitioner_authority",
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=True),
        sa.Column("compact", sa.String(), nullable=True),
        sa.Column("home_state", sa.String(), nullable=True),
        sa.Column("identifier", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("verified_on", sa.Date(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        refers={"practitioner_id": "practitioner", "replaces_id": "practitioner_authority"},
        unique=[("organization_id", "replaces_id")],
        indexes=[("organization_id", "practitioner_id")],
    )
    create_fact(
        "compact_member",
        sa.Column("compact", sa.String(), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("operative_from", sa.Date(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("verified_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        indexes=[("organization_id", "compact", "jurisdiction")],
    )
    create_fact(
        "eligibility_check",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("covers_telehealth", sa.Boolean(), nullable=True),
        sa.Column("covers_audio_only", sa.Boolean(), nullable=True),
        sa.Column("covers_monitoring", sa.Boolean(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        refers={"patient_id": "patient"},
        indexes=[("organization_id", "patient_id")],
    )
    create_fact(
        "service_authorization",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("units_left", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        refers={"patient_id": "patient", "replaces_id": "service_authorization"},
        unique=[("organization_id", "replaces_id")],
        indexes=[("organization_id", "patient_id")],
    )


def _visits() -> None:
    create_fact(
        "visit",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("submitted", sa.String(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        refers={
            "patient_id": "patient",
            "practitioner_id": "practitioner",
            "recorded_by": "user_account",
            "replaces_id": "visit",
        },
        unique=[("organization_id", "replaces_id")],
        indexes=[("organization_id", "patient_id", "service_day")],
    )
    create_fact(
        "visit_decision",
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("known_day", sa.Date(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("proposed", sa.String(), nullable=False),
        sa.Column("chosen", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("overruled", sa.JSON(), nullable=False),
        sa.Column("service_ids", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        refers={"visit_id": "visit", "patient_id": "patient", "decided_by": "user_account"},
        indexes=[("organization_id", "visit_id")],
    )
