"""The audit events by time: what was known at the end of a day is looked up."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(None, "audit_event", ["organization_id", "recorded_at"])
