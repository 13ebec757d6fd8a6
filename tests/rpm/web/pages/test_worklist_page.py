"""The worklist as a page: what a nurse sees in the morning, and what never stands in an address."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from conftest import FixedClock
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.tables.base import Row
from rpm.store.tables.monitoring import Episode
from rpm.store.tables.people import Patient
from rpm.web.pages import worklist
from rpm.web.pages.paging import ROWS

SignedIn = Callable[..., TestClient]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""The list's queries are tried on both engines elsewhere."""
WINDOW_START = date(2025, 12, 31)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The test's practice."""
    return Practice(engine, actor, clock.now())


def enrolled(practice: Practice, name: str, seconds: int = 1_080) -> str:
    """A patient with sixteen days and some live minutes; the address of the chart."""
    patient_id = practice.patient(family_name=name)
    episode_id = practice.episode(patient_id, opened_day=WINDOW_START)
    practice.readings(patient_id, episode_id, days(WINDOW_START, 16))
    if seconds:
        practice.entry(patient_id, episode_id, date(2026, 1, 5), seconds)
    return f"/patients/{patient_id}"


def many(practice: Practice, beginning: str, count: int) -> None:
    """So many patients in care, recorded at once: ``Many000``, ``Many001``..."""
    rows: list[Row] = []
    for number in range(count):
        patient_id = practice.new_id()
        name = f"{beginning}{number:03}"
        rows.append(
            Patient(
                id=patient_id,
                record_number=name,
                family_name=name,
                given_name="Pat",
                birth_date=date(1950, 5, 17),
                sex="F",
                timezone="America/New_York",
            )
        )
        rows.append(
            Episode(
                id=practice.new_id(),
                patient_id=patient_id,
                program="RPM",
                setting="OFFICE",
                pos=11,
                opened_day=WINDOW_START,
                diagnosis_codes=["I10"],
            )
        )
    practice.record(*rows)


def test_a_row_tells_what_is_needed_and_leads_to_the_chart(
    practice: Practice, signed_in: SignedIn
) -> None:
    """Minutes, days, what bills today, what is still needed, and the way straight to the call."""
    address = enrolled(practice, "Twenty")
    page = signed_in("clinical_staff").get("/worklist")
    assert page.status_code == 200
    for words in ("18 of 20 min", "16 days", "99470", "2 min more for 99457", "to do"):
        assert words in page.text
    assert f'href="{address}"' in page.text


def test_two_more_minutes_turn_the_row_ready(practice: Practice, signed_in: SignedIn) -> None:
    """The list follows what was recorded a moment ago."""
    patient_id, episode_id = practice.enrolled(opened_day=WINDOW_START)
    practice.readings(patient_id, episode_id, days(WINDOW_START, 16))
    practice.entry(patient_id, episode_id, date(2026, 1, 5), 1_080)
    nurse = signed_in("clinical_staff")
    assert "20 of 40 min" not in nurse.get("/worklist?show=ready").text
    practice.entry(patient_id, episode_id, date(2026, 1, 6), 120)
    assert "20 of 40 min" in nurse.get("/worklist?show=ready").text


def test_a_finding_says_who_can_mend_it(practice: Practice, signed_in: SignedIn) -> None:
    """A patient without consent is held, and the row names the people who can help."""
    patient_id, episode_id = practice.enrolled(opened_day=WINDOW_START, consent=False)
    practice.entry(patient_id, episode_id, date(2026, 1, 5), 1_200)
    page = signed_in("clinical_staff").get("/worklist?show=held")
    assert "No consent on file" in page.text
    assert "enrolling staff" in page.text


def test_a_patient_without_coverage_is_not_forgotten(
    practice: Practice, signed_in: SignedIn
) -> None:
    """Nothing can be computed for them, and that is what the row says."""
    many(practice, "Uncovered", 1)
    page = signed_in("clinical_staff").get("/worklist?show=held")
    assert "Uncovered000" in page.text
    assert "none is on file today" in page.text


