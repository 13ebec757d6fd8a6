"""The API of patients, episodes, devices, work, services and the practice, on both engines."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from billing.rules.references import shipped_text
from rpm.access import Actor
from rpm.actions.set_practice_setting import SETTINGS
from rpm.store.tables import METADATA

Headers = dict[str, str]

PATIENT = {
    "record_number": "MRN-1",
    "family_name": "Planted-Name",
    "given_name": "Pat",
    "birth_date": "1951-04-23",
    "sex": "F",
}


class Api:
    """Calls with one token; what is posted must be answered 201 unless said otherwise."""

    def __init__(self, client: TestClient, headers: Headers) -> None:
        self.client = client
        self.headers = headers

    def post(self, path: str, status: int = 201, **body: Any) -> Any:
        """The answer to a body."""
        answer = self.client.post(f"/v1/{path}", json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """The answer to a question."""
        answer = self.client.get(f"/v1/{path}", params=query, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def patient(self, number: str = "MRN-1") -> str:
        """The id of a new patient."""
        return str(self.post("patients", **{**PATIENT, "record_number": number})["id"])

    def episode(self, patient_id: str) -> dict[str, Any]:
        """A new RPM episode."""
        found: dict[str, Any] = self.post(
            "episodes",
            patient_id=patient_id,
            program="RPM",
            opened_day="2025-11-03",
            order={
                "order_day": "2025-11-02",
                "ordering_npi": "1234567893",
                "device_kind": "bp",
                "diagnosis_codes": ["I10"],
            },
            consent={
                "consent_day": "2025-11-03",
                "mode": "verbal",
                "taken_by": "Nora",
                "cost_share_told": True,
            },
            established_from_day="2024-05-01",
        )
        return found


@pytest.fixture
def api(client: TestClient, admin: Headers) -> Api:
    """The administrator's calls."""
    return Api(client, admin)


