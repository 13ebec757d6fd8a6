"""What every table shares: names, column types, and the columns of a fact.

Owns the naming convention, ``UtcDateTime``, ``JsonValue`` and the base classes. Does not own any
table. A ``table=True`` model does not validate: input models do.
"""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, DateTime, ForeignKeyConstraint, Index, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: refuses naive values, gives aware UTC back on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - signature of TypeDecorator
        """Instant to UTC; ValueError when it carries no zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - signature of TypeDecorator
        """SQLite gives the zone away; what is stored there is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonValue(TypeDecorator[Any]):
    """JSON text on both engines; None is NULL, never the JSON word ``null``."""

    impl = JSON(none_as_null=True)
    cache_ok = True


class Row(SQLModel):
    """Base of every table; its name is the class name in snake case."""

    metadata: ClassVar[MetaData] = METADATA

    @classmethod
    def _table_name(cls) -> str:
        return _WORD_START.sub("_", cls.__name__).lower()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "__tablename__" not in cls.__dict__:
            cls.__tablename__ = cls._table_name()
        super().__init_subclass__(**kwargs)


class TenantRow(Row):
    """A row that belongs to one organization; its key begins with it."""

    organization_id: UUID = Field(
        default=None, primary_key=True, foreign_key="organization.id", nullable=False
    )
    id: UUID = Field(default=None, primary_key=True, nullable=False)


class Fact(TenantRow):
    """A row that is only ever inserted.

    ``recording`` (``rpm.store.chain``) fills ``organization_id``, ``id``, ``recorded_at`` and
    ``audit_number``, the number of the organization's audit event that recorded it: "known up to
    N" means an audit number of at most N.
    """

    recorded_at: datetime = Field(default=None, sa_type=UtcDateTime, nullable=False)
    audit_number: int = Field(default=None, nullable=False)


def refers(column: str, table: str) -> ForeignKeyConstraint:
    """A reference to a row of the same organization."""
    return ForeignKeyConstraint(
        ["organization_id", column], [f"{table}.organization_id", f"{table}.id"]
    )


def fact_table(*constraints: Any) -> tuple[Any, ...]:
    """Table arguments of a fact: its constraints, its place in the chain, append-only."""
    index = Index(None, "organization_id", "audit_number", "id")
    return (*constraints, index, {"info": {"append_only": True}})
