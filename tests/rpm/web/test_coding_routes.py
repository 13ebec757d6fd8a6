"""Visits over the API: coded without being stored, recorded, decided, corrected."""

from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from rpm.access import Actor

FACTS: dict[str, Any] = {
    "payer": "MCR",
    "state": "OH",
    "dos": "2026-01-13",
    "provider_type": "MD",
    "provider_site": "OFFICE",
    "patient_location": "HOME",
    "modality": "AV",
    "patient_status": "EST",
    "level_basis": "MDM",
    "mdm": "MOD",
}


class Api:
    """A practice's API with one patient."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers
        patient = {
            "record_number": f"MRN-{uuid4()}",
            "family_name": "Example",
            "given_name": "Pat",
            "birth_date": "1951-04-23",
            "sex": "F",
        }
        self.patient_id = self.post("/v1/patients", patient)["id"]

    def post(self, path: str, content: dict[str, Any], status: int = 201) -> Any:
        """The answer to a request."""
        answer = self.client.post(path, json=content, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, **params: Any) -> Any:
        """What is there."""
        answer = self.client.get(path, params=params, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def check(self, status: int = 200, **changes: Any) -> Any:
        """A visit coded or judged."""
        return self.post("/v1/coding/check", {"facts": FACTS | changes}, status)


@pytest.fixture
def api(client: TestClient, headers_of: Any, actor: Actor) -> Api:
    """The API as its administrator's token sees it."""
    return Api(client, headers_of(actor))


def test_a_visit_is_coded_without_being_stored(api: Api) -> None:
    """Lines, reason, amount and edits are told; no visit is there afterwards."""
    found = api.check()
    assert (found["text"], found["status"], found["edits"]) == ("99214@10", "CLEAN", [])
    assert found["lines"][0] | {"cents": 0} == {
        "code": "99214",
        "modifiers": [],
        "place": "10",
        "units": 1,
        "cents": 0,
    }
    assert "99214" in found["reasons"][0]
    assert api.get("/v1/encounters")["items"] == []


def test_submitted_lines_are_judged_with_the_fix(api: Api) -> None:
    """A wrong place of service is told with its fix, its source and what a payer would answer."""
    found = api.check(submitted="99214@11")
    assert (found["text"], found["status"]) == ("99214@10", "FIX")
    edit = found["edits"][0]
    assert (edit["edit"], edit["severity"], edit["where"]) == (
        "TH-POS-01",
        "ERROR",
        "line 1, 99214",
    )
    assert edit["fix"].startswith("Set POS")
    assert edit["sources"] == ["S10", "S11"]


def test_the_known_day_decides_what_was_law(api: Api) -> None:
    """The visit of 2025-10-15 is not covered as known on 2025-11-01, and is on 2025-11-20."""
    facts = FACTS | {"dos": "2025-10-15"}
    for known_day, status in (("2025-11-01", "BLOCK"), ("2025-11-20", "CLEAN")):
        found = api.post("/v1/coding/check", {"facts": facts, "known_day": known_day}, 200)
        assert (found["status"], found["known_day"]) == (status, known_day)


@pytest.mark.parametrize(
    "changes",
    [
        {"modality": "HOLOGRAM"},
        {"fields": "secret=value"},
        {"submitted": "99214 @ 10"},
        {"total_minutes": -1},
        {"dos": "2026-02-30"},
        {"extra": "field"},
    ],
)
def test_a_wrong_request_is_told_without_its_value(api: Api, changes: dict[str, Any]) -> None:
    """Facts outside the format are a 422 that names the field."""
    answer = api.check(422, **changes)
    assert answer["errors"]
    assert "HOLOGRAM" not in str(answer)
    assert "secret" not in str(answer)


def test_a_visit_is_recorded_read_and_decided(api: Api) -> None:
    """The visit stands with its coding and, after the decision, with what was chosen."""
    visit = api.post("/v1/encounters", {"patient_id": api.patient_id, "facts": FACTS})
    path = f"/v1/encounters/{visit['id']}"
    before = api.get(path)
    assert (before["coding"]["text"], before["decision"]) == ("99214@10", None)
    decided = api.post("/v1/encounter-decisions", {"visit_id": visit["id"], "accepted": True})
    assert api.get(path)["decision"]["id"] == decided["id"]
    services = api.get("/v1/services", patient_id=api.patient_id)["items"]
    assert [row["code"] for row in services] == ["99214"]
    correction = {"visit_id": visit["id"], "reason": "recorded twice"}
    gone = api.post("/v1/encounter-corrections", correction)
    assert gone["withdrawn"]
    assert api.get("/v1/encounters", standing=True)["items"] == []
    assert len(api.get("/v1/encounters", patient_id=api.patient_id)["items"]) == 2


def test_licenses_and_coverage_are_recorded_and_listed(api: Api) -> None:
    """What stands around visits has addresses of its own, and is asked when one is coded."""
    person = api.post(
        "/v1/practitioners", {"npi": "1234567893", "name": "Dr. Example", "credential": "MD"}
    )
    license_ = {
        "practitioner_id": person["id"],
        "kind": "STATE_LICENSE",
        "jurisdiction": "TX",
        "verified_on": "2026-01-14",
    }
    api.post("/v1/practitioner-authorities", license_)
    held = api.get("/v1/practitioner-authorities", practitioner_id=person["id"])["items"]
    assert [row["jurisdiction"] for row in held] == ["TX"]
    asked = {"facts": FACTS, "practitioner_id": person["id"], "patient_id": api.patient_id}
    found = api.post("/v1/coding/check", asked, 200)
    assert [one["edit"] for one in found["edits"]] == ["TH-LIC-01"]

    members = {
        "compact": "NLC",
        "verified_on": "2026-01-14",
        "source": "the commission's list",
        "members": [{"jurisdiction": "OH"}, {"jurisdiction": "TX"}],
    }
    assert len(api.post("/v1/compact-members", members)) == 2
    assert len(api.get("/v1/compact-members")) == 2

    of_patient = {"patient_id": api.patient_id, "payer": "MCR", "valid_from": "2026-01-01"}
    check = of_patient | {"standing": "ma_plan", "checked_on": "2026-01-14"}
    api.post("/v1/eligibility-checks", check)
    api.post("/v1/service-authorizations", of_patient | {"standing": "missing"})
    assert len(api.get("/v1/eligibility-checks", patient_id=api.patient_id)["items"]) == 1
    assert len(api.get("/v1/service-authorizations", patient_id=api.patient_id)["items"]) == 1
    found = api.post("/v1/coding/check", asked, 200)
    assert {"TH-ADM-04", "TH-ADM-05"} <= {one["edit"] for one in found["edits"]}
