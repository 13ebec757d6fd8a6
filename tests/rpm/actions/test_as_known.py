"""As it was known then: earlier closes and exports rebuilt, and what became known since."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from ledger_practice import Practice, days
from sqlalchemy import text
from sqlalchemy.engine import Engine

from billing.rules.references import shipped_text
from rpm.access import Actor
from rpm.actions.activate_rule_page import ActivateRulePage, activate_rule_page
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.differences import between, fact_differences, new_rule_pages
from rpm.actions.differing_events import EventDifference, event_differences
from rpm.actions.export_close import ExportClose, ExportedClose, export_close
from rpm.actions.rebuild_close import rebuild_close
from rpm.actions.seen_from import seen_on
from rpm.errors import InvalidRequest
from rpm.store.append_only import guard_names
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import evaluated
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close
from rpm.store.tables.monitoring import EpisodeEnd
from rpm.store.tables.people import Coverage

JANUARY = date(2026, 1, 1)
FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)
Line = tuple[str, int, date]


@dataclass
class Kept:
    """What was kept of a close when it was made."""

    exported: ExportedClose
    lines: list[Line]
    day: date


@pytest.fixture
def practice(engine: Engine, actor: Actor) -> Practice:
    """The records of the organization of ``actor``; it is 2026-02-02."""
    return Practice(engine, actor, FEBRUARY)


def closed(practice: Practice, month: str) -> Kept:
    """Close a month, export it, and keep what it gave."""
    with transaction(practice.engine) as db:
        close = close_month(db, practice.actor, practice.now, CloseMonth(month=month)).close
    with transaction(practice.engine) as db:
        command = ExportClose(close_id=close.id)
        exported = export_close(db, practice.actor, practice.now, command)
    return Kept(exported, lines(practice, close.as_of), practice.now.date())


def lines(practice: Practice, as_of: date, known_at: date | None = None) -> list[Line]:
    """The events of everybody, as known now or at the end of a day."""
    with reading(practice.engine) as db:
        seen = seen_on(db, Scope.of(practice.actor), practice.now, known_at, as_of)
        found = evaluated(
            db,
            practice.actor.organization_id,
            as_of=seen.as_of,
            known=seen.known_day,
            until_audit_number=seen.until_audit_number,
        )
    return sorted((one.code, one.units, one.service_day) for one in found.events())


def later(practice: Practice, **parts: int) -> None:
    """Time goes by."""
    practice.now += timedelta(**parts)


def patients(practice: Practice) -> list[tuple[UUID, UUID]]:
    """Six patients with 16 days and 25 live minutes in January, one for each kind of change."""
    found = []
    for _ in range(6):
        patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
        found.append((patient_id, episode_id))
    return found


def late_changes(practice: Practice) -> list[Callable[[], object]]:
    """Six kinds of late change, each able to move what January bills."""
    reading_, excluded, minutes, reversal, cover, ended = patients(practice)
    practice.readings(*reading_, days(JANUARY, 15))
    worn = practice.readings(*excluded, days(JANUARY, 16))
    practice.entry(*minutes, date(2026, 1, 8), 1_100)
    wrong = practice.entry(*reversal, date(2026, 1, 8), 1_300, start_second=50_000)
    practice.readings(*cover, days(JANUARY, 16))
    practice.readings(*ended, days(JANUARY, 20))
    return [
        lambda: practice.readings(*reading_, [date(2026, 1, 20)]),
        lambda: practice.exclude(worn[3]),
        lambda: practice.entry(*minutes, date(2026, 1, 9), 200, start_second=60_000),
        lambda: practice.reverse(wrong),
        lambda: practice.record(
            *practice.coverage_ends(cover[0], date(2026, 1, 10)),
            Coverage(
                patient_id=cover[0],
                payer_id=practice.payer("COM_AETNA"),
                member_id="77",
                from_day=date(2026, 1, 11),
            ),
        ),
        lambda: practice.record(
            EpisodeEnd(episode_id=ended[1], last_day=date(2026, 1, 12), end_reason="death")
        ),
    ]


def test_every_earlier_export_is_rebuilt_byte_for_byte(practice: Practice) -> None:
    """A close, six kinds of late change and three more closes leave each export as it was."""
    changes = late_changes(practice)
    kept = [closed(practice, "2026-01")]
    for pair in (changes[:2], changes[2:4], changes[4:]):
        later(practice, days=10)
        for change in pair:
            change()
        kept.append(closed(practice, "2026-01" if practice.now.month == 2 else "2026-02"))
    assert [one.exported.lines > 0 for one in kept] == [True] * 4
    later(practice, days=3)
    for one in kept:
        close_id = one.exported.export.close_id
        with transaction(practice.engine) as db:
            again = export_close(db, practice.actor, practice.now, ExportClose(close_id=close_id))
        assert again.files == one.exported.files
        assert again.unlike_before == ()
        assert again.first_exported_at == one.exported.export.recorded_at
        with reading(practice.engine) as db:
            close = db.get_one(Close, (practice.actor.organization_id, close_id))
            _, findings = rebuild_close(db, practice.actor, practice.now, close)
            assert findings == []
            assert lines(practice, close.as_of, known_at=one.day) == one.lines


def test_a_rule_page_that_became_known_changes_later_closes_only(practice: Practice) -> None:
    """A page of the practice moves lines of the next close; the first export stays as it was."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 12))
    first = closed(practice, "2026-01")
    later(practice, days=1)
    toml = shipped_text("pages/medicare-b-2026.toml")
    for old, new in (
        ('id = "medicare-b-2026"', 'id = "ours"'),
        ("known_from = 2025-11-03", "known_from = 2026-02-03"),
        ("at_least = 2\nat_most = 15\n", "at_least = 2\nat_most = 9\n"),
        ("at_least = 16\nat_most = 30\n", "at_least = 10\nat_most = 30\n"),
    ):
        assert old in toml
        toml = toml.replace(old, new)
    with transaction(practice.engine) as db:
        command = ActivateRulePage(toml=toml, reason="our contractor counts ten days")
        activate_rule_page(db, practice.actor, practice.now, command)
    second = closed(practice, "2026-01")
    assert [code for code, _, _ in first.lines] == ["99445", "99453"]
    assert [code for code, _, _ in second.lines] == ["99453", "99454"]
    with transaction(practice.engine) as db:
        command_again = ExportClose(close_id=first.exported.export.close_id)
        again = export_close(db, practice.actor, practice.now, command_again)
    assert again.files == first.exported.files
    found = days_between(practice, date(2026, 2, 2), date(2026, 2, 3))
    assert found["facts"] == [("rule_page", "rule page ours", False)]
    assert found["events"] == [("gone", "99445"), ("new", "99454")]
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        days_ = between(db, practice.actor, practice.now, date(2026, 2, 2), date(2026, 2, 3))
        assert new_rule_pages(db, scope, days_) == ["ours"]


