"""Device days: readings counted by episode, local day, kind and refusal word.

Owns the one statement that counts readings, and the projection ``device_day`` that keeps its
result. Does not own which reading counts (``devices.counting``, fixed when a reading is recorded)
nor what the days earn (``billing.ledger``).
"""

from collections.abc import Collection
from datetime import date
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Insert,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    column,
    delete,
    except_,
    exists,
    func,
    insert,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Session

from billing.days import day_number
from billing.finding import Finding
from rpm.store.fact_rows import recorded_by
from rpm.store.tables.base import METADATA
from rpm.store.tables.monitoring import DeviceDay, Reading, ReadingExclusion

_READING = METADATA.tables[str(Reading.__tablename__)]
_EXCLUSION = METADATA.tables[str(ReadingExclusion.__tablename__)]
_DEVICE_DAY = METADATA.tables[str(DeviceDay.__tablename__)]
# made once: an alias copies every column of its table
_LATER, _NAMED = _READING.alias("later"), _READING.alias("named")
_LIFT = _EXCLUSION.alias("lift")
_COLUMNS = (
    "organization_id",
    "episode_id",
    "day",
    "kind",
    "refused_reason",
    "qualifying_count",
    "refused_count",
    "first_received_day",
)
_EXCLUDED = "excluded"
_PAIRS_AT_ONCE = 2_000

EpisodeDay = tuple[UUID, date]
OrganizationId = UUID | BindParameter[UUID]
"""An organization's id, or the place of one in a statement that is made once."""


class SqlDayNumber(FunctionElement[int]):
    """A date column as a day number (``billing.days``), on both engines."""

    type = Integer()
    inherit_cache = True


@compiles(SqlDayNumber, "sqlite")
def _sqlite_day_number(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(julianday({compiler.process(element.clauses, **options)}) - 2440587.5 AS INTEGER)"


@compiles(SqlDayNumber, "postgresql")
def _postgresql_day_number(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} - DATE '1970-01-01')"


def counted(
    organization_id: OrganizationId,
    *,
    days: Collection[EpisodeDay] | BindParameter[Any] | None = None,
    episode_ids: Select[Any] | None = None,
    until_audit_number: int | None = None,
) -> Select[Any]:
    """The rows of ``device_day`` as readings, exclusions and lifts give them, as a statement.

    ``days`` narrows it to pairs of episode and local day, ``episode_ids`` to some episodes,
    ``until_audit_number`` to what was known up to that audit event. A reading that another one
    supersedes is not counted at all; one that is excluded stands as refused, also for programs
    that take self-reported data.
    """
    word = _refusal_word(organization_id, until_audit_number)
    where = [
        _READING.c.organization_id == organization_id,
        _READING.c.episode_id.is_not(None),
        _READING.c.local_day.is_not(None),
        holds(until_audit_number),
    ]
    if days is not None:
        pairs = days if isinstance(days, BindParameter) else list(days)
        where.append(tuple_(_READING.c.episode_id, _READING.c.local_day).in_(pairs))
    if episode_ids is not None:
        where.append(_READING.c.episode_id.in_(episode_ids))
    if until_audit_number is not None:
        where.append(recorded_by(_READING, until_audit_number))
    judged = (
        select(
            _READING.c.organization_id,
            _READING.c.episode_id,
            _READING.c.local_day,
            _READING.c.kind,
            word.label("refused_reason"),
            _READING.c.received_day,
        )
        .where(*where)
        .subquery()
    )
    day = SqlDayNumber(judged.c.local_day)
    qualifies = judged.c.refused_reason == ""
    keys = (judged.c.organization_id, judged.c.episode_id, judged.c.local_day, judged.c.kind)
    return select(
        judged.c.organization_id,
        judged.c.episode_id,
        day.label("day"),
        judged.c.kind,
        judged.c.refused_reason,
        case((qualifies, func.count()), else_=0).label("qualifying_count"),
        case((qualifies, 0), else_=func.count()).label("refused_count"),
        SqlDayNumber(func.min(judged.c.received_day)).label("first_received_day"),
    ).group_by(*keys, judged.c.refused_reason)


