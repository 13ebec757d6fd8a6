"""The patient page: an audited look at one chart, by what each role may see."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from conftest import FixedClock
from evidence_practice import FEBRUARY_CLOSE, close, supply_short
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine
from sqlmodel import col
from starlette.testclient import TestClient

from billing.evidence.check import check
from billing.evidence.pack import read_pack
from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.alerts import AlertLimit
from rpm.store.tables.security import AuditEvent

SignedIn = Callable[..., TestClient]
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what no engine decides: the queries behind it are tried on both elsewhere."""
OPENED = date(2025, 12, 31)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The test's practice."""
    return Practice(engine, actor, clock.now())


@pytest.fixture
def address(practice: Practice) -> str:
    """The chart of a patient with readings, minutes, a reversed entry and an excluded reading."""
    patient_id = practice.patient(family_name="Twenty", given_name="Thea")
    episode_id = practice.episode(patient_id, opened_day=OPENED)
    rows = practice.readings(patient_id, episode_id, days(OPENED, 16), measure="bp")
    practice.exclude(rows[-1])
    practice.entry(patient_id, episode_id, date(2026, 1, 5), 1_080)
    practice.reverse(practice.entry(patient_id, episode_id, date(2026, 1, 6), 240))
    return f"/patients/{patient_id}"


def opened(engine: Engine, actor: Actor) -> list[str]:
    """Who opened charts, as the audit trail has it."""
    with reading(engine) as db:
        rows = db.exec(
            Scope.of(actor).rows(AuditEvent).where(col(AuditEvent.action) == "chart.open")
        )
        return [row.actor["role"] for row in rows]


def test_a_chart_shows_the_month_and_tells_who_looked(
    address: str, signed_in: SignedIn, engine: Engine, actor: Actor
) -> None:
    """Meters, days, minutes, vitals and papers on one page; the look is on the audit trail."""
    page = signed_in("clinical_staff").get(address)
    assert page.status_code == 200
    for words in ("Twenty, Thea", "18 of 20 min", "15 of 16 days", "Blood pressure", "I10"):
        assert words in page.text
    assert opened(engine, actor) == ["clinical_staff"]


@only_sqlite
@pytest.mark.parametrize("page", ["/why", "/what-if", "/enrollment"])
def test_every_page_of_a_patient_tells_who_looked(
    address: str, signed_in: SignedIn, engine: Engine, actor: Actor, page: str
) -> None:
    """Whoever comes by an address of their own, past the chart, stands on the audit trail too."""
    assert signed_in("practitioner").get(f"{address}{page}").status_code == 200
    assert opened(engine, actor) == ["practitioner"]


def test_what_was_taken_back_stays_on_the_timeline(address: str, signed_in: SignedIn) -> None:
    """A reversed entry and an excluded reading are told with their reasons."""
    page = signed_in("clinical_staff").get(address).text
    assert "taken back by Ada Admin: wrong patient" in page
    assert "does not count: worn by a relative" in page


@only_sqlite
def test_a_clerk_sees_papers_and_nothing_clinical(address: str, signed_in: SignedIn) -> None:
    """Name, coverage and enrollment; no readings, no entries, no bill."""
    page = signed_in("clerical_staff").get(address)
    assert page.status_code == 200
    assert "Twenty, Thea" in page.text
    for words in ("Blood pressure", "18 of 20 min", "wrong patient", "What if"):
        assert words not in page.text


@only_sqlite
def test_limits_of_the_patient_make_the_band(
    practice: Practice, address: str, signed_in: SignedIn
) -> None:
    """A limit that holds for the patient is drawn behind the values and told in words."""
    content = {
        "subject": "reading",
        "kind": "bp",
        "quantity": "systolic",
        "measure": "value",
        "comparison": "above",
        "band": "red",
        "value": "160",
        "unit": "mm[Hg]",
        "window_hours": None,
        "in_a_row": 1,
        "suppress_hours": 24,
        "quiet_from": None,
        "quiet_to": None,
        "route": ["clinical_staff"],
        "escalate_after_minutes": 60,
    }
    practice.record(
        AlertLimit(
            rule="bp.systolic.high.red",
            active=True,
            content=content,
            origin="",
            set_by="Ada Admin",
            reason="ordered",
        )
    )
    page = signed_in("clinical_staff").get(address).text
    assert 'class="band"' in page
    assert "systolic above 160 mmHg (red)" in page


