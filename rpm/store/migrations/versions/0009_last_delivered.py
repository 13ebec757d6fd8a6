"""The deliveries of a connection by time: when one last delivered is looked up."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index(None, "delivery", ["organization_id", "connection_id", "received_at"])