def test_a_search_is_paged_without_the_name_in_an_address(
    practice: Practice, signed_in: SignedIn
) -> None:
    """What is looked for goes to and fro in forms; the next page is one too."""
    many(practice, "Searched", ROWS + 1)
    many(practice, "Other", 1)
    nurse = signed_in("clinical_staff")
    first = nurse.post("/worklist/search", data={"family_name": "searched", "sort": "name"})
    assert first.text.count('class="row-link"') == ROWS
    addresses = re.findall(r'(?:href|action)="([^"]*)"', first.text)
    assert not [one for one in addresses if "earched" in one]
    cursor = re.search(r'name="cursor" value="([^"]*)"', first.text)
    assert cursor is not None
    form = {"family_name": "searched", "sort": "name", "cursor": cursor[1]}
    second = nurse.post("/worklist/search", data=form)
    assert re.findall(r">(Searched\d+),", second.text) == [f"Searched{ROWS:03}"]


def test_the_next_page_follows_the_first(practice: Practice, signed_in: SignedIn) -> None:
    """Each patient stands on exactly one page."""
    many(practice, "Many", ROWS + 1)
    nurse = signed_in("clinical_staff")
    first = nurse.get("/worklist?sort=name")
    following = re.search(r'href="(/worklist\?[^"]*cursor=[^"]*)"', first.text)
    assert following is not None
    second = nurse.get(following[1].replace("&amp;", "&"))
    names = re.findall(r">(Many\d+),", first.text) + re.findall(r">(Many\d+),", second.text)
    assert names == [f"Many{number:03}" for number in range(ROWS + 1)]


def test_a_cursor_is_good_for_its_own_list(practice: Practice, signed_in: SignedIn) -> None:
    """A cursor of another choice is refused instead of showing wrong rows."""
    many(practice, "Many", ROWS + 1)
    nurse = signed_in("clinical_staff")
    page = nurse.get("/worklist?sort=name")
    cursor = re.search(r"cursor=([^\"&]*)", page.text)
    assert cursor is not None
    assert nurse.get(f"/worklist?sort=due&cursor={cursor[1]}").status_code == 400


def test_a_view_is_kept_and_taken_away(practice: Practice, signed_in: SignedIn) -> None:
    """It is a link with the choice in it; a name that is missing is told beside the field."""
    enrolled(practice, "Twenty")
    nurse = signed_in("clinical_staff")
    kept = nurse.post("/worklist/views", data={"name": "Morning", "show": "call", "sort": "due"})
    assert (kept.status_code, kept.headers["location"]) == (303, "/worklist?show=call&sort=due")
    page = nurse.get("/worklist")
    assert 'href="/worklist?show=call&amp;sort=due">Morning</a>' in page.text
    drop = re.search(r'action="(/worklist/views/[^"]*/drop)"', page.text)
    assert drop is not None
    assert nurse.post(drop[1]).status_code == 303
    assert "Morning" not in nurse.get("/worklist").text
    wrong = nurse.post("/worklist/views", data={"name": " "})
    assert wrong.status_code == 422
    assert 'id="e-name"' in wrong.text


def test_an_empty_practice_is_shown_the_way(signed_in: SignedIn) -> None:
    """Nobody enrolled yet: the page says what will stand here, and how to begin."""
    page = signed_in("practice_admin").get("/worklist")
    assert "Nobody is enrolled yet" in page.text
    assert 'href="/patients/new"' in page.text


def test_roles_without_the_ledger_do_not_open_it(signed_in: SignedIn) -> None:
    """A clerk has patients and papers, not the list of what bills."""
    assert signed_in("clerical_staff").get("/worklist").status_code == 403


def test_another_practice_stands_on_no_list(
    practice: Practice, other_actor: Actor, signed_in: SignedIn
) -> None:
    """Somebody of another practice sees none of it."""
    enrolled(practice, "Twenty")
    stranger = signed_in(actor=other_actor)
    assert "Twenty" not in stranger.get("/worklist").text
    assert "Twenty" not in stranger.post("/worklist/search", data={"family_name": "T"}).text


def test_words_that_are_none_of_ours_show_everybody(
    practice: Practice, signed_in: SignedIn
) -> None:
    """A mistyped address is no failure."""
    enrolled(practice, "Twenty")
    page = signed_in("clinical_staff").get("/worklist?show=nonsense&sort=luck&payer=NOBODY")
    assert page.status_code == 200
    assert worklist.address_of(worklist.WorklistFilter()) == "/worklist"
