"""An organization's beginning, its settings and its own rule pages."""

from datetime import date

import pytest
from practice import Practice
from pydantic import ValidationError
from sqlalchemy.engine import Engine
from sqlmodel import Session

from billing.days import day_number
from billing.rules.ruleset import RuleSet
from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.actions.activate_rule_page import ActivateRulePage, activate_rule_page
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.bootstrap_organization import BootstrapOrganization, bootstrap_organization
from rpm.actions.set_practice_setting import SETTINGS, SetPracticeSetting, set_practice_setting
from rpm.clock import Clock
from rpm.errors import Conflict, InvalidRequest, NotAllowed
from rpm.store.chain import recording
from rpm.store.queries.people import practice_settings
from rpm.store.queries.rules import activations, rule_pages
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope, actor_of_token
from rpm.store.tables.ledger import Close, RulePage
from rpm.store.verify import verify_chain

PAGE = """
id = "our-payer-2026"
title = "Our payer, as Medicare"
payer = "OUR_PAYER"
extends = "MEDICARE_B"
effective_from = 2026-01-01
known_from = 2026-01-01
status = "UNVERIFIED"
source = ["S01"]
"""
BEGINNING = BootstrapOrganization(
    name="New Practice",
    timezone="America/Denver",
    npi="1245319599",
    admin_name="Ada Admin",
    admin_email="ada@new.example",
)


def activate(practice: Practice, toml: str, actor: Actor | None = None) -> RulePage:
    """Activate a page, as the practice's administrator unless told."""
    command = ActivateRulePage(toml=toml, reason="our contract")
    return activate_rule_page(practice.db, actor or practice.actor, practice.now, command)


def test_an_organization_begins_with_all_it_needs(session: Session, clock: Clock) -> None:
    """Organization, administrator, token and settings come in one chained event."""
    made = bootstrap_organization(session, clock.now(), BEGINNING)
    actor = actor_of_token(session, made.secret, clock.now())
    assert actor.organization_id == made.organization.id
    assert (actor.user_id, actor.role) == (made.user.id, "practice_admin")
    assert actor.permissions == ROLE_PERMISSIONS["practice_admin"]
    settings = practice_settings(session, Scope.of(actor))
    assert {key: row.value for key, row in settings.items()} == {
        "profile": "P0",
        "count_cgm_days": False,
        "close_on_day": "by-hand",
        "locality": "national",
        "timer_grace_practice_admin": "off",
        "timer_grace_practitioner": "5",
        "timer_grace_clinical_staff": "5",
        "timer_idle_minutes": "10",
        "typed_limit_minutes": "30",
        "note_templates": SETTINGS["note_templates"].default,
        "retention_years": "off",
        "claims_two_persons_above": "off",
        "overpayment_days": "60",
        "ask_eligibility_days": "off",
    }
    assert verify_chain(session, made.organization.id) == []


def test_an_organization_begins_once(practice: Practice) -> None:
    """An NPI that has an organization is refused, and nothing is written."""
    bootstrap_organization(practice.db, practice.now, BEGINNING)
    with practice.refused(Conflict):
        bootstrap_organization(practice.db, practice.now, BEGINNING)


def test_a_setting_counts_from_its_last_change(practice: Practice) -> None:
    """A setting is changed for a reason; the change recorded last counts."""
    for profile in ("NGS", "THRESHOLD"):
        command = SetPracticeSetting(key="profile", value=profile, reason="our contractor")
        set_practice_setting(practice.db, practice.actor, practice.now, command)
    settings = practice_settings(practice.db, Scope.of(practice.actor))
    assert settings["profile"].value == "THRESHOLD"
    assert practice.last_event().reason == "our contractor"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("profile", "WISHFUL"),
        ("profile", True),
        ("count_cgm_days", "yes"),
        ("close_on_day", "29"),
        ("close_on_day", "0"),
        ("timer_idle_minutes", "0"),
        ("timer_grace_clinical_staff", "121"),
        ("typed_limit_minutes", True),
        ("note_templates", "x" * 8_001),
    ],
)
def test_a_setting_holds_only_what_it_can(practice: Practice, key: str, value: bool | str) -> None:
    """An unknown profile, or a word where a truth value belongs, is refused."""
    with practice.refused(InvalidRequest):
        command = SetPracticeSetting(key=key, value=value, reason="x")
        set_practice_setting(practice.db, practice.actor, practice.now, command)


