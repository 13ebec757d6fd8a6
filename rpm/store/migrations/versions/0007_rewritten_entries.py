"""An entry written anew names the reversed entry whose place it takes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; old entries have none, so their digests stay."""
    op.add_column("interaction_entry", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_index(None, "interaction_entry", ["organization_id", "replaces_id"])
