"""The look-up of a person's day: with what it asks for, so that it need not read the entries."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the index of a person's days."""
    op.create_index(
        "ix_interaction_entry_person_day",
        "interaction_entry",
        [
            "organization_id",
            "actor_user_id",
            "local_day",
            "start_second",
            "duration_seconds",
            "patient_id",
        ],
    )
    op.drop_index(
        op.f("ix_interaction_entry_organization_id_actor_user_id_local_day"), "interaction_entry"
    )