@pytest.fixture
def elsewhere(client: TestClient, stranger: Headers) -> Api:
    """Calls of another organization."""
    return Api(client, stranger)


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table holds, but for the trail of accesses, which grows by requests."""
    with engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in METADATA.tables.items()
            if name != "access_record"
        }


def test_a_chart_shows_coverages_and_episodes_and_is_audited(api: Api, engine: Engine) -> None:
    """Opening a chart gives the patient whole and leaves the event of who looked."""
    patient_id = api.patient()
    payer = api.post("payers", key="MEDICARE_B", name="Medicare Part B")
    coverage = api.post(
        "coverages",
        patient_id=patient_id,
        payer_id=payer["id"],
        member_id="M1",
        from_day="2025-01-01",
    )
    api.post("coverage-ends", coverage_id=coverage["id"], last_day="2025-12-31", reason="changed")
    episode = api.episode(patient_id)
    before = rows(engine)["audit_event"]
    chart = api.get(f"patients/{patient_id}")
    assert rows(engine)["audit_event"] == before + 1
    assert chart["record_number"] == "MRN-1"
    assert [one["last_day"] for one in chart["coverages"]] == ["2025-12-31"]
    assert [one["id"] for one in chart["episodes"]] == [episode["id"]]
    assert "organization_id" not in chart


def test_patients_are_found_without_names_in_addresses(api: Api) -> None:
    """Names are looked for in a body; a list is paged by a cursor that tells nothing."""
    for number in ("A", "B", "C"):
        api.patient(number)
    found = api.post("patients/search", status=200, family_name="planted")
    assert [one["record_number"] for one in found["items"]] == ["A", "B", "C"]
    first = api.get("patients", limit=2)
    assert [one["record_number"] for one in first["items"]] == ["A", "B"]
    rest = api.get("patients", limit=2, cursor=first["next_cursor"])
    assert [one["record_number"] for one in rest["items"]] == ["C"]
    assert rest["next_cursor"] is None
    assert api.get("patients", program="RPM")["items"] == []
    api.get("patients", status=422, program="YOGA")


def test_an_episode_is_shown_with_its_papers(api: Api) -> None:
    """Consents, gates, set-ups and devices stand beside the episode as they count now."""
    patient_id = api.patient()
    episode_id = api.episode(patient_id)["id"]
    device = api.post(
        "devices",
        vendor="generic",
        vendor_device_id="BP-1",
        kind="bp",
        fda_listed=True,
        automatic=True,
    )
    held = api.post(
        "device-associations",
        device_id=device["id"],
        episode_id=episode_id,
        from_at="2025-11-05T15:00:00Z",
    )
    api.post(
        "episode-setups",
        episode_id=episode_id,
        setup_day="2025-11-05",
        trained_by="Nora",
        device_id=device["id"],
    )
    api.post(
        "episode-gates",
        episode_id=episode_id,
        gate="prior-auth",
        from_day="2026-01-01",
        reference="PA-1",
    )
    papers = api.get(f"episodes/{episode_id}")
    assert (papers["setup_day"], papers["last_day"]) == ("2025-11-05", None)
    assert papers["diagnosis_codes"] == ["I10"]
    assert [gate["gate"] for gate in papers["gates"]] == ["established", "prior-auth"]
    assert [one["device_id"] for one in papers["devices"]] == [device["id"]]
    [consent] = papers["consents"]
    api.post("consent-ends", consent_id=consent["id"], last_day="2026-01-10", reason="withdrew")
    api.post(
        "consents",
        episode_id=episode_id,
        consent_day="2026-01-12",
        mode="written",
        taken_by="Nora",
        cost_share_told=True,
    )
    api.post(
        "device-association-ends",
        association_id=held["id"],
        to_at="2026-01-12T15:00:00Z",
        reason="returned",
    )
    papers = api.get(f"episodes/{episode_id}")
    assert [one["last_day"] for one in papers["consents"]] == ["2026-01-10", None]
    history = api.get(f"devices/{device['id']}")
    assert [one["to_at"] for one in history["associations"]] == ["2026-01-12T15:00:00Z"]
    assert [one["id"] for one in api.get("devices", kind="bp")["items"]] == [device["id"]]
    assert api.get("devices", vendor="other")["items"] == []


def test_an_episode_ends_and_goes_on(api: Api) -> None:
    """An end closes the episode to work lists; reopening takes the end away."""
    patient_id = api.patient()
    episode_id = api.episode(patient_id)["id"]
    api.post("episode-ends", episode_id=episode_id, last_day="2026-01-12", end_reason="goals_met")
    [shown] = api.get("episodes", patient_id=patient_id)["items"]
    assert (shown["last_day"], shown["end_reason"]) == ("2026-01-12", "goals_met")
    assert api.get("patients", program="RPM")["items"] == []
    api.post("episode-reopenings", episode_id=episode_id, reason="by mistake")
    [shown] = api.get("episodes", program="RPM")["items"]
    assert (shown["last_day"], shown["end_reason"]) == (None, "")
    assert len(api.get("patients", program="RPM")["items"]) == 1


def test_a_second_open_episode_is_a_conflict(api: Api) -> None:
    """A second open RPM episode of the patient answers 409 and names no value."""
    patient_id = api.patient()
    api.episode(patient_id)
    problem = api.post(
        "episodes", status=409, patient_id=patient_id, program="RPM", opened_day="2025-12-01"
    )
    assert problem["code"] == "conflict"
    assert patient_id not in str(problem)


def entry(patient_id: str, **changes: Any) -> dict[str, Any]:
    """Eight minutes of talk this morning."""
    return {
        "client_id": str(uuid4()),
        "patient_id": patient_id,
        "role": "rn",
        "work": "RPM",
        "mode": "live",
        "started_at": "2026-01-15T09:00:00-05:00",
        "duration_seconds": 480,
        "activity": "talk about readings",
        **changes,
    }


def test_work_is_logged_listed_and_taken_back(api: Api) -> None:
    """An entry is stored as it was sent; an overlap is told; a reversal stands beside it."""
    patient_id = api.patient()
    api.episode(patient_id)
    sent = entry(patient_id)
    logged = api.post("entries", **sent)
    assert logged["findings"] == []
    [stored] = logged["entries"]
    assert (stored["local_day"], stored["start_second"]) == ("2026-01-15", 9 * 3600)
    assert api.post("entries", **sent)["entries"][0]["id"] == stored["id"]
    [finding] = api.post("entries", **entry(patient_id))["findings"]
    assert (finding["code"], finding["severity"]) == ("W_TIME_OVERLAP_DEDUPED", "warning")
    taken_back = api.post("entry-reversals", entry_id=stored["id"], reason="wrong patient")
    assert taken_back["reversal"]["duration_seconds"] == -480
    assert api.get(f"entries/{stored['id']}")["duration_seconds"] == 480
    listed = api.get("entries", patient_id=patient_id, work="RPM", from_day="2026-01-15")
    assert [one["duration_seconds"] for one in listed["items"]] == [480, 480, -480]
    api.post("entry-reversals", status=409, entry_id=stored["id"], reason="again")
    anew = entry(patient_id, duration_seconds=300)
    anew |= {"replaces_id": stored["id"], "reason": "the length of the call"}
    [written] = api.post("entries", **anew)["entries"]
    history = api.get(f"entries/{taken_back['reversal']['id']}/history")
    assert [(one["part"], one["id"]) for one in history] == [
        ("original", stored["id"]),
        ("reversal", taken_back["reversal"]["id"]),
        ("replacement", written["id"]),
    ]
    assert [one["reason"] for one in history][1:] == ["wrong patient", "the length of the call"]
    standing = {"replaces_id": written["id"], "reason": "too soon"}
    api.post("entries", status=409, **(entry(patient_id) | standing))
    api.post("entries", status=422, **(entry(patient_id) | {"replaces_id": stored["id"]}))
    api.get(f"entries/{uuid4()}/history", status=404)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("duration_seconds", {"duration_seconds": 24 * 3600 + 1}),
        ("duration_seconds", {"duration_seconds": -1}),
        ("ended_at", {"duration_seconds": None, "ended_at": "2026-01-15T13:00:00Z"}),
        ("started_at", {"started_at": "2026-01-15T15:00:01Z"}),
        ("body.duration_seconds", {"duration_seconds": False}),
        ("body.work", {"work": "Planted-Name"}),
        ("body.started_at", {"started_at": "Planted-Name"}),
        ("body", {"Planted-Name": 1}),
    ],
)
def test_impossible_work_is_refused_without_echo(
    api: Api, engine: Engine, field: str, changes: dict[str, Any]
) -> None:
    """A wrong entry answers 422 naming the field, repeats no value and writes nothing."""
    patient_id = api.patient()
    api.episode(patient_id)
    before = rows(engine)
    problem = api.post("entries", status=422, **entry(patient_id, **changes))
    assert field in [error["field"] for error in problem["errors"]]
    assert "Planted-Name" not in str(problem)
    assert rows(engine) == before


def test_services_are_recorded_and_taken_back(api: Api) -> None:
    """A service and its reversal stand beside each other in the list."""
    patient_id = api.patient()
    service = api.post(
        "services", patient_id=patient_id, code="99474", service_day="2026-01-10", own=True
    )
    api.post("service-reversals", service_id=service["id"], reason="not rendered")
    listed = api.get("services", patient_id=patient_id, code="99474", own=True)
    assert [one["reverses_id"] for one in listed["items"]] == [None, service["id"]]
    api.post(
        "services",
        status=422,
        patient_id=patient_id,
        code="99474",
        service_day="2026-01-16",
        own=True,
    )


def test_the_practice_shows_and_changes_itself(api: Api) -> None:
    """Practitioners, payers, settings and rule pages are added and listed."""
    assert api.get("organization")["timezone"] == "America/New_York"
    doctor = api.post("practitioners", name="Dr. Alex Example", npi="1234567893", credential="MD")
    assert [one["id"] for one in api.get("practitioners")["items"]] == [doctor["id"]]
    payer = api.post("payers", key="MEDICARE_B", name="Medicare Part B")
    assert [one["id"] for one in api.get("payers")["items"]] == [payer["id"]]
    problem = api.post("payers", status=422, key="NOBODY_KNOWS", name="Nobody")
    assert "NOBODY_KNOWS" in problem["errors"][0]["message"]
    assert {one["key"]: one["value"] for one in api.get("settings")} == {
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
    api.post("settings", key="count_cgm_days", value=True, reason="our contractor agrees")
    api.post("settings", key="profile", value="NGS", reason="our contractor is NGS")
    changed = {one["key"]: one["value"] for one in api.get("settings")}
    assert (changed["profile"], changed["count_cgm_days"]) == ("NGS", True)
    problem = api.post("rule-pages", status=422, toml="id = 1\n", reason="as our contract says")
    assert problem["errors"][0]["field"].startswith("toml:1")
    assert api.get("rule-pages")["items"] == []


def test_a_changed_rule_page_is_compared_and_activated(api: Api) -> None:
    """The comparison changes nothing; the activation shows who and why."""
    text = shipped_text("pages/medicare-b-2026.toml")
    text = text.replace('"medicare-b-2026"', '"ours"').replace("2025-11-03", "2026-02-01", 1)
    changed = text.replace("at_least = 1200", "at_least = 1500").replace(
        "at_most = 1199", "at_most = 1499"
    )
    told = api.post("rule-page-comparisons", page_id="medicare-b-2026", toml=changed, status=200)
    assert any("1500 or more seconds" in line for line in told["page_lines"])
    assert (told["events"], told["events_total"], told["after_cents"]) == ([], 0, 0)
    api.post("rule-page-comparisons", page_id="nobodys-page", toml=changed, status=404)
    assert api.get("rule-pages")["items"] == []
    made = api.post("rule-pages", toml=changed, reason="our contract")
    [listed] = api.get("rule-pages")["items"]
    assert (listed["id"], listed["activated_by"], listed["reason"]) == (
        made["id"],
        "Ada Admin",
        "our contract",
    )


def test_a_token_is_shown_once_and_opens_until_revoked(api: Api, client: TestClient) -> None:
    """A new token works at once; lists show neither its text nor its hash."""
    user = api.post("users", name="Nora Nurse", email="nora@example.org", role="clinical_staff")
    made = api.post("tokens", user_id=user["id"], name="ward", permissions=["patients:read"])
    assert made["expires_at"] == "2026-04-15T15:00:00Z"  # 90 days, the installation's usual time
    nurse = Api(client, {"Authorization": f"Bearer {made['token']}"})
    assert nurse.get("patients")["items"] == []
    nurse.post("patients", status=403, **PATIENT)
    listed = api.get("tokens", user_id=user["id"])["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert made["token"] not in str(listed)
    assert not {"token", "token_hash"} & set(listed[0])
    api.post("token-revocations", token_id=made["id"], reason="lost")
    nurse.get("patients", status=401)
    changed = api.post("user-changes", user_id=user["id"], active=False, reason="left")
    assert changed["active"] is False
    assert {one["active"] for one in api.get("users")["items"]} == {True, False}


def test_another_organization_sees_and_changes_nothing(api: Api, elsewhere: Api) -> None:
    """Foreign ids are not found, foreign lists are empty, whatever the address."""
    patient_id = api.patient()
    episode_id = api.episode(patient_id)["id"]
    [stored] = api.post("entries", **entry(patient_id))["entries"]
    for path in (f"patients/{patient_id}", f"episodes/{episode_id}", f"entries/{stored['id']}"):
        assert elsewhere.get(path, status=404)["code"] == "not_found"
    for path in ("patients", "episodes", "entries", "services", "devices", "payers"):
        assert elsewhere.get(path)["items"] == []
    elsewhere.post("entries", status=404, **entry(patient_id))
    elsewhere.post("entry-reversals", status=404, entry_id=stored["id"], reason="x")
    elsewhere.post(
        "episode-ends",
        status=404,
        episode_id=episode_id,
        last_day="2026-01-01",
        end_reason="death",
    )


@pytest.fixture
def everything_closed(client: TestClient, actor: Actor, headers_of: Any) -> Api:
    """Calls with a token that may only read the audit trail."""
    return Api(client, headers_of(actor, "audit:read"))


def test_a_token_without_the_permission_is_refused_everywhere(
    everything_closed: Api, engine: Engine
) -> None:
    """Every address of these areas answers 403 to a token that lacks its permission."""
    before = rows(engine)
    some = str(UUID(int=7))
    for path in ("patients", "episodes", "devices", "entries", "services", "users", "tokens"):
        everything_closed.get(path, status=403)
    for path in ("organization", "practitioners", "payers", "settings", "rule-pages"):
        everything_closed.get(path, status=403)
    everything_closed.get(f"patients/{some}", status=403)
    everything_closed.post("patients", status=403, **PATIENT)
    everything_closed.post("entries", status=403, **entry(some))
    everything_closed.post("entry-reversals", status=403, entry_id=some, reason="x")
    everything_closed.post("settings", status=403, key="profile", value="NGS", reason="x")
    assert rows(engine) == before
