"""Episodes, devices, deliveries and readings; the day counts are a projection."""

import sqlalchemy as sa

from rpm.store.migrations.steps import create_fact, create_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _connection()
    _device()
    _delivery()
    _delivery_replay()
    _episode()
    _rejected_item()
    _consent()
    _device_association()
    _device_day()
    _episode_end()
    _episode_gate()
    _episode_setup()
    _association_end()
    _consent_end()
    _reading()
    _reading_conflict()
    _reading_exclusion()


def _connection() -> None:
    create_table(
        "connection",
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("secret_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        unique=[("token_hash",)],
    )


def _device() -> None:
    create_fact(
        "device",
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("vendor_device_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("make", sa.String(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("serial", sa.String(), nullable=True),
        sa.Column("fda_listed", sa.Boolean(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        unique=[("organization_id", "vendor", "vendor_device_id")],
    )


def _delivery() -> None:
    create_fact(
        "delivery",
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("results", sa.JSON(), nullable=False),
        refers={"connection_id": "connection"},
        unique=[("organization_id", "connection_id", "fingerprint")],
    )


def _delivery_replay() -> None:
    create_fact(
        "delivery_replay",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("results", sa.JSON(), nullable=False),
        refers={"delivery_id": "delivery"},
        indexes=[("organization_id", "delivery_id")],
    )


def _episode() -> None:
    create_fact(
        "episode",
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("program", sa.String(), nullable=False),
        sa.Column("setting", sa.String(), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("profile", sa.String(), nullable=True),
        sa.Column("opened_day", sa.Date(), nullable=False),
        sa.Column("setup_day", sa.Date(), nullable=True),
        sa.Column("setup_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("setup_note", sa.String(), nullable=True),
        sa.Column("setup_billed", sa.Boolean(), nullable=False),
        sa.Column("previous_id", sa.Uuid(), nullable=True),
        sa.Column("reorder", sa.Boolean(), nullable=False),
        sa.Column("order_day", sa.Date(), nullable=True),
        sa.Column("ordering_npi", sa.String(), nullable=True),
        sa.Column("order_device_kind", sa.String(), nullable=True),
        sa.Column("order_reason", sa.String(), nullable=True),
        sa.Column("diagnosis_codes", sa.JSON(), nullable=False),
        refers={
            "patient_id": "patient",
            "setup_by_user_id": "user_account",
            "previous_id": "episode",
        },
        indexes=[("organization_id", "patient_id")],
    )


def _rejected_item() -> None:
    create_fact(
        "rejected_item",
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("vendor_reading_id", sa.String(), nullable=True),
        refers={"delivery_id": "delivery", "import_id": "import_run"},
    )


def _consent() -> None:
    create_fact(
        "consent",
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("consent_day", sa.Date(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=False),
        sa.Column("cost_share_told", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        refers={"episode_id": "episode"},
        indexes=[("organization_id", "episode_id")],
    )


def _device_association() -> None:
    create_fact(
        "device_association",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        refers={"device_id": "device", "episode_id": "episode", "patient_id": "patient"},
        indexes=[("organization_id", "device_id"), ("organization_id", "episode_id")],
    )


def _device_day() -> None:
    create_table(
        "device_day",
        sa.Column("day", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("refused_reason", sa.String(), nullable=False),
        sa.Column("qualifying_count", sa.Integer(), nullable=False),
        sa.Column("refused_count", sa.Integer(), nullable=False),
        sa.Column("first_received_day", sa.Integer(), nullable=False),
        key=("organization_id", "episode_id", "day", "kind", "refused_reason"),
        refers={"episode_id": "episode"},
    )


def _episode_end() -> None:
    create_fact(
        "episode_end",
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=False),
        refers={"episode_id": "episode"},
        indexes=[("organization_id", "episode_id")],
    )


def _episode_gate() -> None:
    create_fact(
        "episode_gate",
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("gate", sa.String(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        refers={"episode_id": "episode"},
        indexes=[("organization_id", "episode_id")],
    )


def _episode_setup() -> None:
    create_fact(
        "episode_setup",
        sa.Column("episode_id", sa.Uuid(), nullable=False),
        sa.Column("setup_day", sa.Date(), nullable=False),
        sa.Column("trained_by", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        refers={"episode_id": "episode", "device_id": "device"},
        indexes=[("organization_id", "episode_id")],
    )


def _association_end() -> None:
    create_fact(
        "association_end",
        sa.Column("association_id", sa.Uuid(), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        refers={"association_id": "device_association"},
        indexes=[("organization_id", "association_id")],
    )


def _consent_end() -> None:
    create_fact(
        "consent_end",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        refers={"consent_id": "consent"},
        indexes=[("organization_id", "consent_id")],
    )


def _reading() -> None:
    create_fact(
        "reading",
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("vendor_reading_id", sa.String(), nullable=True),
        sa.Column("identity_key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("replaces_key", sa.String(), nullable=True),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("vendor_device_id", sa.String(), nullable=False),
        sa.Column("patient_ref", sa.String(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("association_id", sa.Uuid(), nullable=True),
        sa.Column("episode_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("vendor_time", sa.String(), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=True),
        sa.Column("zone", sa.String(), nullable=True),
        sa.Column("zone_origin", sa.String(), nullable=True),
        sa.Column("time_quality", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_day", sa.Date(), nullable=False),
        sa.Column("entry_method", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("countable", sa.Boolean(), nullable=False),
        sa.Column("refused_reason", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        refers={
            "delivery_id": "delivery",
            "import_id": "import_run",
            "connection_id": "connection",
            "device_id": "device",
            "association_id": "device_association",
            "episode_id": "episode",
            "patient_id": "patient",
            "supersedes_id": "reading",
        },
        unique=[("organization_id", "identity_key", "version")],
        indexes=[
            ("organization_id", "episode_id", "local_day"),
            ("organization_id", "replaces_key"),
            ("organization_id", "supersedes_id"),
            ("organization_id", "vendor", "vendor_device_id"),
        ],
    )


def _reading_conflict() -> None:
    create_fact(
        "reading_conflict",
        sa.Column("reading_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        refers={"reading_id": "reading", "delivery_id": "delivery", "import_id": "import_run"},
        unique=[("organization_id", "reading_id", "content_hash")],
    )


def _reading_exclusion() -> None:
    create_fact(
        "reading_exclusion",
        sa.Column("reading_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("lifts_id", sa.Uuid(), nullable=True),
        refers={"reading_id": "reading", "lifts_id": "reading_exclusion"},
        unique=[("organization_id", "lifts_id")],
        indexes=[("organization_id", "reading_id")],
    )
