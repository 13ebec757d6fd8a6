"""Enrollment as a guided page: one step after the other, each an act of its own.

Owns the screen and the way from its forms to the acts. Does not own the acts (``rpm.actions``) nor
where an enrollment stands (``rpm.web.pages.enrollment_state``). It can be left at any step and
taken up again.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.ledger.facts import KINDS, PROGRAMS, SETTINGS
from devices.vendor import VENDORS
from rpm.access import Actor
from rpm.actions.practice_day import practice_today
from rpm.actions.record_consent import CONSENT_MODES
from rpm.clock import zone
from rpm.errors import Conflict, InvalidRequest, NotFound
from rpm.store.queries.device_state import InventoryFilter
from rpm.store.queries.inventory import inventory_page
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Device
from rpm.store.tables.people import Patient, Payer, Practitioner
from rpm.web.pages.enrollment_state import STEPS, Enrollment, enrollment_of
from rpm.web.pages.enrollment_steps import RECORD, Asked, WrongFormError
from rpm.web.pages.opened import chart_opened
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    form_errors,
    page_permit,
    page_router,
    render,
    see_other,
)

router = page_router()

Enroller = Annotated[Actor, page_permit("patients:write")]
_IN_STOCK = 100
DEVICE_WORDS = {
    "bp": "blood pressure cuff",
    "scale": "scale",
    "pulseox": "pulse oximeter",
    "glucose": "glucose meter",
    "cgm": "continuous glucose monitor",
    "thermometer": "thermometer",
    "spirometer": "spirometer",
}


@router.get("/patients/{patient_id}/enrollment")
def enrollment(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Enroller,
    patient_id: UUID,
    step: str = "",
) -> Response:
    """The steps, and the form of the one that comes next or is asked for."""
    chart_opened(request, actor, now, patient_id)
    return _page(request, db, now, actor, patient_id, step, {}, {})


async def _form_values(request: Request) -> dict[str, str]:
    """The fields of the form that is sent; each step has its own."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


@router.post("/patients/{patient_id}/enrollment/{step}")
def record(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Enroller,
    patient_id: UUID,
    step: str,
    values: Annotated[dict[str, str], Depends(_form_values)],
) -> Response:
    """Record a step, and go on to the next one."""
    if step not in STEPS:
        raise NotFound("there is no such step")
    scope = Scope.of(actor)
    scope.get(db, Patient, patient_id)
    found = enrollment_of(db, scope, patient_id, practice_today(db, scope, now), now)
    asked = Asked(found, values, actor, now, organization_of(db, scope).timezone)
    try:
        RECORD[step](db, asked)
    except WrongFormError as error:
        errors = error.errors
    except InvalidRequest as error:
        errors = {name.split(".")[-1]: text for name, text in form_errors(error).items()}
    except Conflict as error:
        errors = {"": error.message[:1].upper() + error.message[1:] + "."}
    else:
        address = f"/patients/{patient_id}/enrollment"
        return see_other(request, address, f"Recorded: {STEPS[step].lower()}.")
    return _page(request, db, now, actor, patient_id, step, values, errors)


def _page(
    request: Request,
    db: Session,
    now: datetime,
    actor: Actor,
    patient_id: UUID,
    step: str,
    values: Mapping[str, str],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    patient, today = scope.get(db, Patient, patient_id), practice_today(db, scope, now)
    found = enrollment_of(db, scope, patient_id, today, now)
    shown = step if step in STEPS and found.may_take(step) else found.next_step
    local = now.astimezone(zone(organization_of(db, scope).timezone))
    given = {
        **dict.fromkeys(("from_day", "opened_day", "order_day", "consent_day"), today.isoformat()),
        "setup_day": today.isoformat(),
        "from_time": f"{local:%H:%M}",
        "taken_by": actor.name_for_audit,
        "trained_by": actor.name_for_audit,
        **values,
    }
    return render(
        request,
        "enrollment.html.j2",
        422 if errors else 200,
        patient=patient,
        found=found,
        steps=STEPS,
        shown=shown,
        values=defaultdict(str, given),
        errors=errors,
        today=today,
        **_choices(db, scope, now, found, shown),
    )


def _choices(
    db: Session, scope: Scope, now: datetime, found: Enrollment, shown: str | None
) -> dict[str, Any]:
    """What the fields of the shown step may hold."""
    payers = {row.id: row.name for row in scope.all_of(db, Payer)}
    choices: dict[str, Any] = {"payers": payers, "device_words": DEVICE_WORDS}
    if shown == "order":
        choices["practitioners"] = [
            (row.npi, f"{row.name}, {row.credential}") for row in scope.all_of(db, Practitioner)
        ]
        choices["programs"] = [(one, one.replace("-", " ").title()) for one in PROGRAMS]
        choices["programs"][0] = ("RPM", "Remote physiologic monitoring")
        choices["settings"] = [(one, one.lower() if one == "OFFICE" else one) for one in SETTINGS]
        choices["kinds"] = _kinds()
    elif shown == "consent":
        choices["modes"] = [(one, one) for one in CONSENT_MODES]
    elif shown == "device":
        stock = inventory_page(db, scope, now, InventoryFilter(status="in_stock"), limit=_IN_STOCK)
        wanted = found.state.episode.order_device_kind if found.state else None
        rows = sorted((one.device for one in stock), key=lambda row: (row.kind != wanted, row.kind))
        choices["stock"] = [("", "A device that is not listed here"), *map(_device_choice, rows)]
        choices["vendors"] = [(name, name) for name in sorted(VENDORS)]
        choices["kinds"] = _kinds()
    return choices


def _kinds() -> list[tuple[str, str]]:
    return [(kind, DEVICE_WORDS.get(kind, kind)) for kind in KINDS]


def _device_choice(device: Device) -> tuple[str, str]:
    name = " ".join(part for part in (device.make, device.model) if part) or device.vendor
    return str(
        device.id
    ), f"{DEVICE_WORDS.get(device.kind, device.kind)}: {name}, {device.vendor_device_id}"
