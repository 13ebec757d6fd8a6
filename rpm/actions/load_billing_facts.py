"""Record billing facts from one TOML file: identity, payers, practitioners, addresses, coverages.

Owns the file's tables and how natural keys name rows. Does not own the facts
(``rpm.actions.record_billing``). All of a file is recorded, or nothing; what says the same as what
counts already is not recorded again.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError
from sqlmodel import Session

from billing.finding import Finding
from rpm.access import Actor
from rpm.actions.command import Command
from rpm.actions.record_billing import (
    RecordCoverageDetail,
    RecordPatientAddress,
    RecordPractitionerName,
    SetPayerBilling,
    SetPracticeBilling,
    record_coverage_detail,
    record_patient_address,
    record_practitioner_name,
    set_payer_billing,
    set_practice_billing,
)
from rpm.errors import InvalidRequest
from rpm.store.queries.billing import (
    addresses_of,
    coverage_details,
    payer_billings,
    practice_billing,
    practitioner_names,
)
from rpm.store.queries.people import (
    coverages_of,
    patient_with_record_number,
    payer_with_key,
    practitioner_with_npi,
)
from rpm.store.scope import Scope
from rpm.store.tables.base import Fact

C = TypeVar("C", bound=Command)
Table = Mapping[str, Any]
_MOST_FINDINGS = 50


@dataclass(frozen=True)
class _Kind:
    """A table of the file: the column that names a row, and how it is found and recorded."""

    named_by: str
    found: Callable[[Session, Scope, str], UUID | None]
    field: str
    command: type[Command]
    record: Callable[[Session, Actor, datetime, Any], Fact]
    counting: Callable[[Session, Scope, UUID], Fact | None]


def _payer(db: Session, scope: Scope, key: str) -> UUID | None:
    row = payer_with_key(db, scope, key)
    return row.id if row else None


def _practitioner(db: Session, scope: Scope, npi: str) -> UUID | None:
    row = practitioner_with_npi(db, scope, npi)
    return row.id if row else None


def _patient(db: Session, scope: Scope, record_number: str) -> UUID | None:
    row = patient_with_record_number(db, scope, record_number)
    return row.id if row else None


def _coverage(db: Session, scope: Scope, record_number: str) -> UUID | None:
    """The patient's coverage that began last."""
    patient_id = _patient(db, scope, record_number)
    states = coverages_of(db, scope, patient_id) if patient_id else []
    return states[-1].coverage.id if states else None


_KINDS = {
    "payers": _Kind(
        *("key", _payer, "payer_id", SetPayerBilling, set_payer_billing),
        lambda db, scope, key: payer_billings(db, scope, {key}).get(key),
    ),
    "practitioners": _Kind(
        *("npi", _practitioner, "practitioner_id"),
        *(RecordPractitionerName, record_practitioner_name),
        lambda db, scope, key: practitioner_names(db, scope, {key}).get(key),
    ),
    "patients": _Kind(
        *("record_number", _patient, "patient_id", RecordPatientAddress, record_patient_address),
        lambda db, scope, key: addresses_of(db, scope, [key]).get(key),
    ),
    "coverages": _Kind(
        *("record_number", _coverage, "coverage_id", RecordCoverageDetail, record_coverage_detail),
        lambda db, scope, key: coverage_details(db, scope, [key]).get(key),
    ),
}


def load_billing_facts(
    db: Session, actor: Actor, now: datetime, text: str, reason: str
) -> dict[str, int]:
    """How many rows of each table are new. ``InvalidRequest`` with every row that is wrong."""
    content = _read(text)
    commands, findings = _commands(db, Scope.of(actor), content, reason)
    if findings:
        raise InvalidRequest("the file is refused", findings[:_MOST_FINDINGS])
    done = dict.fromkeys(content, 0)
    for table, command in commands:
        done[table] += _record(db, actor, now, table, command)
    return done


def _read(text: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise InvalidRequest("the file is no TOML") from None
    unknown = sorted(content.keys() - {"practice", *_KINDS})
    if unknown:
        raise InvalidRequest("the file has a table that is not known")
    return content


def _commands(
    db: Session, scope: Scope, content: Mapping[str, Any], reason: str
) -> tuple[list[tuple[str, Command]], list[Finding]]:
    commands: list[tuple[str, Command]] = []
    findings: list[Finding] = []
    for table, told in content.items():
        rows = [told] if table == "practice" else told
        for number, row in enumerate(rows, start=1):
            place = table if table == "practice" else f"{table} {number}"
            try:
                commands.append((table, _command(db, scope, table, row, reason)))
            except ValidationError as error:
                findings += [
                    Finding("E_VALUE", f"{place}, {_where(one['loc'])}", one["msg"])
                    for one in error.errors(include_input=False, include_url=False)
                ]
            except LookupError:
                message = "No row of the record is named so."
                findings.append(Finding("E_UNKNOWN_NAME", place, message))
    return commands, findings


def _where(parts: tuple[int | str, ...]) -> str:
    return ".".join(map(str, parts)) or "row"


def _command(db: Session, scope: Scope, table: str, row: Any, reason: str) -> Command:
    if not isinstance(row, dict):
        raise LookupError
    if table == "practice":
        return SetPracticeBilling.model_validate(row | {"reason": reason})
    kind = _KINDS[table]
    named = row.get(kind.named_by)
    found = kind.found(db, scope, named) if isinstance(named, str) else None
    if found is None:
        raise LookupError
    values = {name: value for name, value in row.items() if name != kind.named_by}
    return kind.command.model_validate(values | {kind.field: found})


def _record(db: Session, actor: Actor, now: datetime, table: str, command: Command) -> int:
    scope = Scope.of(actor)
    wanted = command.model_dump(mode="python", exclude_none=True, exclude={"reason", "subscriber"})
    if isinstance(command, SetPracticeBilling):
        if _same(practice_billing(db, scope), wanted):
            return 0
        set_practice_billing(db, actor, now, command)
        return 1
    kind = _KINDS[table]
    row = kind.counting(db, scope, getattr(command, kind.field))
    told = command.model_dump(mode="json", exclude_none=True).get("subscriber")
    if _same(row, wanted) and getattr(row, "subscriber", None) == told:
        return 0
    kind.record(db, actor, now, command)
    return 1


def _same(row: Fact | None, wanted: Mapping[str, Any]) -> bool:
    return row is not None and all(getattr(row, name) == one for name, one in wanted.items())