@only_sqlite
def test_an_earlier_month_is_a_link_away(address: str, signed_in: SignedIn) -> None:
    """The month before has its own minutes and timeline; the running meters are of today only."""
    nurse = signed_in("clinical_staff")
    assert f"{address}?month=2025-12" in nurse.get(address).text
    page = nurse.get(f"{address}?month=2025-12").text
    assert "Timeline of December 2025" in page
    assert "The running periods" not in page


def test_a_patient_of_another_practice_is_not_there(
    address: str, other_actor: Actor, signed_in: SignedIn, engine: Engine
) -> None:
    """The chart, the why and the enrollment of somebody else's patient are all 404."""
    stranger = signed_in(actor=other_actor)
    for path in ("", "/why", "/what-if", "/enrollment"):
        assert stranger.get(f"{address}{path}").status_code == 404
    assert opened(engine, other_actor) == []


@only_sqlite
def test_why_answers_for_a_code(address: str, signed_in: SignedIn) -> None:
    """Each ladder tells its bands and sources, and the code that is asked for its answer."""
    biller = signed_in("biller")
    page = biller.get(f"{address}/why?month=2026-01&code=99457").text
    for words in ("not billed", "18:00 minutes", "It would take 2:00 minutes more", "99454"):
        assert words in page
    wrong = biller.get(f"{address}/why?month=2026-01&code=nonsense")
    assert wrong.status_code == 422
    assert 'id="e-code"' in wrong.text


@only_sqlite
def test_what_if_shows_what_more_would_bring(address: str, signed_in: SignedIn) -> None:
    """Two live minutes bring the code; nothing is stored by asking."""
    nurse = signed_in("clinical_staff")
    form = {"minutes": "2", "minutes_day": "2026-01-14", "mode": "live"}
    page = nurse.post(f"{address}/what-if", data=form)
    assert page.status_code == 200
    assert "gained" in page.text
    assert "99457" in page.text
    assert "18 of 20 min" in nurse.get(address).text


@only_sqlite
def test_evidence_is_given_with_the_line(
    practice: Practice, clock: FixedClock, signed_in: SignedIn, address: str
) -> None:
    """A posted line leads to a pack that the checker reads; not under another patient's address."""
    patient_id = supply_short(practice)
    clock.instant = FEBRUARY_CLOSE
    close(practice, "2026-01", FEBRUARY_CLOSE)
    biller = signed_in("biller")
    page = biller.get(f"/patients/{patient_id}?month=2026-01").text
    assert "posted" in page
    found = re.search(r'action="(/patients/[^"]*/evidence.json)"', page)
    assert found is not None
    pack = biller.post(found[1])
    assert "attachment" in pack.headers["content-disposition"]
    assert check(read_pack(pack.content)) == []
    elsewhere = found[1].replace(f"/patients/{patient_id}", address)
    assert biller.post(elsewhere).status_code == 404


@only_sqlite
@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"minutes": "two", "minutes_day": "2026-01-14"}, "minutes"),
        ({"minutes": "2", "minutes_day": "soon"}, "minutes_day"),
        ({"reading_days": "0", "from_day": "2026-01-14"}, "reading_days"),
        ({"reading_days": "2", "from_day": ""}, "from_day"),
    ],
)
def test_a_wrong_question_is_told_beside_its_field(
    address: str, signed_in: SignedIn, form: dict[str, str], field: str
) -> None:
    """What cannot be read is named, and what was typed stays."""
    page = signed_in("clinical_staff").post(f"{address}/what-if", data=form)
    assert page.status_code == 422
    assert f'id="e-{field}"' in page.text