def test_a_close_that_was_tampered_with_is_not_rebuilt(practice: Practice, engine: Engine) -> None:
    """A posting changed behind the guards differs from what the close saw, and is named."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 16))
    kept = closed(practice, "2026-01")
    with engine.begin() as connection:
        for name in guard_names("posting", engine.dialect.name):
            on = "" if engine.dialect.name == "sqlite" else " ON posting"
            connection.execute(text(f"DROP TRIGGER {name}{on}"))
        connection.execute(text("UPDATE posting SET units = 2 WHERE code = '99454'"))
    with reading(engine) as db:
        close_id = kept.exported.export.close_id
        close = db.get_one(Close, (practice.actor.organization_id, close_id))
        _, findings = rebuild_close(db, practice.actor, practice.now, close)
    assert [(one.code, one.message) for one in findings] == [
        ("E_POSTING_DIFFERS", "what it saw gives another units")
    ]
    with transaction(engine) as db:
        again = export_close(db, practice.actor, practice.now, ExportClose(close_id=close_id))
    assert "service-lines.csv" in again.unlike_before


def days_between(practice: Practice, first: date, last: date) -> Mapping[str, object]:
    """What became known between two days: words of the facts, and events that changed."""
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        days_ = between(db, practice.actor, practice.now, first, last)
        return {
            "facts": [
                (one.table, one.what, one.after_close) for one in fact_differences(db, scope, days_)
            ],
            "events": [
                (
                    one.change,
                    (one.before or one.after).code,  # type: ignore[union-attr]  # one is there
                )
                for one in event_differences(db, scope, days_)
            ],
        }


def test_differences_are_listed_fact_by_fact(practice: Practice) -> None:
    """A late sixteenth day and a taken back entry: both facts, and the lines they moved."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 15))
    wrong = practice.entry(patient_id, episode_id, date(2026, 1, 8), 1_300)
    closed(practice, "2026-01")
    later(practice, days=2)
    practice.readings(patient_id, episode_id, [date(2026, 1, 20)])
    practice.reverse(wrong)
    found = days_between(practice, date(2026, 2, 2), date(2026, 2, 4))
    assert found["facts"] == [
        ("reading", "reading of blood_pressure, 2026-01-20: counts", True),
        ("interaction_entry", "entry of 21:40 minutes taken back, RPM, 2026-01-08", True),
    ]
    assert sorted(found["events"]) == [  # type: ignore[type-var]  # a list of tuples
        ("gone", "99445"),
        ("gone", "99457"),
        ("new", "99454"),
    ]
    assert days_between(practice, date(2026, 2, 3), date(2026, 2, 3)) == {
        "facts": [],
        "events": [],
    }


