"""Opening a patient's chart from a page: recorded first, in a short transaction of its own.

Owns the order: the record of who looked is committed before anything is shown, and what is then
read holds up no writer. Does not own the act (``rpm.actions.register_patient``).
"""

from datetime import datetime
from uuid import UUID

from fastapi import Request

from rpm.access import Actor
from rpm.actions.register_patient import open_chart
from rpm.store.engine import transaction
from rpm.store.tables.people import Patient
from rpm.web.running import engine_of


def chart_opened(request: Request, actor: Actor, now: datetime, patient_id: UUID) -> Patient:
    """The patient whose chart is opened; ``NotFound`` for one of another practice."""
    with transaction(engine_of(request, actor)) as db:
        return open_chart(db, actor, now, patient_id)
