"""Rows of a close in runs, and the rows of the first release, on both engines."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.audit import canonical_json, content_digest
from rpm.store.chain import recording
from rpm.store.close_rows import rows_in_text, runs_of
from rpm.store.engine import reading, transaction
from rpm.store.queries.ledger import rows_of_close
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, CloseRow
from rpm.store.verify import verify_chain

NOW = datetime(2026, 2, 2, 15, tzinfo=UTC)
PATIENT = UUID(int=7)
FINDINGS: dict[str, list[Any]] = {
    "code": ["E_NO_PAYER"] * 1_001,
    "amount": list(range(1_001)),
    "patient_id": [PATIENT] * 1_001,
    "period_start_day": [date(2026, 1, 1)] * 1_001,
}
OLD_ROW = {"row": "event", "code": "99454", "units": 1, "service_day": "2026-01-30"}


def first_row(amount: int) -> dict[str, Any]:
    """A row of ``FINDINGS`` in the form of the first release."""
    return {
        "row": "finding",
        "code": "E_NO_PAYER",
        "amount": amount,
        "patient_id": str(PATIENT),
        "period_start_day": "2026-01-01",
    }


def test_runs_give_back_their_rows_in_order() -> None:
    """Rows leave runs as the first release kept them, however many runs they are in."""
    runs = list(runs_of("finding", FINDINGS))
    rows = [row for run in runs for row in rows_in_text(run)]
    assert len(runs) == 3
    assert rows == [first_row(amount) for amount in range(1_001)]
    assert list(runs_of("finding", {name: [] for name in FINDINGS})) == []


def test_a_run_is_digested_as_the_text_it_is() -> None:
    """Encoding a run a second time changes nothing: its text is canonical already."""
    (run,) = runs_of("event", {"code": ["99454"], "units": [1]})
    assert canonical_json(run) == run
    assert content_digest(run) == content_digest(
        {"rows": [["99454", 1]], "columns": ["code", "units"], "row": "event"}
    )


def test_both_forms_are_read_and_verified(engine: Engine, actor: Actor) -> None:
    """Rows of the first release and runs stand side by side, told apart by kind, and verify."""
    scope = Scope.of(actor)
    contents = [OLD_ROW, *runs_of("finding", FINDINGS)]
    with transaction(engine) as db, recording(db, actor, NOW, "close.month") as record:
        close = record.add(
            Close(
                month_start_day=date(2026, 1, 1),
                ordinal=1,
                as_of=date(2026, 2, 1),
                known_day=date(2026, 2, 2),
                known_audit_number=1,
                product_version="1",
                rule_digests={},
                totals={},
                outcome_digest="",
                chain_anchor={},
            )
        )
        rows = [
            {"close_id": close.id, "ordinal": place, "content": content}
            for place, content in enumerate(contents)
        ]
        record.add_values(CloseRow, rows)
    findings = [first_row(amount) for amount in range(1_001)]
    with reading(engine) as db:
        assert rows_of_close(db, scope, close.id) == [OLD_ROW, *findings]
        assert rows_of_close(db, scope, close.id, "event") == [OLD_ROW]
        assert rows_of_close(db, scope, close.id, "finding") == findings
        assert verify_chain(db, actor.organization_id) == []
