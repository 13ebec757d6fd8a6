"""What x12sdk's reader finds in an 837P, beside what ours does.

Owns the comparison. x12sdk has no sex U in its lists, and never reads the envelope.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from x12sdk.io import X12ModelReader

from billing.claims.claim import Claim, Name
from billing.claims.x12.p837_read import read_837p
from billing.money import cents_to_text


def same_values(content: bytes) -> int:
    """How many claims both readers found, every one with the same values."""
    with X12ModelReader(content.decode()) as reader:
        theirs = [told for model in reader.models() for told in _claims(model)]
    ours = [_told(claim) for one in read_837p(content).sets for claim in one.claims]
    assert theirs == ours
    return len(ours)


def _claims(model: Any) -> Iterator[dict[str, Any]]:
    for billing in model.loop_2000a:
        for subscriber in billing.loop_2000b:
            for patient in subscriber.loop_2000c or ():
                for claim in patient.loop_2300:
                    yield _model_told(billing, subscriber, patient.loop_2010ca, claim)
            for claim in subscriber.loop_2300 or ():
                yield _model_told(billing, subscriber, subscriber.loop_2010ba, claim)


def _model_told(billing: Any, subscriber: Any, patient: Any, claim: Any) -> dict[str, Any]:
    head = claim.clm_segment
    place, _, frequency = head.health_care_service_location_information.split(":")
    lists = [
        getattr(segment, f"health_care_code_{n}")
        for segment in claim.hi_segment
        for n in range(1, 13)
    ]
    return {
        "control_number": head.patient_control_number,
        "charge": head.total_claim_charge_amount,
        "place": place,
        "frequency": frequency,
        "billing": (
            _model_name(billing.loop_2010aa),
            billing.loop_2010aa.nm1_segment.identification_code,
        ),
        "subscriber": _model_name(subscriber.loop_2010ba),
        "member_id": subscriber.loop_2010ba.nm1_segment.identification_code,
        "payer": _model_name(subscriber.loop_2010bb),
        "patient": _model_name(patient),
        "born": patient.dmg_segment.date_time_period,
        "city": patient.n4_segment.city_name,
        "rendering": _model_name(claim.loop_2310b),
        "supervising": _model_name(claim.loop_2310d),
        "facility": _model_name(claim.loop_2310c),
        "note": claim.nte_segment.description if claim.nte_segment else "",
        "diagnoses": [one[1] for one in lists if one],
        "others": [_model_name(one.loop_2330a) for one in claim.loop_2320 or ()],
        "lines": [_model_line(line) for line in claim.loop_2400],
    }


def _model_line(line: Any) -> dict[str, Any]:
    service, days = line.sv1_segment, line.dtp_segment[0].date_time_period
    return {
        "service": service.product_service_id_qualifier,
        "charge": service.line_item_charge_amount,
        "units": service.service_unit_count,
        "place": service.place_of_service_code or "",
        "pointers": service.composite_diagnosis_code_pointer,
        "days": days if isinstance(days, str) else f"{days:%Y%m%d}",
        "number": line.ref_segment[0].reference_identification,
    }


def _model_name(loop: Any) -> tuple[str, ...]:
    if loop is None:
        return ()
    one = loop.nm1_segment
    name = (one.name_last_or_organization_name, one.name_first, one.name_middle, one.name_suffix)
    return tuple(part or "" for part in name)


def _told(claim: Claim) -> dict[str, Any]:
    coverage, patient = claim.coverage, claim.patient
    assert patient.address is not None
    return {
        "control_number": claim.control_number,
        "charge": Decimal(cents_to_text(claim.charge_cents)),
        "place": claim.place,
        "frequency": claim.frequency,
        "billing": (_name(claim.billing.name), claim.billing.npi),
        "subscriber": _name(coverage.subscriber.name),
        "member_id": coverage.member_id,
        "payer": (coverage.payer.name, "", "", ""),
        "patient": _name(patient.name),
        "born": patient.birth_day,
        "city": patient.address.city,
        "rendering": _name(claim.rendering.name) if claim.rendering else (),
        "supervising": _name(claim.supervising.name) if claim.supervising else (),
        "facility": (claim.facility.name, "", "", "") if claim.facility else (),
        "note": claim.note,
        "diagnoses": list(claim.diagnoses),
        "others": [_name(one.subscriber) for one in claim.others],
        "lines": [
            {
                "service": ":".join(("HC", line.procedure, *line.modifiers)),
                "charge": Decimal(cents_to_text(line.charge_cents)),
                "units": line.units,
                "place": line.place,
                "pointers": ":".join(map(str, line.pointers)),
                "days": f"{line.from_day:%Y%m%d}"
                if line.from_day == line.to_day
                else f"{line.from_day:%Y%m%d}-{line.to_day:%Y%m%d}",
                "number": line.control_number,
            }
            for line in claim.lines
        ],
    }


def _name(name: Name) -> tuple[str, ...]:
    return (name.last, name.first, name.middle, name.suffix)
