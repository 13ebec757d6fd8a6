"""What a changed rule page would have changed in stored facts, before it is activated."""

from datetime import UTC, date, datetime, timedelta

import pytest
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from billing.rules.references import shipped_text
from rpm.access import Actor
from rpm.actions.activate_rule_page import ActivateRulePage, activate_rule_page
from rpm.actions.compare_rule_page import (
    CompareRulePage,
    PageComparison,
    compare_rule_page,
)
from rpm.errors import InvalidRequest, NotAllowed, NotFound
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import evaluated

NOW = datetime(2026, 2, 2, 15, tzinfo=UTC)
PAGE = "medicare-b-2026"
SETUP = 'at_least = 2\nlines = [{ code = "99453" }]'
SHORT = "at_least = 2\nat_most = 15\n"
LONG = "at_least = 16\nat_most = 30\n"


def changed(*swaps: tuple[str, str]) -> str:
    """The page in force with some words changed, as a page of the practice."""
    text = shipped_text(f"pages/{PAGE}.toml")
    header = (
        (f'id = "{PAGE}"', 'id = "ours"'),
        ("known_from = 2025-11-03", "known_from = 2026-02-03"),
    )
    for old, new in (*header, *swaps):
        assert old in text
        text = text.replace(old, new)
    return text


SETUP_AFTER_16 = changed((SETUP, SETUP.replace("2", "16", 1)))
LONG_FROM_10 = changed((SHORT, SHORT.replace("15", "9")), (LONG, LONG.replace("16", "10")))


@pytest.fixture
def practice(engine: Engine, actor: Actor) -> Practice:
    """Three patients with 10, 16 and no device days in January."""
    practice = Practice(engine, actor, NOW)
    for count in (10, 16, 0):
        patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
        practice.readings(patient_id, episode_id, days(date(2026, 1, 1), count))
    return practice


def compared(practice: Practice, toml: str, page_id: str = PAGE, **options: int) -> PageComparison:
    """The comparison, by partitions of two patients."""
    command = CompareRulePage(page_id=page_id, toml=toml, **options)
    with reading(practice.engine) as db:
        return compare_rule_page(db, practice.actor, practice.now, command, partition_patients=2)


def told(found: PageComparison) -> list[tuple[str, str, str]]:
    """Change and codes of each event that differs."""
    return sorted(
        (
            one.change,
            one.before.code if one.before else "",
            one.after.code if one.after else "",
        )
        for one in found.events
    )


def test_events_and_money_of_a_changed_page(practice: Practice) -> None:
    """A set-up of at least 16 days takes one 99453 away, and its known amount."""
    found = compared(practice, SETUP_AFTER_16)
    assert told(found) == [("gone", "99453", "")]
    assert (found.before_cents, found.after_cents, found.patients) == (2171, 0, 1)
    assert (found.unknown_before, found.unknown_after) == (0, 0)
    assert (found.first_day, found.last_day) == (date(2025, 8, 1), date(2026, 2, 2))


def test_another_code_of_one_period_is_one_difference(practice: Practice) -> None:
    """Ten days that earn the long code: the short one is told to become the long one."""
    found = compared(practice, LONG_FROM_10)
    assert told(found) == [("other", "99445", "99454")]
    assert (found.before_cents, found.after_cents) == (5211, 5211)
    assert any(line.startswith("-   2 to 15 device days: 99445") for line in found.page_lines)
    assert any(line.startswith("+   2 to 9 device days: 99445") for line in found.page_lines)


def test_an_unknown_amount_stays_unknown(engine: Engine, actor: Actor) -> None:
    """Events of days without a schedule are counted and are in no sum."""
    practice = Practice(engine, actor, datetime(2023, 6, 2, 15, tzinfo=UTC))
    patient_id, episode_id = practice.enrolled(opened_day=date(2023, 4, 1))
    practice.record(*practice.coverage_ends(patient_id, date(2030, 1, 1)))
    practice.readings(patient_id, episode_id, days(date(2023, 4, 1), 20))
    text = (
        'id = "ours"\ntitle = "Ours"\npayer = "MEDICARE_B"\nextends = "medicare-b-2022"\n'
        "effective_from = 2023-01-01\nknown_from = 2023-06-03\n"
        'status = "UNVERIFIED"\nsource = ["S01"]\n\n'
        '[[stop]]\nfinding = "E_PAYER_NOT_COVERED"\nstatus = "UNVERIFIED"\nsource = ["S01"]\n'
    )
    found = compared(practice, text, "medicare-b-2022")
    assert ("gone", "99454", "") in told(found)
    assert (found.before_cents, found.unknown_before) == (0, len(found.events))


def test_a_page_that_says_the_same_changes_nothing(practice: Practice) -> None:
    """No line and no event differs, and nothing is recorded by looking."""
    with reading(practice.engine) as db:
        before = chain_head(db, practice.actor.organization_id)
    found = compared(practice, changed())
    assert (found.page_lines, found.events) == ([], [])
    with reading(practice.engine) as db:
        assert chain_head(db, practice.actor.organization_id) == before


def test_only_service_days_of_the_last_months_are_compared(practice: Practice) -> None:
    """An event of January is not told in August when six months are asked for."""
    practice.now = NOW + timedelta(days=190)
    assert told(compared(practice, SETUP_AFTER_16)) == []
    assert told(compared(practice, SETUP_AFTER_16, months=8)) == [("gone", "99453", "")]


def test_the_comparison_tells_what_activation_then_does(practice: Practice) -> None:
    """Once activated and known, the bill is what the comparison said it would be."""
    found = compared(practice, SETUP_AFTER_16)
    with transaction(practice.engine) as db:
        command = ActivateRulePage(toml=SETUP_AFTER_16, reason="our contractor says 16")
        activate_rule_page(db, practice.actor, practice.now, command)
    keys = {}
    with reading(practice.engine) as db:
        for known in (date(2026, 2, 2), date(2026, 2, 3)):
            bill = evaluated(
                db, practice.actor.organization_id, as_of=date(2026, 2, 2), known=known
            )
            keys[known] = {one.key for one in bill.events()}
    gone = keys[date(2026, 2, 2)] - keys[date(2026, 2, 3)]
    assert gone == {one.before.key for one in found.events if one.before}
    assert keys[date(2026, 2, 3)] < keys[date(2026, 2, 2)]


def test_what_cannot_be_tried_is_refused(practice: Practice) -> None:
    """An unknown page, a page with an error and a missing permission are refused."""
    with pytest.raises(NotFound):
        compared(practice, SETUP_AFTER_16, "medicare-b-1999")
    with pytest.raises(InvalidRequest) as caught:
        compared(practice, SETUP_AFTER_16.replace("at_most = 15", "at_most = 14"))
    assert caught.value.findings[0].where.startswith("toml:")
    with pytest.raises(InvalidRequest, match="understood"):
        compared(practice, SETUP_AFTER_16, "com-cigna")
    for permission in ("rules:read", "ledger:read"):
        actor = practice.actor
        less = Actor(
            actor.organization_id,
            actor.user_id,
            None,
            actor.role,
            actor.permissions - {permission},
            "Less",
        )
        with reading(practice.engine) as db, pytest.raises(NotAllowed):
            compare_rule_page(db, less, NOW, CompareRulePage(page_id=PAGE, toml=SETUP_AFTER_16))
