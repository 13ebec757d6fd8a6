"""Steps that versions are made of: a tenant's table with its keys, references, wall and guards.

Owns how a version creates a table. Does not own which: versions list their columns themselves and
never import the table classes, which move on. Constraint names come from the naming convention.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from rpm.store.append_only import guard
from rpm.store.row_security import wall


def create_table(
    name: str,
    *columns: sa.Column[Any] | sa.CheckConstraint,
    key: Sequence[str] = ("organization_id", "id"),
    refers: Mapping[str, str] | None = None,
    unique: Sequence[Sequence[str]] = (),
    indexes: Sequence[Sequence[str]] = (),
) -> None:
    """A table of an organization; ``refers`` maps a column to the table of the same organization.

    Columns of the key that are not listed are UUIDs.
    """
    listed = {column.name for column in columns if isinstance(column, sa.Column)}
    keys = [sa.Column(part, sa.Uuid(), nullable=False) for part in key if part not in listed]
    references = [
        sa.ForeignKeyConstraint(
            ["organization_id", column], [f"{table}.organization_id", f"{table}.id"]
        )
        for column, table in (refers or {}).items()
    ]
    op.create_table(
        name,
        *keys,
        *columns,
        sa.PrimaryKeyConstraint(*key),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        *references,
        *(sa.UniqueConstraint(*parts) for parts in unique),
    )
    for parts in indexes:
        op.create_index(None, name, list(parts))
    wall(op.get_bind(), name)


def create_fact(
    name: str,
    *columns: sa.Column[Any] | sa.CheckConstraint,
    refers: Mapping[str, str] | None = None,
    unique: Sequence[Sequence[str]] = (),
    indexes: Sequence[Sequence[str]] = (),
) -> None:
    """An append-only table: as ``create_table``, with the columns of a fact and the guards."""
    create_table(
        name,
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("audit_number", sa.Integer(), nullable=False),
        *columns,
        refers=refers,
        unique=unique,
        indexes=[*indexes, ("organization_id", "audit_number", "id")],
    )
    guard(op.get_bind(), name)
