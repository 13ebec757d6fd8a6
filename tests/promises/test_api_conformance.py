"""S6: the API keeps its contract: every operation answers as ``docs/openapi.json`` says.

The practice has rows, so that answers have content; addresses name them and ids that are nobody's.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, get_args

import pytest
import schemathesis
from conftest import FixedClock
from evidence_practice import FEBRUARY_CLOSE, close, record_practitioner, supply_long
from foreign import id_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from ledger_practice import Practice
from promised import Promised
from pydantic_core.core_schema import ErrorType
from schemathesis import APIOperation, BaseSchema, Case, CheckContext, GenerationMode, Response
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup
from schemathesis.python.asgi import shutdown_lifespans
from sqlalchemy.engine import Engine
from test_roles import caller_of

from rpm import logs
from rpm.access import Actor
from rpm.settings import Settings
from rpm.web.app import create_app

TYPES = set(get_args(ErrorType)) - {"value_error", "assertion_error"}
"""What a model finds wrong in a field by its type alone: the description should have told it."""
ANSWERED = {
    "bad_request",  # of texts and numbers that no body may hold (docs/api.md)
    "conflict",
    "idempotency_key_reused",
    "invalid_cursor",
    "invalid_request",
    "not_found",
}
"""Problems of requests that are right by the description, which tells shapes, not the record."""
DOOR = "not_authentic"
"""What a vendor's door says: its proof is the vendor's own, and not of the API."""


@dataclass(frozen=True)
class Described:
    """The API of a practice with rows, and who may call everything."""

    schema: BaseSchema
    headers: dict[str, str]
    ids: dict[str, str]  # by the name of a part of an address

    def operations(self) -> list[APIOperation]:
        """All operations."""
        return [found.ok() for found in self.schema.get_all_operations()]


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """Patients, entries and a closed January."""
    clock.instant = FEBRUARY_CLOSE
    practice = Practice(engine, actor, clock.now())
    record_practitioner(practice)
    supply_long(practice)
    patient = practice.patient()
    practice.entry(patient, practice.episode(patient), date(2026, 1, 12), 1_200)
    close(practice, "2026-01", clock.now())
    return practice


@pytest.fixture
def described(
    settings: Settings, clock: FixedClock, practice: Practice, engine: Engine
) -> Iterator[Described]:
    """The application, called in this process by its own description."""
    logs.configure("error")
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(settings, clock))
    rejection = schema.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413"]  # too long
    headers = caller_of(engine, practice.actor, clock).headers(page=False)
    described = Described(schema, headers, {})
    for operation in described.operations():
        for part in operation.path_parameters:
            with suppress(AssertionError):  # nothing of this kind has been recorded
                described.ids[part.name] = id_of(engine, practice.actor.organization_id, part.name)
    yield described
    shutdown_lifespans()


def accepted_or_told(_ctx: CheckContext, response: Response, case: Case) -> None:
    """A request that is right by the description is carried out, or refused for what it says."""
    if case.meta is None or case.meta.generation.mode.is_negative or response.status_code < 400:
        return
    told = response.json()
    door = set() if case.path.startswith("/v1/") else {DOOR}
    assert told["code"] in ANSWERED | door, told["code"]
    wrong = [one for one in told["errors"] if one["code"] in TYPES]
    assert not wrong, f"the description lets through what a field does not take: {wrong}"


def with_whole_numbers(value: Any) -> Any:
    """A body whose whole numbers are written without a point, as docs/api.md asks."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [with_whole_numbers(one) for one in value]
    if isinstance(value, dict):
        return {name: with_whole_numbers(one) for name, one in value.items()}
    return value


def corners(operation: APIOperation) -> Iterator[Case]:
    """Each limit of the description, each missing field, other methods and media types."""
    return operation.schema.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=operation.schema.config.generation_for(operation=operation),
    )


def quietly(most: int) -> settings:
    """So many random requests, the same ones in every run."""
    return settings(
        max_examples=most,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def tried(operation: APIOperation, share: int, described: Described) -> int:
    """How many requests were made; ``FailureGroup`` tells what broke the contract.

    A share each: corners of the description, random requests that are right by it, and wrong ones.
    """
    count = 0

    def ask(case: Case) -> None:
        nonlocal count
        count += 1
        if case.meta is not None and case.meta.generation.mode.is_positive:
            case.body = with_whole_numbers(case.body)
            known = {name: described.ids[name] for name in case.path_parameters if name in ids}
            case.path_parameters.update(known if count % 2 else {})
        case.call_and_validate(
            headers=described.headers,
            additional_checks=[accepted_or_told],
            excluded_checks=[CHECKS.get_one("positive_data_acceptance")],  # ours says more
        )

    ids = described.ids
    for case in islice(corners(operation), share):
        ask(case)
    for mode in GenerationMode:
        with suppress(Unsatisfiable):  # nothing can be wrong in a request that says nothing
            quietly(share)(given(case=operation.as_strategy(generation_mode=mode))(ask))()
    return count


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.promise("S6")
def test_every_operation_answers_as_described(described: Described, promised: Promised) -> None:
    """Whatever is sent: statuses, media types, headers and bodies of answers are the described."""
    share = promised.count(33, 1)
    operations = described.operations()
    broken, requests = [], 0
    for operation in operations:
        try:
            requests += tried(operation, share, described)
        except FailureGroup as failures:
            broken += [f"{operation.label}: {one}\n{failures}" for one in failures.exceptions]
    assert not broken, "\n\n".join(broken)
    promised.reached(f"{len(operations)} operations, {requests:,} requests, all checks: 0 failures")
