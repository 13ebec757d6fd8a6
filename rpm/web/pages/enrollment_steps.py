"""The steps of an enrollment: what a form says as the command of an act, and the act itself.

Owns the fields of the forms. Does not own the acts (``rpm.actions``): each is the one that the API
calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.associate_device import AssociateDevice, associate_device
from rpm.actions.command import Command
from rpm.actions.enroll import Enroll, Order, enroll
from rpm.actions.record_consent import RecordConsent, record_consent
from rpm.actions.record_coverage import RecordCoverage, record_coverage
from rpm.actions.record_gate import RecordGate, record_gate
from rpm.actions.record_setup import RecordSetup, record_setup
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.clock import zone
from rpm.web.pages.enrollment_state import Enrollment
from rpm.web.pages.shell import read_form

C = TypeVar("C", bound=Command)
Values = Mapping[str, str]
_ORDER = ("order_day", "ordering_npi", "device_kind", "reason")


class WrongFormError(Exception):
    """Fields of a form that cannot be read, with what is wrong of each."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("fields of the form are wrong")
        self.errors = errors


@dataclass(frozen=True)
class Asked:
    """A step to record: of which enrollment, with which fields, by whom and when."""

    enrollment: Enrollment
    values: Values
    actor: Actor
    now: datetime
    timezone: str  # the practice's

    @property
    def episode_id(self) -> UUID:
        """The episode that the step belongs to; ``WrongFormError`` before there is one."""
        if self.enrollment.state is None:
            raise WrongFormError({"": "Record the order first: it opens the episode."})
        return self.enrollment.state.episode.id

    def read(self, kind: type[C], *names: str, **more: Any) -> C:
        """The command of some fields; ``WrongFormError`` naming the wrong ones."""
        fields = {name: self.values.get(name, "").strip() for name in names}
        command, errors = read_form(kind, {**fields, **more})
        if command is None:
            raise WrongFormError(errors)
        return command

    def ticked(self, name: str) -> bool:
        """Whether a box of the form is ticked."""
        return self.values.get(name) == "yes"


def _coverage(db: Session, asked: Asked) -> None:
    command = asked.read(
        RecordCoverage,
        "payer_id",
        "member_id",
        "from_day",
        "to_day",
        patient_id=str(asked.enrollment.patient_id),
    )
    record_coverage(db, asked.actor, asked.now, command)


def _order(db: Session, asked: Asked) -> None:
    if asked.enrollment.state is not None:
        _late_order(db, asked)
        return
    order = None
    if not asked.ticked("no_order"):
        order = asked.read(Order, *_ORDER, diagnosis_codes=_codes(asked.values))
    earlier = asked.enrollment.earlier
    follows = asked.values.get("follows", "") if earlier else ""
    command = asked.read(
        Enroll,
        "program",
        "setting",
        "opened_day",
        patient_id=str(asked.enrollment.patient_id),
        previous_id=str(earlier.episode.id) if earlier and follows else None,
        reorder=follows == "reorder",
        order=order,
    )
    enroll(db, asked.actor, asked.now, command)


def _late_order(db: Session, asked: Asked) -> None:
    """An order that comes after the episode was opened: a gate, with who gave it."""
    command = asked.read(
        RecordGate, "from_day", "reference", episode_id=str(asked.episode_id), gate="order"
    )
    record_gate(db, asked.actor, asked.now, command)


def _codes(values: Values) -> list[str]:
    text = values.get("diagnosis_codes", "").upper()
    return [code for code in text.replace(",", " ").replace(";", " ").split() if code]


def _established(db: Session, asked: Asked) -> None:
    command = asked.read(
        RecordGate, "from_day", "reference", episode_id=str(asked.episode_id), gate="established"
    )
    record_gate(db, asked.actor, asked.now, command)


def _consent(db: Session, asked: Asked) -> None:
    command = asked.read(
        RecordConsent,
        "consent_day",
        "mode",
        "taken_by",
        "note",
        episode_id=str(asked.episode_id),
        cost_share_told=asked.ticked("cost_share_told"),
    )
    record_consent(db, asked.actor, asked.now, command)


def _device(db: Session, asked: Asked) -> None:
    episode_id, handed_at = str(asked.episode_id), _handed_at(asked)
    device_id = asked.values.get("device_id", "")
    if not device_id:
        new = asked.read(
            RegisterDevice,
            "vendor",
            "vendor_device_id",
            "kind",
            "make",
            "model",
            "serial",
            fda_listed=asked.ticked("fda_listed"),
            automatic=asked.ticked("automatic"),
        )
        device_id = str(register_device(db, asked.actor, asked.now, new).id)
    command = asked.read(
        AssociateDevice, device_id=device_id, episode_id=episode_id, from_at=handed_at.isoformat()
    )
    associate_device(db, asked.actor, asked.now, command)


def _handed_at(asked: Asked) -> datetime:
    """Day and time of the form by the practice's clock."""
    errors = {}
    try:
        day = datetime.fromisoformat(asked.values.get("from_day", "")).date()
    except ValueError:
        errors["from_day"] = "A day of the calendar"
    try:
        at = time.fromisoformat(asked.values.get("from_time", ""))
    except ValueError:
        errors["from_time"] = "A time of the day, such as 09:30"
    if errors:
        raise WrongFormError(errors)
    return datetime.combine(day, at, zone(asked.timezone)).replace(microsecond=0)


def _setup(db: Session, asked: Asked) -> None:
    devices = asked.enrollment.devices
    command = asked.read(
        RecordSetup,
        "setup_day",
        "trained_by",
        "note",
        episode_id=str(asked.episode_id),
        device_id=str(devices[-1][0].id) if devices else None,
    )
    record_setup(db, asked.actor, asked.now, command)


RECORD: Mapping[str, Callable[[Session, Asked], None]] = {
    "coverage": _coverage,
    "order": _order,
    "established": _established,
    "consent": _consent,
    "device": _device,
    "setup": _setup,
}
"""The act of each step; ``WrongFormError`` for fields that cannot be read."""