def holds(until_audit_number: int | None = None) -> ColumnElement[bool]:
    """Whether no reading supersedes this one, as a condition on ``reading``."""
    where = [
        _LATER.c.organization_id == _READING.c.organization_id,
        _LATER.c.supersedes_id == _READING.c.id,
    ]
    if until_audit_number is not None:
        where.append(recorded_by(_LATER, until_audit_number))
    return ~exists().where(and_(*where))


def excluded(
    organization_id: OrganizationId, until_audit_number: int | None = None
) -> ColumnElement[bool]:
    """Whether a person took this reading out of the count, as a condition on ``reading``.

    An exclusion holds for every version under the same identity: what a person took out does not
    come back because the sender corrected it.
    """
    lifted = [
        _LIFT.c.organization_id == _EXCLUSION.c.organization_id,
        _LIFT.c.lifts_id == _EXCLUSION.c.id,
    ]
    where = [
        _EXCLUSION.c.organization_id == organization_id,
        _EXCLUSION.c.lifts_id.is_(None),
        _NAMED.c.organization_id == _EXCLUSION.c.organization_id,
        _NAMED.c.id == _EXCLUSION.c.reading_id,
    ]
    if until_audit_number is not None:
        lifted.append(recorded_by(_LIFT, until_audit_number))
        where.append(recorded_by(_EXCLUSION, until_audit_number))
    identities = select(_NAMED.c.identity_key).where(*where, ~exists().where(and_(*lifted)))
    return _READING.c.identity_key.in_(identities)


def _refusal_word(
    organization_id: OrganizationId, until_audit_number: int | None
) -> ColumnElement[str]:
    return case(
        (excluded(organization_id, until_audit_number), _EXCLUDED),
        (_READING.c.countable, ""),
        else_=_READING.c.refused_reason,
    )


def refresh(db: Session, organization_id: UUID, days: Collection[EpisodeDay]) -> None:
    """Count these pairs of episode and local day anew."""
    connection = db.connection()
    forget, count = _refreshing()
    waiting = iter(sorted(days))
    while part := list(islice(waiting, _PAIRS_AT_ONCE)):
        numbered = [(episode_id, day_number(day)) for episode_id, day in part]
        connection.execute(forget, {"of_organization": organization_id, "of_days": numbered})
        connection.execute(count, {"of_organization": organization_id, "of_days": part})


@cache
def _refreshing() -> tuple[Delete, Insert]:
    """Removes and counts some days; made once, since every delivery needs both.

    Making them takes longer than carrying them out for one day.
    """
    organization_id = bindparam("of_organization", type_=_READING.c.organization_id.type)
    days: BindParameter[Any] = bindparam("of_days", expanding=True)
    forget = delete(_DEVICE_DAY).where(
        _DEVICE_DAY.c.organization_id == organization_id,
        tuple_(_DEVICE_DAY.c.episode_id, _DEVICE_DAY.c.day).in_(days),
    )
    return forget, insert(_DEVICE_DAY).from_select(_COLUMNS, counted(organization_id, days=days))


def rebuild(db: Session, organization_id: UUID) -> None:
    """Count all readings of an organization anew."""
    connection = db.connection()
    connection.execute(delete(_DEVICE_DAY).where(_DEVICE_DAY.c.organization_id == organization_id))
    connection.execute(insert(_DEVICE_DAY).from_select(_COLUMNS, counted(organization_id)))


def differences(db: Session, organization_id: UUID, limit: int = 100) -> list[Finding]:
    """Days on which the projection is not what the readings give; empty when all agree."""
    kept = select(*(_DEVICE_DAY.c[name] for name in _COLUMNS)).where(
        _DEVICE_DAY.c.organization_id == organization_id
    )
    fresh = counted(organization_id)
    names: list[ColumnElement[Any]] = [column(name) for name in _COLUMNS]
    either = union_all(
        select(*names).select_from(except_(kept, fresh).subquery()),
        select(*names).select_from(except_(fresh, kept).subquery()),
    ).subquery()
    pairs = (
        select(either.c.episode_id, either.c.day)
        .distinct()
        .order_by(either.c.episode_id, either.c.day)
        .limit(limit)
    )
    return [
        Finding(
            "E_DEVICE_DAY_DIFFERS",
            f"device_day {row.episode_id} {row.day}",
            "is not what the readings of this day give",
        )
        for row in db.connection().execute(pairs)
    ]
