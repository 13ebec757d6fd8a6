"""Add a payer the practice deals with, under its key of the rule book.

Owns the check that there are rules for it. Does not own the rules.
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Name, PayerKey, refuse
from rpm.actions.natural_key import same_or_conflict
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization, payer_with_key
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer


class AddPayer(Command):
    """A payer by its key of the rule book."""

    key: PayerKey
    name: Name = Field(examples=["Medicare Part B"])
    edi_payer_id: Name | None = Field(default=None, examples=["12502"])


def add_payer(db: Session, actor: Actor, now: datetime, command: AddPayer) -> Payer:
    """The payer of the key. ``InvalidRequest`` when neither shipped nor own pages know it.

    ``Conflict`` when the key is recorded with other content.
    """
    require(actor, "patients:write")
    scope = Scope.of(actor)
    if command.key not in book_of(db, scope.organization_id).payers:
        message = f"no rule page, shipped or of the practice, is for payer {command.key}"
        raise refuse("key", "E_NO_RULE", message)
    hold_organization(db, scope)
    wanted = command.model_dump()
    recorded = payer_with_key(db, scope, command.key)
    if recorded is not None:
        return same_or_conflict(recorded, wanted, "the payer is recorded with other content")
    with recording(db, actor, now, "payer.add") as record:
        payer = record.add(Payer(**wanted))
        record.subject["payer_id"] = payer.id
    return payer
