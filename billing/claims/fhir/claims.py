"""A claim as FHIR R4: the claim with what it stands on, from ``billing.claims.claim`` alone.

Owns which part of a claim goes where. Parties of the claim that the record knows are referred to
by their ids (``ClaimIds``), the others stand inside the claim (contained).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.claims.claim import VOID, Claim, Provider, ServiceLine
from billing.claims.fhir.parts import (
    NPI,
    PLACE,
    Resource,
    concept,
    concepts,
    diagnosis,
    filled,
    human_name,
    identifier,
    instant,
    money,
    not_known,
    period,
    procedure,
    reference,
    resource,
    text,
)

_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type"
_PRIORITY = "http://terminology.hl7.org/CodeSystem/processpriority"
_RELATED = "http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship"
_ROLE = "http://terminology.hl7.org/CodeSystem/claimcareteamrole"
_MODIFIER = "http://www.ama-assn.org/go/cpt"


@dataclass(frozen=True)
class ClaimIds:
    """Ids of what a claim refers to in the same output."""

    claim: str
    patient: str
    coverage: str  # empty: it is not known which of those recorded
    practice: str
    payer: str
    own_system: str  # of patient control numbers


def claim_resource(claim: Claim, ids: ClaimIds, created: datetime) -> Resource:
    """The claim; ValueError for an instant without offset."""
    team = _care_team(claim)
    return resource(
        "Claim",
        ids.claim,
        contained=[one["person"] for one in team],
        identifier=identifier(ids.own_system, claim.control_number),
        status="cancelled" if claim.frequency == VOID else "active",
        type=concept(_TYPE, "professional"),
        use="claim",
        patient=reference("Patient", ids.patient),
        created=instant(created),
        insurer=reference("Organization", ids.payer),
        provider=reference("Organization", ids.practice),
        priority=concept(_PRIORITY, "normal"),
        related=_related(claim),
        careTeam=[one["member"] for one in team],
        diagnosis=[
            {"sequence": number, "diagnosisCodeableConcept": diagnosis(code)}
            for number, code in enumerate(claim.diagnoses, start=1)
        ],
        insurance=[
            filled(
                sequence=1,
                focal=True,
                coverage=_coverage(claim, ids),
                preAuthRef=[one for one in (text(claim.prior_authorization),) if one],
            )
        ],
        item=[_item(claim, line, number) for number, line in enumerate(claim.lines, start=1)],
        total=money(claim.charge_cents),
    )


def _coverage(claim: Claim, ids: ClaimIds) -> dict[str, Any]:
    """The coverage by its id, else by the member's."""
    if ids.coverage:
        return dict(reference("Coverage", ids.coverage))
    member = text(claim.coverage.member_id)
    return {"identifier": {"value": member}} if member else not_known()


def _related(claim: Claim) -> list[dict[str, Any]]:
    """The claim that is replaced or voided, by the payer's number."""
    number = text(claim.payer_claim_number)
    if not number:
        return []
    return [{"relationship": concept(_RELATED, "prior"), "reference": {"value": number}}]


def _care_team(claim: Claim) -> list[dict[str, Any]]:
    roles = (
        ("rendering", claim.rendering, "primary"),
        ("supervising", claim.supervising, "supervisor"),
        ("referring", claim.referring, "other"),
    )
    given = [(name, who, role) for name, who, role in roles if who is not None]
    return [
        {
            "person": _contained(name, who),
            "member": {
                "sequence": number,
                "provider": {"reference": f"#{name}"},
                "role": concept(_ROLE, role),
            },
        }
        for number, (name, who, role) in enumerate(given, start=1)
    ]


def _contained(name: str, who: Provider) -> Resource:
    kind = "Organization" if who.name.organization else "Practitioner"
    shown: Any = text(who.name.last) if who.name.organization else human_name(who.name)
    return resource(kind, name, identifier=identifier(NPI, who.npi, "NPI"), name=shown)


def _item(claim: Claim, line: ServiceLine, number: int) -> dict[str, Any]:
    one_day = line.from_day == line.to_day
    place = line.place or claim.place
    return filled(
        sequence=number,
        careTeamSequence=[1] if claim.rendering is not None else [],
        diagnosisSequence=list(line.pointers),
        productOrService=procedure(line.procedure),
        modifier=concepts(_MODIFIER, line.modifiers),
        servicedDate=line.from_day.isoformat() if one_day else None,
        servicedPeriod=None if one_day else period(line.from_day, line.to_day),
        locationCodeableConcept=concept(PLACE, place),
        quantity={"value": line.units},
        net=money(line.charge_cents),
    )