def test_pages_of_differences_leave_nothing_out(practice: Practice) -> None:
    """Walked two at a time, the list is the whole list in its order."""
    for change in late_changes(practice):
        change()
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        days_ = between(db, practice.actor, practice.now, date(2026, 1, 1), FEBRUARY.date())
        whole = fact_differences(db, scope, days_)
        walked = []
        after = None
        while rows := fact_differences(db, scope, days_, after=after, limit=2):
            walked += rows
            after = (rows[-1].audit_number, rows[-1].table, rows[-1].id)
    assert len(whole) == 100
    assert walked == whole
    assert {one.table for one in whole} >= {
        "reading",
        "reading_exclusion",
        "coverage_end",
        "consent",
    }


def test_pages_of_events_leave_nothing_out(practice: Practice) -> None:
    """Walked from the place of each event, the list is the whole list, once."""
    changes = late_changes(practice)
    closed(practice, "2026-01")
    later(practice, days=2)
    for change in changes:
        change()
    span = (practice.actor, practice.now, FEBRUARY.date(), practice.now.date())
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        days_ = between(db, *span)
        whole = list(event_differences(db, scope, days_))
        walked: list[EventDifference] = []
        while found := next(
            event_differences(db, scope, days_, after=walked[-1].place if walked else None), None
        ):
            walked.append(found)
        as_closed = between(db, *span, month="2026-01")
        assert (days_.later.as_of, as_closed.later.as_of) == (span[3], date(2026, 2, 1))
        patient_id = whole[0].place[0]
        of_one = list(event_differences(db, scope, days_, patient_id=patient_id))
    assert walked == whole
    assert len({one.place[0] for one in whole}) == 6
    assert of_one == [one for one in whole if one.place[0] == patient_id]
    assert {one.change for one in whole} == {"new", "gone", "changed"}
    assert all((one.before_cents is None) == (one.before is None) for one in whole)
    assert all((one.after_cents is None) == (one.after is None) for one in whole)


def test_days_that_make_no_sense_are_refused(practice: Practice) -> None:
    """A day to come and days in the wrong order are told."""
    with reading(practice.engine) as db:
        with pytest.raises(InvalidRequest):
            seen_on(db, Scope.of(practice.actor), practice.now, date(2026, 2, 3))
        with pytest.raises(InvalidRequest):
            between(db, practice.actor, practice.now, date(2026, 2, 2), date(2026, 2, 1))


def test_before_anything_was_recorded_nothing_is_known(practice: Practice) -> None:
    """A day before the first event gives no events, not an error."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 16))
    assert lines(practice, date(2026, 2, 1)) != []
    assert lines(practice, date(2026, 2, 1), known_at=date(2025, 12, 1)) == []
