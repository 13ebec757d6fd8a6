"""Clearinghouses: which agreement counts, what changes about one, and the sendings of files.

Owns these statements. Does not own what an agreement says (``rpm.transport.profile``) nor how far a
file is (``billing.claims.sending``).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, update
from sqlmodel import Session, col, select

from billing.claims.lifecycle import Kind
from billing.claims.sending import SendingStep, Step
from rpm.errors import Conflict, NotFound
from rpm.store.scope import Scope
from rpm.store.tables.answers import ReceivedFile
from rpm.store.tables.claims import ClaimEventRecord, ClaimFile
from rpm.store.tables.transport import Clearinghouse, ClearinghouseState, FileSending
from rpm.transport.profile import Profile

CLAIMS, TEST_CLAIMS = "837P", "837P-TEST"
"""Kinds of files that are sent; those of tests hold a made-up claim."""
INTERCHANGES = "interchange"
"""The sequence that ISA13, and with it GS06, of every file comes from."""


def clearinghouse_profiles(db: Session, scope: Scope) -> dict[str, Profile]:
    """The agreement that counts for each key, by key; those that were ended are left out."""
    return {key: one for key, one in _latest(db, scope).items() if not one.retired}


def _latest(db: Session, scope: Scope) -> dict[str, Profile]:
    rows = db.exec(
        scope.rows(Clearinghouse).order_by(col(Clearinghouse.audit_number), col(Clearinghouse.id))
    )
    latest = {row.key: Profile.of_json(row.profile) for row in rows}
    return dict(sorted(latest.items()))


def clearinghouse_profile(db: Session, scope: Scope, key: str) -> Profile:
    """The agreement of a key, also of one that was ended; ``NotFound`` when there is none."""
    found = _latest(db, scope).get(key)
    if found is None:
        raise NotFound("there is no such clearinghouse")
    return found


def clearinghouse_key(db: Session, scope: Scope, asked: str) -> str:
    """The key that a payer's empty one stands for: the practice's only clearinghouse.

    ``NotFound`` when there is none, ``Conflict`` when there are several.
    """
    keys = list(clearinghouse_profiles(db, scope))
    if asked:
        if asked not in keys:
            raise NotFound("there is no such clearinghouse")
        return asked
    if len(keys) > 1:
        raise Conflict("there are several clearinghouses: a payer's billing names one")
    if not keys:
        raise NotFound("there is no clearinghouse on record: rpm-ledger clearinghouse add")
    return keys[0]


def state_of(db: Session, scope: Scope, key: str) -> ClearinghouseState | None:
    """What changes about a clearinghouse; None before anything did."""
    return db.exec(scope.rows(ClearinghouseState).where(col(ClearinghouseState.key) == key)).first()


def hold_clearinghouse(
    db: Session,
    scope: Scope,
    key: str,
    holder: UUID,
    now: datetime,
    until: datetime,
    *,
    at_once: bool,
) -> bool:
    """Take a clearinghouse for one who fetches; False while another one has it.

    After failures it rests for a while; ``at_once`` is a person who does not wait for that.
    """
    held, holding = col(ClearinghouseState.held_until), col(ClearinghouseState.holder)
    free = held.is_(None) | (held <= now) | (holding == holder)
    if at_once:
        free |= holding.is_(None)
    done = db.connection().execute(
        update(ClearinghouseState)
        .where(
            col(ClearinghouseState.organization_id) == scope.organization_id,
            col(ClearinghouseState.key) == key,
            free,
        )
        .values(holder=holder, held_until=until)
    )
    return done.rowcount == 1


def steps_of(
    db: Session, scope: Scope, file_ids: Collection[UUID]
) -> dict[UUID, list[FileSending]]:
    """Every step of the sendings of some files, in the order they were recorded."""
    found: dict[UUID, list[FileSending]] = {key: [] for key in file_ids}
    if not found:
        return found
    rows = db.exec(
        scope.rows(FileSending)
        .where(col(FileSending.file_id).in_(found))
        .order_by(col(FileSending.audit_number), col(FileSending.id))
    )
    for row in rows:
        found[row.file_id].append(row)
    return found


def folded_steps(rows: Iterable[FileSending]) -> list[SendingStep]:
    """Steps as their fold takes them."""
    return [SendingStep(row.number, Step(row.step), row.recorded_at) for row in rows]


def sent_files(
    db: Session, scope: Scope, kinds: Collection[str], key: str | None = None
) -> Sequence[ClaimFile]:
    """Files of some kinds, of one clearinghouse or of all, in the order they were made."""
    conditions: list[Any] = [col(ClaimFile.kind).in_(kinds)]
    if key is not None:
        conditions.append(col(ClaimFile.clearinghouse_key) == key)
    return scope.all_of(db, ClaimFile, *conditions)


def received_from(db: Session, scope: Scope, key: str, kind: str) -> Sequence[ReceivedFile]:
    """Files of one kind that came from a clearinghouse, in the order they came."""
    return scope.all_of(
        db, ReceivedFile, col(ReceivedFile.source) == key, col(ReceivedFile.kind) == kind
    )


def same_number_other_content(db: Session, scope: Scope) -> Sequence[tuple[str, str, int]]:
    """Interchanges that came with more than one content: sender, number, how many contents.

    An honest sender numbers each interchange once, so this is an alarm.
    """
    sender, number = col(ReceivedFile.interchange_sender), col(ReceivedFile.interchange_number)
    rows = db.exec(
        select(sender, number, func.count())
        .where(col(ReceivedFile.organization_id) == scope.organization_id, number != "")
        .group_by(sender, number)
        .having(func.count() > 1)
        .order_by(sender, number)
    )
    return [(one, other, count) for one, other, count in rows]


def claims_unanswered(db: Session, scope: Scope) -> list[UUID]:
    """Claims whose last sending was not adjudicated or rejected, in the order they were made."""
    kind, attempt = col(ClaimEventRecord.kind), col(ClaimEventRecord.attempt)
    ended = (Kind.REMITTED, Kind.REVERSED, Kind.REJECTED, Kind.FILE_REJECTED)
    last_sent = func.max(case((kind == Kind.SENT, attempt), else_=0))
    last_ended = func.max(case((kind.in_(ended), attempt), else_=0))
    claim_id = col(ClaimEventRecord.claim_id)
    query = (
        select(claim_id)
        .where(col(ClaimEventRecord.organization_id) == scope.organization_id)
        .group_by(claim_id)
        .having(last_sent > last_ended)
    )
    return sorted(db.exec(query).all())
