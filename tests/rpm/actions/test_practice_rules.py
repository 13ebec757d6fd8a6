"""An organization's beginning, its settings and its own rule pages."""

from datetime import date

import pytest
from practice import Practice
from pydantic import ValidationError
from sqlalchemy.engine import Engine
from sqlmodel import Session

from billing.days import day_number
from rpm.access import ROLE_PERMISSIONS
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.actions.add_rule_page import AddRulePage, add_rule_page
from rpm.actions.bootstrap_organization import BootstrapOrganization, bootstrap_organization
from rpm.actions.set_practice_setting import SetPracticeSetting, set_practice_setting
from rpm.clock import Clock
from rpm.errors import Conflict, InvalidRequest, NotAllowed
from rpm.store.queries.people import practice_settings, rule_pages
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope, actor_of_token
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
        add_rule_page(practice.db, actor, practice.now, AddRulePage(toml=PAGE))


def test_a_page_of_the_practice_joins_its_book(practice: Practice) -> None:
    """An added page gives its payer rules, for this organization only, and is added once."""
    row = add_rule_page(practice.db, practice.actor, practice.now, AddRulePage(toml=PAGE))
    again = add_rule_page(practice.db, practice.actor, practice.now, AddRulePage(toml=PAGE))
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
        add_rule_page(practice.db, practice.actor, practice.now, AddRulePage(toml=toml))
    assert isinstance(caught.value, InvalidRequest)
    [finding] = caught.value.findings
    assert finding.where.startswith(place)
    assert finding.message


def test_a_second_page_of_the_same_id_is_refused(practice: Practice) -> None:
    """A page is never edited: the same id with other content is refused."""
    add_rule_page(practice.db, practice.actor, practice.now, AddRulePage(toml=PAGE))
    with practice.refused(InvalidRequest):
        other = AddRulePage(toml=PAGE.replace("as Medicare", "as ours"))
        add_rule_page(practice.db, practice.actor, practice.now, other)
    assert len(rule_pages(practice.db, Scope.of(practice.actor))) == 1


def test_what_the_actions_wrote_verifies(engine: Engine, practice: Practice) -> None:
    """After a day's work the chain of the organization holds without a finding."""
    episode = practice.enroll()
    practice.associate(practice.register_device(), episode)
    practice.log(episode.patient_id)
    add_rule_page(practice.db, practice.actor, practice.now, AddRulePage(toml=PAGE))
    assert verify_chain(practice.db, practice.actor.organization_id) == []
