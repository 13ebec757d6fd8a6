"""Closing a month: once, exactly, and later differences as postings of their own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from rpm.access import Actor
from rpm.actions.close_month import ClosedMonth, CloseMonth, close_month, post_close
from rpm.actions.compute_close import compute_close
from rpm.clock import Clock
from rpm.errors import Conflict, NotAllowed
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import evaluated
from rpm.store.queries.ledger import rows_of_close
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)
JANUARY_MONTH = date(2026, 1, 1)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def close(practice: Practice, month: str, now: datetime = FEBRUARY) -> ClosedMonth:
    """Close a month as the practice's administrator."""
    with transaction(practice.engine) as db:
        return close_month(db, practice.actor, now, CloseMonth(month=month))


def postings(practice: Practice, close_id: object = None) -> list[tuple[str, int, int]]:
    """Code, sign and units of postings, in order of recording."""
    with reading(practice.engine) as db:
        query = (
            Scope.of(practice.actor)
            .rows(Posting)
            .order_by(col(Posting.audit_number), col(Posting.sign), col(Posting.code))
        )
        if close_id is not None:
            query = query.where(col(Posting.close_id) == close_id)
        return [(row.code, row.sign, row.units) for row in db.exec(query)]


def billable(practice: Practice) -> tuple[object, object]:
    """A patient with 16 days and 25 minutes, 20 of them live, in January 2026."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1500)
    return patient_id, episode_id


def test_a_month_posts_what_its_facts_earn(practice: Practice) -> None:
    """Sixteen days and 25 minutes give set-up, supply and management, with amounts and digests."""
    billable(practice)
    closed = close(practice, "2026-01")
    assert not closed.repeated
    assert postings(practice) == [("99453", 1, 1), ("99454", 1, 1), ("99457", 1, 1)]
    assert closed.close.totals["issued"] == 3
    assert closed.close.totals["amount_cents"] == 2171 + 5211 + 5177
    assert closed.close.totals["amounts_unknown"] == 0
    assert closed.close.as_of == date(2026, 2, 1)
    assert "medicare-b-2026" in closed.close.rule_digests
    with reading(practice.engine) as db:
        rows = rows_of_close(db, Scope.of(practice.actor), closed.close.id)
        kinds = {row["row"] for row in rows}
    assert {"period", "event"} <= kinds


def test_the_rows_a_close_keeps_are_the_lines_that_people_are_shown(practice: Practice) -> None:
    """Periods, events and findings of the month stand in a close as the interface gives them."""
    billable(practice)
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 1))
    closed = close(practice, "2026-01").close
    with reading(practice.engine) as db:
        kept = rows_of_close(db, Scope.of(practice.actor), closed.id)
        found = evaluated(
            db, practice.actor.organization_id, as_of=closed.as_of, known=closed.known_day
        )
    for word, lines in (
        ("period", found.periods()),
        ("event", found.events()),
        ("finding", found.findings()),
    ):
        shown = [{"row": word, **line.model_dump(mode="json")} for line in lines]
        stored = [row for row in kept if row["row"] == word]
        assert stored
        assert all(row in shown for row in stored)


def test_a_rerun_with_nothing_new_posts_nothing(practice: Practice) -> None:
    """Closing the same month again gives back the close that is there."""
    billable(practice)
    first = close(practice, "2026-01")
    again = close(practice, "2026-01")
    assert again.repeated
    assert again.close.id == first.close.id
    assert len(postings(practice)) == 3


def test_late_facts_are_posted_as_the_exact_difference(practice: Practice) -> None:
    """After the close an excluded day and a reversed entry reverse their lines and nothing else."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    entry = practice.entry(patient_id, episode_id, date(2026, 1, 8), 1500)
    first = close(practice, "2026-01")
    practice.exclude(rows[3])
    practice.reverse(entry)
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 700, start_second=40_000)
    second = close(practice, "2026-01")
    assert not second.repeated
    assert postings(practice, second.close.id) == [
        ("99454", -1, 1),
        ("99457", -1, 1),
        ("99445", 1, 1),
        ("99470", 1, 1),
    ]
    assert len(postings(practice, first.close.id)) == 3
    with reading(practice.engine) as db:
        reasons = {
            (row.code, row.sign): row.reason
            for row in db.exec(select(Posting).where(col(Posting.close_id) == second.close.id))
        }
    assert str(reasons["99454", -1]).startswith("withdrawn")
    assert "closed before" in str(reasons["99445", 1])
    assert close(practice, "2026-01").repeated