def test_the_scheduled_close_has_a_day(practice: Practice) -> None:
    """A practice names the day of the month on which the month before is closed."""
    command = SetPracticeSetting(key="close_on_day", value="5", reason="after the last late upload")
    assert set_practice_setting(practice.db, practice.actor, practice.now, command).value == "5"


def test_unknown_settings_are_refused() -> None:
    """Only known settings can be set."""
    with pytest.raises(ValidationError):
        SetPracticeSetting(key="color", value="blue", reason="x")


def test_settings_and_pages_need_their_permission(practice: Practice) -> None:
    """Without rules:write nobody changes how rules are read."""
    actor = practice.without("rules:write")
    with practice.refused(NotAllowed):
        command = SetPracticeSetting(key="count_cgm_days", value=True, reason="x")
        set_practice_setting(practice.db, actor, practice.now, command)
    with practice.refused(NotAllowed):
        activate(practice, PAGE, actor)


def test_a_page_of_the_practice_joins_its_book(practice: Practice) -> None:
    """An added page gives its payer rules, for this organization only, and is added once."""
    row = activate(practice, PAGE)
    again = activate(practice, PAGE)
    assert again.id == row.id
    day = day_number(date(2026, 1, 20))
    page = book_of(practice.db, practice.actor.organization_id).page("OUR_PAYER", day, day)
    assert page.id.startswith("our-payer-2026")
    assert "OUR_PAYER" not in book_of(practice.db, practice.stranger.organization_id).payers
    command = AddPayer(key="OUR_PAYER", name="Our Payer")
    assert add_payer(practice.db, practice.actor, practice.now, command).key == "OUR_PAYER"


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        (PAGE.replace('"UNVERIFIED"', '"PROBABLY"'), "toml:8"),
        (PAGE + "colour = 1\n", "toml:"),
        (PAGE.replace('source = ["S01"]', 'source = ["S99x"]'), "toml:9"),
        (PAGE.replace("2026-01-01", "someday"), "toml:6"),
        (PAGE.replace('extends = "MEDICARE_B"', 'extends = "NOBODY"'), "toml:"),
    ],
)
def test_a_page_with_an_error_is_refused_with_its_line(
    practice: Practice, toml: str, place: str
) -> None:
    """Unknown words, keys and sources, bad syntax and bad references name line and reason."""
    with practice.refused(InvalidRequest) as caught:
        activate(practice, toml)
    assert isinstance(caught.value, InvalidRequest)
    [finding] = caught.value.findings
    assert finding.where.startswith(place)
    assert finding.message


def test_a_second_page_of_the_same_id_is_refused(practice: Practice) -> None:
    """A page is never edited: the same id with other content is refused."""
    activate(practice, PAGE)
    with practice.refused(InvalidRequest):
        activate(practice, PAGE.replace("as Medicare", "as ours"))
    assert len(rule_pages(practice.db, Scope.of(practice.actor))) == 1


def test_an_activation_tells_who_when_and_why(practice: Practice) -> None:
    """The list of the practice's pages names the person, the reason and the time of each."""
    _, admin = practice.add_user("practice_admin")
    row = activate(practice, PAGE, admin)
    [told] = activations(practice.db, Scope.of(practice.actor))
    assert (told.page.id, told.by, told.reason) == (row.id, admin.name_for_audit, "our contract")
    assert told.page.recorded_at == practice.now
    assert practice.last_event().action == "rule_page.activate"
    assert activations(practice.db, Scope.of(practice.stranger)) == []
    assert activations(practice.db, Scope.of(practice.actor), after=row.id) == []


