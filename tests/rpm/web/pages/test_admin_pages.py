"""Administration: the audit trail with its search, and tokens that are shown once."""

import html
import re
from typing import Any

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.people import ApiToken, Patient


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """A practice."""
    return Practice(engine, actor, clock.now())


def shown(page: str) -> str:
    """What stands in the page, without its markup."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def test_the_first_page_leads_where_the_role_may_go(signed_in: Any) -> None:
    """An administrator finds every way, and others have no such page."""
    page = signed_in("practice_admin").get("/admin").text
    for path in ("/admin/users", "/admin/tokens", "/admin/audit"):
        assert f'href="{path}"' in page
    assert signed_in("biller").get("/admin").status_code == 403


def test_a_token_is_shown_once_and_works(signed_in: Any, browser: TestClient, actor: Actor) -> None:
    """Its text stands in the answer to the form and nowhere afterwards."""
    admin = signed_in(actor=actor)
    form = {"user_id": str(actor.user_id), "name": "Front desk", "valid_days": "30"}
    made = admin.post("/admin/tokens", data={**form, "permissions": ["patients:read"]})
    found = re.search(r"<code>(rl_[^<]+)</code>", made.text)
    assert found is not None
    token = found.group(1)
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.get("/v1/patients", headers=headers).status_code == 200
    assert browser.get("/v1/closes", headers=headers).status_code == 403
    listed = admin.get("/admin/tokens").text
    assert "Front desk" in listed
    assert token not in listed


def test_a_token_is_revoked_with_a_reason(
    signed_in: Any, browser: TestClient, engine: Engine, actor: Actor
) -> None:
    """Without a reason nothing happens; with one the token is no longer good."""
    admin = signed_in(actor=actor)
    made = admin.post("/admin/tokens", data={"user_id": str(actor.user_id), "name": "Front desk"})
    token = re.search(r"<code>(rl_[^<]+)</code>", made.text)
    assert token is not None
    with reading(engine) as db:
        (row,) = Scope.of(actor).all_of(db, ApiToken)
    path = f"/admin/tokens/{row.id}"
    assert "alerts write" in shown(admin.get(path).text)
    assert admin.post(f"{path}/revoke", data={"reason": ""}).status_code == 422
    done = admin.post(f"{path}/revoke", data={"reason": "laptop lost"})
    assert done.status_code == 303
    assert "revoked" in admin.get("/admin/tokens").text
    headers = {"Authorization": f"Bearer {token.group(1)}"}
    assert browser.get("/v1/patients", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"name": ""}, "f-name"),
        ({"name": "x", "valid_days": "many"}, "f-valid_days"),
        ({"name": "x", "valid_days": "999999"}, "f-valid_days"),
    ],
)
def test_a_wrong_form_is_shown_again(
    signed_in: Any, actor: Actor, form: dict[str, str], told: str
) -> None:
    """The error stands in the summary and at the field; no token is made."""
    admin = signed_in(actor=actor)
    answer = admin.post("/admin/tokens", data={"user_id": str(actor.user_id), **form})
    assert answer.status_code == 422
    assert f'href="#{told}"' in answer.text
    assert "rl_" not in answer.text


def test_nobody_gives_more_than_the_role_has(signed_in: Any, actor: Actor, person: Any) -> None:
    """A token of a clerk cannot close a month."""
    clerk = person("clerical_staff").actor
    answer = signed_in(actor=actor).post(
        "/admin/tokens",
        data={"user_id": str(clerk.user_id), "name": "x", "permissions": ["close:run"]},
    )
    assert answer.status_code == 422
    assert "cannot do more" in answer.text


def test_the_trail_tells_who_what_when_whom_and_result(
    signed_in: Any, practice: Practice, clock: FixedClock
) -> None:
    """An event with its actor, its patient by name, and what it recorded."""
    auditor = signed_in("auditor")
    patient_id, _ = practice.enrolled()
    opened = signed_in("clinical_staff").get(f"/patients/{patient_id}")
    assert opened.status_code == 200
    page = shown(auditor.get("/admin/audit").text)
    assert "chart: open Example, Pat" in page
    assert "Pat Clinical Staff clinical staff" in page
    assert "recorded: 1 coverage, 1 patient" in page


def test_the_trail_is_searched_by_person_area_day_and_patient(
    signed_in: Any, practice: Practice, engine: Engine
) -> None:
    """Each filter leaves only what fits; a record number is posted and leads to an id."""
    auditor, nurse = signed_in("auditor"), signed_in("clinical_staff")
    patient_id, _ = practice.enrolled()
    other_id, _ = practice.enrolled()
    for one in (patient_id, other_id):
        nurse.get(f"/patients/{one}")
    everything = auditor.get("/admin/audit").text
    assert everything.count("chart: open") == 2
    with reading(engine) as db:
        number = Scope.of(practice.actor).get(db, Patient, patient_id).record_number
    found = auditor.post("/admin/audit", data={"record_number": number})
    assert found.headers["location"] == f"/admin/audit?patient={patient_id}"
    assert auditor.get(found.headers["location"]).text.count("chart: open") == 1
    assert "chart: open" not in auditor.get("/admin/audit?area=user&user=&patient=").text
    assert "chart: open" not in auditor.get(f"/admin/audit?user={practice.actor.user_id}").text
    assert "No event fits" in auditor.get("/admin/audit?from_day=2030-01-01").text
    assert auditor.get("/admin/audit?to_day=2030-01-01").text.count("chart: open") == 2
    unknown = auditor.post("/admin/audit", data={"record_number": "none"})
    assert unknown.headers["location"] == "/admin/audit"


def test_the_trail_is_paged(signed_in: Any, practice: Practice) -> None:
    """Every event is on one page and no event on two."""
    auditor = signed_in("auditor")
    for _ in range(60):
        practice.record()
    numbers, path = [], "/admin/audit"
    while path:
        page = auditor.get(path).text
        numbers += [int(one) for one in re.findall(r"no\. (\d+)<", page)]
        more = re.search(r'href="([^"]+)">Earlier events', page)
        path = html.unescape(more.group(1)) if more else ""
    assert numbers == list(range(max(numbers), 0, -1))
    assert len(numbers) > 60


def test_another_practice_reads_its_own_trail(
    signed_in: Any, practice: Practice, other_actor: Actor
) -> None:
    """Not one event of ours."""
    practice.enrolled()
    page = signed_in(actor=other_actor).get("/admin/audit").text
    assert "test: record" not in page


def test_roles_that_may_not_read_the_trail_are_refused(signed_in: Any) -> None:
    """The trail is for administrators and auditors."""
    for role, held in ROLE_PERMISSIONS.items():
        answer = signed_in(role).get("/admin/audit")
        assert answer.status_code == (200 if "audit:read" in held else 403)
