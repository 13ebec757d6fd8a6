"""Decide on a visit: the lines that leave, or that it is held; and which edits were overruled.

Owns the rule that a person decides: every ERROR on the chosen lines is overruled by a named person
with a reason, or the visit is not accepted. Does not own the edits (``billing.coding``).
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlmodel import Session

from billing.coding.catalog import EditSeverity
from billing.coding.check import check
from billing.coding.coded import CodedVisit, EditFinding
from billing.coding.encounter import Encounter
from billing.coding.lines import Line, lines_text
from billing.coding.rules_read import shipped_coding_rules
from rpm.access import Actor, require
from rpm.actions.coded_visits import Coder, coder, completed
from rpm.actions.command import Command, Id, Reason, refuse
from rpm.actions.practice_day import practice_today
from rpm.actions.visit_facts import LinesText, encounter_of, lines_of
from rpm.actions.visit_services import record_services, take_services_back
from rpm.errors import Conflict, NotAllowed
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.queries.visits import decisions_of, visit_correction
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit, VisitDecision


class Overruling(Command):
    """An edit that fires and does not hold here, and why."""

    edit: Annotated[str, StringConstraints(pattern=r"^TH-[A-Z0-9]{2,5}-[0-9]{2}$")] = Field(
        examples=["TH-DOC-04"]
    )
    reason: Reason


class DecideVisit(Command):
    """What a person chose for a visit."""

    visit_id: Id
    accepted: bool = Field(description="The lines may leave; false: the visit is held.")
    chosen: LinesText | None = Field(default=None, description="Left out: the lines as coded.")
    overruled: list[Overruling] = Field(default_factory=list, max_length=20)
    reason: Reason | None = Field(
        default=None, description="Needed for lines that are otherwise than coded."
    )


def encounter_of_visit(db: Session, scope: Scope, visit: Visit) -> Encounter:
    """The encounter of a recorded visit, with what the record holds around it."""
    encounter = encounter_of({name: str(value) for name, value in visit.facts.items()})
    return completed(db, scope, encounter, visit.patient_id, visit.practitioner_id)


def coded(db: Session, scope: Scope, visit: Visit, known_day: date) -> CodedVisit:
    """A recorded visit as it is coded on a day."""
    return _coded(coder(db, scope, known_day), encounter_of_visit(db, scope, visit), visit)


def _coded(with_: Coder, encounter: Encounter, visit: Visit) -> CodedVisit:
    return with_.code(encounter, lines_of(visit.submitted))


def decide_visit(db: Session, actor: Actor, now: datetime, command: DecideVisit) -> VisitDecision:
    """The decision. It replaces an earlier one; what that one gave the ledger is taken back.

    ``NotAllowed`` unless a named person acts. ``InvalidRequest`` for other lines without a reason,
    an accepted visit whose ERROR nobody overruled, or an edit overruled that does not fire;
    ``Conflict`` for a visit that was corrected or withdrawn.
    """
    require(actor, "visits:decide")
    if actor.user_id is None:
        raise NotAllowed("a named person decides on a visit")
    scope = Scope.of(actor)
    visit = scope.get(db, Visit, command.visit_id)
    hold_organization(db, scope)
    if visit.withdrawn or visit_correction(db, scope, visit.id) is not None:
        raise Conflict("the visit was corrected or withdrawn since")
    known_day = practice_today(db, scope, now)
    with_, encounter = coder(db, scope, known_day), encounter_of_visit(db, scope, visit)
    proposal = _coded(with_, encounter, visit)
    chosen = _chosen(command, proposal)
    standing = _standing(with_, encounter, proposal, chosen)
    _refuse_what_stands(command, chosen, standing)
    earlier = decisions_of(db, scope, [visit.id]).get(visit.id)
    subject = {"patient_id": visit.patient_id, "visit_id": visit.id}
    reason = command.reason
    with recording(db, actor, now, "visit.decide", subject, reason) as record:
        take_services_back(db, scope, record, earlier, reason or "decided anew")
        services = record_services(record, visit, chosen) if command.accepted else []
        return record.add(
            VisitDecision(
                visit_id=visit.id,
                patient_id=visit.patient_id,
                decided_by=_person(actor),
                known_day=known_day,
                service_day=visit.service_day,
                accepted=command.accepted,
                proposed=lines_text(proposal.lines),
                chosen=lines_text(chosen),
                status=proposal.status,
                findings=[_kept(one) for one in standing],
                overruled=[one.model_dump() for one in command.overruled],
                service_ids=services,
                reason=reason,
            )
        )


def _person(actor: Actor) -> UUID:
    assert actor.user_id is not None  # noqa: S101 - decide_visit refused everybody else
    return actor.user_id


def _chosen(command: DecideVisit, proposal: CodedVisit) -> tuple[Line, ...]:
    told = lines_of(command.chosen, "chosen")
    if told is None:
        return proposal.lines
    if told != proposal.lines and command.reason is None:
        raise refuse("reason", "E_REASON_NEEDED", "these lines are not those that were coded")
    return told


def _standing(
    with_: Coder, encounter: Encounter, proposal: CodedVisit, chosen: tuple[Line, ...]
) -> list[EditFinding]:
    """What fires on the chosen lines as they stand; of no lines, what took them away."""
    if not chosen:
        return [one for one in proposal.findings if isinstance(one, EditFinding)]
    judged = CodedVisit(lines=chosen, submitted=chosen)
    rules, pairs = shipped_coding_rules(), with_.pairs(encounter.dos)
    return list(check(encounter, judged, rules, with_.known_day, pairs=pairs))


def _refuse_what_stands(
    command: DecideVisit, chosen: tuple[Line, ...], standing: list[EditFinding]
) -> None:
    fired = {one.code for one in standing}
    overruled = {one.edit for one in command.overruled}
    if silent := sorted(overruled - fired):
        raise refuse("overruled", "E_EDIT_SILENT", f"{silent[0]} does not fire on these lines")
    if not command.accepted:
        return
    if not chosen:
        raise refuse("accepted", "E_NO_LINES", "no line is left to accept")
    errors = {one.code for one in standing if one.weight == EditSeverity.ERROR}
    if left := sorted(errors - overruled):
        raise refuse("accepted", "E_EDIT_STANDS", f"not overruled: {', '.join(left)}")


def _kept(finding: EditFinding) -> dict[str, object]:
    return {"edit": finding.code, "weight": finding.weight, "line": finding.line}
