"""What if: the same calculation with some facts added or left out; nothing is stored.

Owns the two evaluations. Does not own the calculation (``billing.ledger.evaluate``) nor how facts
are changed (``rpm.actions.changed_facts``): with no change the answer is the bill.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from billing.ledger.evaluate import evaluate
from rpm.access import Actor, require
from rpm.actions.changed_facts import changed_facts
from rpm.actions.seen_from import seen_on
from rpm.actions.what_if_command import WhatIf
from rpm.store.fact_rows import FactReader
from rpm.store.facts import LoadedFacts
from rpm.store.outcomes import Evaluated, evaluated
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient


@dataclass(frozen=True)
class Compared:
    """The bill as it is, and as it would be."""

    bill: Evaluated
    what_if: Evaluated


def what_if(
    db: Session,
    actor: Actor,
    now: datetime,
    command: WhatIf,
    loaded: LoadedFacts | None = None,
) -> Compared:
    """Evaluate a patient twice; ``NotFound`` for an id that is not of this patient.

    ``loaded``: the patient's facts as known now, where ``db`` loaded them already.
    """
    require(actor, "ledger:read")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    seen = seen_on(db, scope, now, command.known_at, command.as_of)
    until = seen.until_audit_number
    reader = FactReader(db, scope.organization_id, [command.patient_id], until)
    bill = evaluated(
        db,
        scope.organization_id,
        as_of=seen.as_of,
        known=seen.known_day,
        patients=[command.patient_id],
        until_audit_number=until,
        loaded=loaded if command.known_at is None else None,
    )
    loaded = bill.loaded
    facts = changed_facts(reader, loaded, command)
    outcome = evaluate(facts, bill.book, bill.as_of, bill.known)
    return Compared(bill, replace(bill, loaded=replace(loaded, facts=facts), outcome=outcome))