def test_a_late_reading_of_a_closed_month_comes_with_the_next_month(practice: Practice) -> None:
    """A reading that arrives after January's close turns its supply line at February's close."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 15))
    close(practice, "2026-01")
    assert ("99445", 1, 1) in postings(practice)
    practice.readings(patient_id, episode_id, [date(2026, 1, 20)], received_day=date(2026, 2, 3))
    march = close(practice, "2026-02", datetime(2026, 3, 2, 15, tzinfo=UTC))
    assert postings(practice, march.close.id) == [("99445", -1, 1), ("99454", 1, 1)]


def test_evidence_that_changes_no_line_posts_nothing(practice: Practice) -> None:
    """A seventeenth day changes neither code, units nor service day: nothing is posted."""
    patient_id, episode_id = billable(practice)
    first = close(practice, "2026-01")
    practice.readings(patient_id, episode_id, [date(2026, 1, 25)])  # type: ignore[arg-type]  # ids of the practice
    again = close(practice, "2026-01")
    assert again.close.id == first.close.id or postings(practice, again.close.id) == []


def test_a_month_that_is_not_over_is_refused(practice: Practice) -> None:
    """In the practice's zone it is still January: the close is a conflict and leaves nothing."""
    late_evening = datetime(2026, 2, 1, 4, 59, tzinfo=UTC)
    with pytest.raises(Conflict, match="not over"):
        close(practice, "2026-01", late_evening)
    with reading(practice.engine) as db:
        assert db.exec(select(Close)).all() == []
    assert not close(practice, "2026-01", datetime(2026, 2, 1, 5, 0, tzinfo=UTC)).repeated


def test_an_earlier_month_than_the_last_one_closed_is_refused(practice: Practice) -> None:
    """December cannot be closed after January: the next close posts its late facts."""
    close(practice, "2026-01")
    with pytest.raises(Conflict, match="later month"):
        close(practice, "2025-12")


def test_closing_needs_its_permission(practice: Practice) -> None:
    """An actor without ``close:run`` is refused."""
    nobody = Actor(practice.actor.organization_id, None, None, "auditor", frozenset(), "Al")
    with transaction(practice.engine) as db, pytest.raises(NotAllowed):
        close_month(db, nobody, FEBRUARY, CloseMonth(month="2026-01"))


def test_three_closers_at_once_post_once(practice: Practice) -> None:
    """Three closers that all computed before any posted make one close and one set of postings."""
    billable(practice)

    def one(_: int) -> ClosedMonth:
        with reading(practice.engine) as db:
            computed = compute_close(db, Scope.of(practice.actor), FEBRUARY, JANUARY_MONTH)
        with transaction(practice.engine) as db:
            return post_close(db, practice.actor, FEBRUARY, computed)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(one, range(3)))
    assert sorted(result.repeated for result in results) == [False, True, True]
    assert len({result.close.id for result in results}) == 1
    assert len(postings(practice)) == 3


def test_partitions_change_neither_postings_nor_digest(practice: Practice) -> None:
    """A close computed one patient at a time is the close computed all at once."""
    for _ in range(3):
        billable(practice)
    seen = []
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        whole = compute_close(db, scope, FEBRUARY, JANUARY_MONTH)
        parts = compute_close(
            db,
            scope,
            FEBRUARY,
            JANUARY_MONTH,
            partition_patients=1,
            progress=lambda done, of: seen.append((done, of)),
        )
    assert parts.outcome_digest == whole.outcome_digest
    assert parts.postings == whole.postings
    assert seen == [(1, 3), (2, 3), (3, 3)]