@pytest.mark.parametrize(
    ("toml", "line", "reason"),
    [
        (
            PAGE.replace("our-payer-2026", "later").replace("= 2026-01-01", "= 2026-09-01"),
            "toml:6",
            "effective_from: service days from 2026-07-01 to 2026-08-31 would have no rule",
        ),
        (
            PAGE.replace("our-payer-2026", "earlier")
            .replace("= 2026-01-01", "= 2025-01-01", 1)
            .replace("known_from", "effective_to = 2025-06-30\nknown_from"),
            "toml:7",
            "effective_to: service days from 2025-07-01 to 2025-12-31 would have no rule",
        ),
        (
            PAGE.replace("our-payer-2026", "again"),
            "toml:7",
            "covers service days of our-payer-2026 and became known the same day",
        ),
    ],
)
def test_a_page_may_leave_no_gap_and_no_overlap(
    practice: Practice, toml: str, line: str, reason: str
) -> None:
    """Days between two pages of a payer, or two pages known the same day, are refused."""
    activate(practice, PAGE.replace("known_from", "effective_to = 2026-06-30\nknown_from"))
    with practice.refused(InvalidRequest) as caught:
        activate(practice, toml)
    assert isinstance(caught.value, InvalidRequest)
    [finding] = caught.value.findings
    assert (finding.where, finding.message) == (line, reason)


def test_a_page_has_something_to_extend_on_each_of_its_days(practice: Practice) -> None:
    """A page that begins before the pages it extends would leave those days without a rule."""
    with practice.refused(InvalidRequest) as caught:
        activate(practice, PAGE.replace("from = 2026-01-01", "from = 2015-01-01", 1))
    assert isinstance(caught.value, InvalidRequest)
    assert "from 2015-01-01 to 2018-12-31" in caught.value.findings[0].message


def test_a_page_was_not_known_to_a_close_that_is_made(practice: Practice) -> None:
    """What a close knew is settled: a page begins to be known after the day of the latest close."""
    with recording(practice.db, practice.actor, practice.now, "test.close") as record:
        record.add(
            Close(
                month_start_day=date(2025, 12, 1),
                ordinal=1,
                as_of=date(2026, 1, 1),
                known_day=date(2026, 1, 10),
                known_audit_number=1,
                product_version="0",
                rule_digests={},
                totals={},
                outcome_digest="",
                chain_anchor={},
            )
        )
    with practice.refused(InvalidRequest) as caught:
        activate(practice, PAGE.replace("known_from = 2026-01-01", "known_from = 2026-01-10"))
    assert isinstance(caught.value, InvalidRequest)
    assert caught.value.findings[0].where == "toml:7"
    assert "2026-01-10" in caught.value.findings[0].message
    activate(practice, PAGE.replace("known_from = 2026-01-01", "known_from = 2026-01-11"))


def test_a_later_page_supersedes_and_an_earlier_one_is_activated_again(practice: Practice) -> None:
    """Of pages over the same days the one known last judges; its undoing is a page again."""
    activate(practice, PAGE)
    first = page_by("2026-02-01", practice)
    activate(
        practice,
        PAGE.replace("our-payer-2026", "our-payer-b")
        .replace('extends = "MEDICARE_B"', 'extends = "medicare-b-2025"')
        .replace("known_from = 2026-01-01", "known_from = 2026-03-01"),
    )
    assert page_by("2026-02-01", practice).ladders == first.ladders
    assert page_by("2026-03-01", practice).ladders != first.ladders
    activate(
        practice,
        PAGE.replace("our-payer-2026", "our-payer-c").replace(
            "known_from = 2026-01-01", "known_from = 2026-04-01"
        ),
    )
    assert page_by("2026-03-31", practice).ladders != first.ladders
    assert page_by("2026-04-01", practice).ladders == first.ladders


def page_by(known: str, practice: Practice) -> RuleSet:
    """The page that judges a day of February for our payer, as known on a day."""
    book = book_of(practice.db, practice.actor.organization_id)
    known_day = day_number(date.fromisoformat(known))
    return book.page("OUR_PAYER", day_number(date(2026, 2, 10)), known_day)


def test_what_the_actions_wrote_verifies(engine: Engine, practice: Practice) -> None:
    """After a day's work the chain of the organization holds without a finding."""
    episode = practice.enroll()
    practice.associate(practice.register_device(), episode)
    practice.log(episode.patient_id)
    activate(practice, PAGE)
    assert verify_chain(practice.db, practice.actor.organization_id) == []
