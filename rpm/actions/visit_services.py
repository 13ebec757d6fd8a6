"""What an accepted visit tells the ledger: its services, so that minutes are used once.

Owns which lines become services, and taking them back. The rules about a visit and monitoring on
one day (R-TIME-10) stand in the rule pages and profiles; they read these services. Lines of
monitoring are the ledger's own and are not recorded again.
"""

from uuid import UUID

from sqlmodel import Session

from billing.coding.lines import Line
from billing.coding.rules_read import shipped_coding_rules
from rpm.store.chain import Record
from rpm.store.queries.services import service_reversal
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit, VisitDecision
from rpm.store.tables.ledger import OtherService

OF_THE_LEDGER = "monitoring"
"""The family of codes that the ledger posts."""


def record_services(record: Record, visit: Visit, lines: tuple[Line, ...]) -> list[str]:
    """Record each code of the lines once, as our own service; the ids as hex."""
    rules = shipped_coding_rules()
    families = {code: rules.family_of(code) for code in dict.fromkeys(one.code for one in lines)}
    return [
        record.add(
            OtherService(
                patient_id=visit.patient_id,
                code=code,
                service_day=visit.service_day,
                own=True,
                practitioner_id=visit.practitioner_id,
            )
        ).id.hex
        for code, family in families.items()
        if family is None or family.name != OF_THE_LEDGER
    ]


def take_services_back(
    db: Session, scope: Scope, record: Record, decision: VisitDecision | None, reason: str
) -> None:
    """Take back what a decision recorded and nobody took back yet."""
    for service_id in [] if decision is None else decision.service_ids:
        service = scope.get(db, OtherService, UUID(service_id))
        if service_reversal(db, scope, service.id) is None:
            record.add(
                OtherService(
                    patient_id=service.patient_id,
                    code=service.code,
                    service_day=service.service_day,
                    own=service.own,
                    practitioner_id=service.practitioner_id,
                    reverses_id=service.id,
                    reason=reason,
                )
            )
