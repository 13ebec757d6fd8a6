"""Take an interaction entry back: a row with negative seconds, never an edit.

Owns what a reversal copies. Who worked stands in the row, who took it back in its audit event. An
entry that was split at midnight is two entries, each taken back by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid5

from pydantic import Field
from sqlmodel import Session

from billing.finding import Finding
from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Reason
from rpm.actions.entry_findings import late_findings
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.entries import entry_reversal
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry

_COPIED = (
    "patient_id",
    "episode_id",
    "actor_user_id",
    "actor_name",
    "role",
    "work",
    "mode",
    "local_day",
    "start_second",
    "zone",
    "started_at",
    "activity",
)


class ReverseEntry(Command):
    """An entry was wrong."""

    entry_id: Id
    reason: Reason = Field(examples=["logged for the wrong patient"])


@dataclass(frozen=True)
class Reversed:
    """The reversal, and what is to be known about it."""

    reversal: InteractionEntry
    findings: tuple[Finding, ...]


def reverse_entry(db: Session, actor: Actor, now: datetime, command: ReverseEntry) -> Reversed:
    """The reversal: the entry's negative seconds on its own day.

    ``Conflict`` when the entry is taken back already or is itself a reversal. Finding
    ``W_AFTER_CLOSE`` when its month is closed.
    """
    require(actor, "entries:reverse")
    scope = Scope.of(actor)
    entry = scope.get(db, InteractionEntry, command.entry_id)
    hold_organization(db, scope)
    if entry.reverses_id is not None:
        raise Conflict("a reversal is not taken back; log the work anew")
    if entry_reversal(db, scope, entry.id) is not None:
        raise Conflict("the entry is taken back already")
    reversal = InteractionEntry(
        **{name: getattr(entry, name) for name in _COPIED},
        client_id=uuid5(entry.client_id, "reversal"),
        duration_seconds=-entry.duration_seconds,
        origin="reversal",
        reverses_id=entry.id,
        reason=command.reason,
    )
    subject = {"patient_id": entry.patient_id, "entry_id": entry.id}
    with recording(db, actor, now, "entry.reverse", subject, command.reason) as record:
        record.add(reversal)
    return Reversed(reversal, late_findings(db, scope, [reversal]))
