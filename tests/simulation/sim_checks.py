"""What must hold after a close and at the end of a run.

Owns the comparisons of the product with the model. Raises AssertionError with what differs.
"""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from restatement import Restated
from sim_run import Run
from sqlalchemy import select
from sqlmodel import Session, col

from billing.days import day_date
from billing.ledger.cases import lines_text, time_text, windows_text
from billing.ledger.postings import live
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.compute_close import latest_close, next_month
from rpm.actions.export_close import ExportClose, close_files, export_close
from rpm.actions.verify import verify_record
from rpm.store.engine import reading, transaction
from rpm.store.fact_rows import FactReader
from rpm.store.journal import journal_of
from rpm.store.outcomes import evaluated
from rpm.store.overlaps import overlapping_parts
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, InteractionEntry
from rpm.store.tables.monitoring import Delivery, Reading, ReadingConflict


def check_close(run: Run, expected: dict[UUID, Restated]) -> None:
    """After a close what stands in the journal is what the restatement says."""
    run.posted = expected
    wanted = {patient_id: told.lines for patient_id, told in expected.items()}
    found = _live_lines(run)
    assert found == wanted, f"after a close: {_unlike(found, wanted)}"


def _live_lines(run: Run) -> dict[UUID, str]:
    with reading(run.host.engine) as db:
        journal = journal_of(db, run.actor.organization_id)
    patient_of = {(one.key, one.ordinal): one for one in journal if one.sign > 0}
    lines: dict[UUID, list[tuple[str, str]]] = {one.patient_id: [] for one in run.office.charts}
    for line in live([one.line for one in journal]).values():
        posted = patient_of[str(line.billed.key), line.ordinal]
        day = day_date(line.billed.service_day).isoformat()
        lines[posted.patient_id].append((day, f"{posted.code}*{line.billed.units}"))
    return {
        patient_id: ";".join(f"{line}@{day}" for day, line in sorted(found)) or "NONE"
        for patient_id, found in lines.items()
    }


def _unlike(found: dict[UUID, str], wanted: dict[UUID, str]) -> str:
    differ = [(found[one], wanted[one]) for one in wanted if found[one] != wanted[one]]
    return " | ".join(f"posted {one}, restated {other}" for one, other in differ)


def check_export(run: Run) -> str:
    """An export of the latest close; of a close that was exported before, the same bytes."""
    with transaction(run.host.engine) as db:
        close = latest_close(db, Scope.of(run.actor))
        if close is None:
            return "nothing closed yet"
        made = export_close(db, run.actor, run.now, ExportClose(close_id=close.id))
    before = run.exports.setdefault(str(close.id), dict(made.files))
    assert made.files == before, "an export differs from an earlier one of the same close"
    return f"{made.lines} lines, {made.amount_cents} cents"


def check_end(run: Run) -> None:
    """Everything that must hold when the run is over; closes the last month first."""
    run.host.clock_off = type(run.host.clock_off)(0)
    month = run.today.replace(day=1)
    run.pass_time(days=(next_month(month) - run.today).days + 1)
    with transaction(run.host.engine) as db:
        close_month(db, run.actor, run.now, CloseMonth(month=f"{month:%Y-%m}"))
    check_close(run, run.model.expected(next_month(month)))
    _check_outcome(run, next_month(month))
    _check_stored(run)
    with reading(run.host.engine) as db:
        found = verify_record(db, run.actor)
        assert found == [], f"verify: {found}"
        scope = Scope.of(run.actor)
        for close in db.exec(scope.rows(Close)):
            if str(close.id) in run.exports:
                files, _ = close_files(db, scope, close)
                assert files == run.exports[str(close.id)], "an export cannot be made again"


def _check_outcome(run: Run, as_of: date) -> None:
    """Windows, seconds and lines of every patient are as restated."""
    organization_id = run.actor.organization_id
    with reading(run.host.engine) as db:
        shared = overlapping_parts(FactReader(db, organization_id))
        found = evaluated(db, organization_id, as_of=as_of, known=run.today, shared=shared)
    for place, patient_id in enumerate(found.loaded.patient_ids):
        outcome = replace(
            found.outcome,
            periods=found.outcome.periods[found.outcome.periods["patient"] == place],
            events=found.outcome.events[found.outcome.events["patient"] == place],
        )
        told = (windows_text(outcome), time_text(outcome), lines_text(outcome))
        expected = run.model.expected(as_of)[patient_id]
        wanted = (expected.windows, expected.time, expected.lines)
        assert told == wanted, f"evaluate says {told}, restated {wanted}"


def _check_stored(run: Run) -> None:
    """What was acknowledged is stored once, and nothing else is."""
    conflict_of = col(ReadingConflict.reading_id) == col(Reading.id)
    entry = [InteractionEntry.id, InteractionEntry.reverses_id, InteractionEntry.duration_seconds]
    with reading(run.host.engine) as db:
        stored = {
            "deliveries": _counted(db, select(Delivery.message_id, Delivery.body)),
            "readings": _keyed(db, select(*_KEY)),
            "conflicts": _keyed(db, select(*_KEY).join(ReadingConflict, conflict_of)),
            "entries": _counted(db, select(*entry)),
        }
    known, entries = run.model.readings.items(), run.model.entries
    acknowledged = {
        "deliveries": Counter(list(run.model.deliveries)),
        "readings": Counter({(one,): len(kept.said) for one, kept in known}),
        "conflicts": +Counter({(one,): len(kept.conflicts) for one, kept in known}),
        "entries": Counter((one.entry_id, None, one.seconds) for one in entries),
    }
    # a reversal has an id of its own, which nobody had to know
    reversals = [row for row in stored["entries"].elements() if row[1] is not None]
    stored["entries"] -= Counter(reversals)
    stored["reversals"] = Counter((row[1], -row[2]) for row in reversals)
    acknowledged["reversals"] = Counter(
        (one.entry_id, one.seconds) for one in entries if one.reversed
    )
    for name, wanted in acknowledged.items():
        assert stored[name] == wanted, f"{name} are not stored as acknowledged, each once"


_KEY = (Reading.vendor_reading_id, Reading.vendor_device_id, Reading.vendor_time)


def _keyed(db: Session, statement: Any) -> Counter[tuple[Any, ...]]:
    """Readings by what makes each one: its sender's id, or device and time."""
    rows = db.connection().execute(statement)
    return Counter((name or f"{device}/{time}",) for name, device, time in rows)


def _counted(db: Session, statement: Any) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row) for row in db.connection().execute(statement))
