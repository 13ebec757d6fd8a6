"""Entries, other services, closes and postings: what a month-end file is made from."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact, create_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _close()
    _close_claim()
    _readiness_mark()
    _rule_page()
    _close_row()
    _export()
    _other_service()
    _interaction_entry()
    _posting()
    _readiness_row()


def _close() -> None:
    create_fact(
        "close",
        sa.Column("month_start_day", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("known_day", sa.Date(), nullable=False),
        sa.Column("known_audit_number", sa.Integer(), nullable=False),
        sa.Column("product_version", sa.String(), nullable=False),
        sa.Column("rule_digests", sa.JSON(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.Column("outcome_digest", sa.String(), nullable=False),
        sa.Column("chain_anchor", sa.JSON(), nullable=False),
        unique=[("organization_id", "month_start_day", "ordinal")],
    )


def _close_claim() -> None:
    create_table(
        "close_claim",
        sa.Column("month_start_day", sa.Date(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        key=("organization_id", "month_start_day", "ordinal"),
    )


def _readiness_mark() -> None:
    create_table(
        "readiness_mark",
        sa.Column("computed_through", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        key=("organization_id",),
    )


def _rule_page() -> None:
    create_fact(
        "rule_page",
        sa.Column("page_id", sa.String(), nullable=False),
        sa.Column("toml", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
    )


def _close_row() -> None:
    create_fact(
        "close_row",
        sa.Column("close_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        refers={"close_id": "close"},
        unique=[("organization_id", "close_id", "ordinal")],
    )


def _export() -> None:
    create_fact(
        "export",
        sa.Column("close_id", sa.Uuid(), nullable=False),
        sa.Column("manifest", sa.JSON(), nullable=False),
        sa.Column("file_digests", sa.JSON(), nullable=False),
        refers={"close_id": "close"},
    )


def _other_service() -> None:
    create_fact(
        "other_service",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        refers={
            "patient_id": "patient",
            "practitioner_id": "practitioner",
            "actor_user_id": "user_account",
            "reverses_id": "other_service",
        },
        unique=[("organization_id", "reverses_id")],
        indexes=[("organization_id", "patient_id", "service_day")],
    )


def _interaction_entry() -> None:
    create_fact(
        "interaction_entry",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=True),
        sa.Column("actor_user_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("start_second", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activity", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        refers={
            "patient_id": "patient",
            "episode_id": "episode",
            "actor_user_id": "user_account",
            "reverses_id": "interaction_entry",
        },
        unique=[("organization_id", "client_id"), ("organization_id", "reverses_id")],
        indexes=[
            ("organization_id", "actor_user_id", "local_day"),
            ("organization_id", "patient_id", "local_day"),
        ],
    )


def _posting() -> None:
    create_fact(
        "posting",
        sa.Column("close_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("sign", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("service_day", sa.Date(), nullable=False),
        sa.Column("period_start_day", sa.Date(), nullable=False),
        sa.Column("period_end_day", sa.Date(), nullable=False),
        sa.Column("payer_key", sa.String(), nullable=False),
        sa.Column("rule_page_id", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=True),
        sa.Column("amount_status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("evidence_digest", sa.String(), nullable=False),
        sa.CheckConstraint("sign IN (1, -1)", name="sign"),
        refers={"close_id": "close", "patient_id": "patient", "episode_id": "episode"},
        unique=[("organization_id", "key", "ordinal", "sign")],
        indexes=[("organization_id", "close_id"), ("organization_id", "patient_id")],
    )


def _readiness_row() -> None:
    create_table(
        "readiness_row",
        sa.Column("position", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("ladder", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("payer_key", sa.String(), nullable=False),
        sa.Column("start_day", sa.Date(), nullable=True),
        sa.Column("end_day", sa.Date(), nullable=True),
        sa.Column("measured", sa.Integer(), nullable=False),
        sa.Column("earned_code", sa.String(), nullable=False),
        sa.Column("next_code", sa.String(), nullable=False),
        sa.Column("next_at_least", sa.Integer(), nullable=False),
        sa.Column("still_needed", sa.Integer(), nullable=False),
        sa.Column("reachable", sa.Boolean(), nullable=False),
        sa.Column("needs_live", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        key=("organization_id", "patient_id", "position"),
        refers={"patient_id": "patient", "episode_id": "episode"},
        indexes=[
            ("organization_id", "end_day", "patient_id", "position"),
            ("organization_id", "still_needed", "patient_id", "position"),
        ],
    )
