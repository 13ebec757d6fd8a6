"""Explaining an event: the facts and the rule behind it, and a digest that follows them."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from ledger_practice import OPENED, Practice, days
from sqlalchemy.engine import Engine
from sqlmodel import col

from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.explain_event import explain_event, explain_posting
from rpm.actions.explanation import Explanation
from rpm.actions.seen_from import seen_now
from rpm.clock import Clock
from rpm.errors import NotFound
from rpm.store.engine import reading, transaction
from rpm.store.event_keys import event_key, named_event
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def explained(
    practice: Practice, subject: str, subject_id: UUID, code: str, start: date
) -> Explanation:
    """The explanation of an event as seen on 2026-02-02."""
    named = named_event(event_key(subject, subject_id.hex, code, start))
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        return explain_event(db, scope, named, seen_now(db, scope, FEBRUARY))


def posting_of(practice: Practice, code: str, sign: int = 1) -> Posting:
    """The first posting of a code."""
    with reading(practice.engine) as db:
        query = Scope.of(practice.actor).rows(Posting)
        rows = db.exec(query.where(col(Posting.code) == code, col(Posting.sign) == sign))
        return rows.one()


def test_a_supply_line_is_explained_by_its_readings_papers_and_rule(practice: Practice) -> None:
    """Every counted reading, the consent, the order, the payer and the band with its source."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    refused = {"countable": False, "refused_reason": "manual_entry"}
    practice.readings(patient_id, episode_id, [date(2026, 1, 2)], **refused)
    found = explained(practice, "episode", episode_id, "99454", date(2026, 1, 1))
    assert found.patient_id == patient_id
    assert {one.id for one in found.facts.readings} == {row.id for row in rows}
    assert found.facts.readings[0].components[0]["value"] == "128"
    assert found.counted_days == days(date(2026, 1, 1), 16)
    assert (found.measure, found.amount, found.units) == ("device_days", 16, 1)
    assert found.service_day == date(2026, 1, 30)
    assert [one.mode for one in found.facts.consents] == ["written"]
    assert found.facts.order.ordering_npi == "1234567893"
    assert [one.payer_key for one in found.facts.coverage] == ["MEDICARE_B"]
    assert found.facts.rule.page_id == "medicare-b-2026"
    assert found.facts.rule.at_least == 16
    assert found.facts.rule.sources[0].id.startswith("S")
    assert {one.gate for one in found.facts.gates} == {"consent", "order", "established"}


def test_a_management_line_is_explained_by_its_entries(practice: Practice) -> None:
    """Entries that count are listed with who worked and which talk was live."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    live = practice.entry(patient_id, episode_id, date(2026, 1, 8), 700)
    quiet = practice.entry(patient_id, episode_id, date(2026, 1, 9), 700, mode="async")
    practice.entry(patient_id, episode_id, date(2026, 1, 10), 700, role="admin")
    found = explained(practice, "patient", patient_id, "99457", date(2026, 1, 1))
    assert [(one.id, one.live) for one in found.facts.entries] == [
        (live.id, True),
        (quiet.id, False),
    ]
    assert (found.measure, found.amount) == ("seconds", 1400)
    assert found.facts.entries[0].actor_name == "Ada Admin"
    assert found.facts.readings == []


def test_the_digest_changes_when_a_fact_changes(practice: Practice) -> None:
    """One more reading or consent gives another digest; asking twice gives the same one."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))

    def digest() -> str:
        return explained(practice, "episode", episode_id, "99454", date(2026, 1, 1)).digest

    first = digest()
    assert digest() == first
    practice.readings(patient_id, episode_id, [date(2026, 1, 3)])
    second = digest()
    assert second != first
    practice.consent(episode_id, date(2026, 1, 2))
    assert digest() not in {first, second}


def test_a_posting_is_explained_as_its_close_saw_it(practice: Practice) -> None:
    """Later facts do not change the explanation of what was posted, and its digest fits."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1300)
    with transaction(practice.engine) as db:
        close_month(db, practice.actor, FEBRUARY, CloseMonth(month="2026-01"))
    practice.exclude(rows[3])
    for code in ("99453", "99454", "99457"):
        posting = posting_of(practice, code)
        with reading(practice.engine) as db:
            found = explain_posting(db, Scope.of(practice.actor), posting.id)
        assert found.evidence_digest == posting.evidence_digest
        assert found.key == posting.key
    assert len(found.facts.entries) == 1
    with pytest.raises(NotFound):
        explained(practice, "episode", episode_id, "99454", date(2026, 1, 1))
    with transaction(practice.engine) as db:
        close_month(db, practice.actor, FEBRUARY, CloseMonth(month="2026-01"))
    reversal = posting_of(practice, "99454", -1)
    with reading(practice.engine) as db:
        assert explain_posting(db, Scope.of(practice.actor), reversal.id).amount == 16


def test_an_event_of_another_organization_is_not_found(practice: Practice) -> None:
    """A foreign event, an unknown one and one without an episode are the same answer."""
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    stranger = Practice.opened(practice.engine, practice.now)
    bare = practice.patient()
    for who, subject, subject_id in (
        (stranger, "episode", episode_id),
        (stranger, "patient", patient_id),
        (practice, "patient", bare),
        (practice, "episode", bare),
    ):
        with pytest.raises(NotFound):
            explained(who, subject, subject_id, "99454", date(2026, 1, 1))


@pytest.mark.parametrize(
    "text", ["", "episode.x.99454.2026-01-01", "patient." + "0" * 32 + ".99454.2026-13-01"]
)
def test_text_that_is_no_event_key_is_refused(text: str) -> None:
    """A key has four parts of fixed shape; anything else is an error."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words come from the calendar or from us
        named_event(text)
