"""The ledger over HTTP: periods, progress, events, findings, explanation, what-if, closes."""

import csv
import hashlib
import io
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor

Headers = dict[str, str]

JANUARY = date(2026, 1, 1)


class Movable:
    """What a test needs of its clock: to be moved."""

    instant: datetime

    def now(self) -> datetime:
        """The instant it stands at."""
        return self.instant


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Movable) -> Practice:
    """The records of the organization of ``actor``; it is 2026-02-02."""
    clock.instant = datetime(2026, 2, 2, 15, tzinfo=UTC)
    return Practice(engine, actor, clock.now())


@pytest.fixture
def enrolled(practice: Practice) -> tuple[UUID, UUID]:
    """A patient with 16 days and 25 live minutes in January, and the episode."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 16))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1500)
    return patient_id, episode_id


@pytest.fixture
def get(client: TestClient, admin: Headers) -> Any:
    """GET as the administrator; the answer must be 200 unless said otherwise."""

    def call(path: str, status: int = 200, headers: Headers = admin, **query: Any) -> Any:
        answer = client.get(f"/v1/{path}", params=query, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return call


@pytest.fixture
def post(client: TestClient, admin: Headers) -> Any:
    """POST as the administrator; the answer must be 201 unless said otherwise."""

    def call(path: str, status: int = 201, headers: Headers = admin, **body: Any) -> Any:
        answer = client.post(f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    return call


def test_a_patient_s_periods_progress_events_and_findings(
    get: Any, enrolled: tuple[UUID, UUID]
) -> None:
    """Each list tells the day it is as of; an earlier day gives the state of that day."""
    patient = f"patients/{enrolled[0]}"
    events = get(f"{patient}/events")
    assert events["as_of"] == "2026-02-02"
    assert [one["code"] for one in events["items"]] == ["99453", "99454", "99457"]
    assert get(f"{patient}/events", as_of="2026-01-20")["items"] == []
    codes = {one["code"] for one in get(f"{patient}/findings", as_of="2026-01-20")["items"]}
    assert "E_PERIOD_OPEN" in codes
    kinds = {one["kind"]: one for one in get(f"{patient}/periods")["items"]}
    assert kinds["device-supply-30"]["days"] == 16
    assert kinds["calendar-month"]["seconds"] == 1500
    ladders = {one["ladder"] for one in get(f"{patient}/progress")["items"]}
    assert {"device-supply", "management"} <= ladders


def test_a_patient_without_an_episode_has_empty_lists(get: Any, practice: Practice) -> None:
    """Nothing follows from nothing: empty lists, no error."""
    patient_id = practice.patient()
    for area in ("periods", "progress", "events", "findings"):
        assert get(f"patients/{patient_id}/{area}")["items"] == []


def test_an_event_is_explained_by_its_key(get: Any, enrolled: tuple[UUID, UUID]) -> None:
    """The key from the list of events leads to its readings and its rule."""
    events = get(f"patients/{enrolled[0]}/events")["items"]
    found = get(f"events/{events[1]['key']}/explanation")
    assert found["code"] == "99454"
    assert len(found["facts"]["readings"]) == 16
    assert found["facts"]["rule"]["at_least"] == 16
    assert len(found["digest"]) == 64
    for key in ("nonsense", f"episode.{uuid4().hex}.99454.2026-01-01"):
        assert get(f"events/{key}/explanation", 404)["code"] == "not_found"


def test_what_if_answers_both_bills(post: Any, enrolled: tuple[UUID, UUID]) -> None:
    """With no change both are the bill; with more minutes the changed one has more."""
    patient_id, episode_id = enrolled
    same = post("what-if", 200, patient_id=str(patient_id))
    assert same["bill"] == same["what_if"]
    entry = {"episode_id": str(episode_id), "day": "2026-01-09", "duration_seconds": 900}
    more = post("what-if", 200, patient_id=str(patient_id), add_entries=[entry])
    assert [one["code"] for one in more["what_if"]] == ["99453", "99454", "99457", "99458"]
    wrong = {**entry, "duration_seconds": False}
    refused = post("what-if", 422, patient_id=str(patient_id), add_entries=[wrong])
    assert refused["errors"][0]["field"].endswith("add_entries.0.duration_seconds")


def test_a_month_is_closed_listed_exported_and_verified(
    get: Any, post: Any, enrolled: tuple[UUID, UUID]
) -> None:
    """Close, postings, explanation of a posting, files that match the manifest, a good record."""
    closed = post("closes", month="2026-01")
    assert closed["repeated"] is False
    close_id = closed["close"]["id"]
    assert post("closes", month="2026-01")["repeated"] is True
    assert [one["id"] for one in get("closes")["items"]] == [close_id]
    assert get(f"closes/{close_id}")["totals"]["issued"] == 3
    first = get("postings", limit=2, close_id=close_id)
    rest = get("postings", limit=2, close_id=close_id, cursor=first["next_cursor"])
    codes = [one["code"] for one in [*first["items"], *rest["items"]]]
    assert sorted(codes) == ["99453", "99454", "99457"]
    posting = get("postings", code="99457")["items"][0]
    explained = get(f"postings/{posting['id']}/explanation")
    assert explained["evidence_digest"] == posting["evidence_digest"]
    export = post(f"closes/{close_id}/export")
    table = export["files"]["service-lines.csv"]
    about = export["manifest"]["files"]["service-lines.csv"]
    assert about["sha256"] == hashlib.sha256(table.encode()).hexdigest()
    assert len(list(csv.DictReader(io.StringIO(table, newline="")))) == 3
    assert post("verify", 200) == {"fits": True, "findings": []}
    anchor = {"number": 99_999, "hmac": "0" * 64}
    cut = post("verify", 200, anchors=[anchor])
    assert cut["fits"] is False
    assert cut["findings"][0]["code"] == "E_CHAIN_CUT"


def test_wrong_closes_are_refused(post: Any, practice: Practice) -> None:
    """A month that is not over is a conflict; a month that is none is unprocessable."""
    assert post("closes", 409, month="2026-02")["code"] == "conflict"
    for month in ("2026-13", "january", 202601):
        assert post("closes", 422, month=month)["errors"][0]["field"].endswith("month")


def test_readiness_lists_filters_sorts_and_pages(
    get: Any, post: Any, practice: Practice, enrolled: tuple[UUID, UUID]
) -> None:
    """The list is fresh when asked, filtered by state or ladder, and found by name in a body."""
    other = practice.patient(family_name="Zimmer")
    episode_id = practice.episode(other, opened_day=JANUARY)
    whole = get("readiness", sort="name")["items"]
    assert {one["patient_id"] for one in whole} == {str(enrolled[0]), str(other)}
    assert [one["family_name"] for one in whole] == sorted(one["family_name"] for one in whole)
    supply = get("readiness", ladder="device-supply")["items"]
    assert len(supply) == 2
    practice.readings(other, episode_id, [date(2026, 2, 1), date(2026, 2, 2)])
    earned = get("readiness", ladder="device-supply", state="earned")["items"]
    assert [one["patient_id"] for one in earned] == [str(other)]
    first = get("readiness", limit=1)
    second = get("readiness", limit=1, cursor=first["next_cursor"])
    assert first["items"] != second["items"]
    found = post("readiness/search", 200, family_name="zim")["items"]
    assert {one["patient_id"] for one in found} == {str(other)}
    assert get("readiness", 422, state="lost")["errors"][0]["field"] == "query.state"


def test_another_organization_sees_nothing(
    get: Any, post: Any, stranger: Headers, enrolled: tuple[UUID, UUID]
) -> None:
    """Foreign patients, events, closes and postings are not found; lists are empty."""
    key = get(f"patients/{enrolled[0]}/events")["items"][0]["key"]
    close_id = post("closes", month="2026-01")["close"]["id"]
    posting_id = get("postings")["items"][0]["id"]
    for path in (
        *(f"patients/{enrolled[0]}/{area}" for area in ("periods", "progress", "events")),
        f"patients/{enrolled[0]}/findings",
        f"events/{key}/explanation",
        f"postings/{posting_id}/explanation",
        f"closes/{close_id}",
    ):
        assert get(path, 404, stranger)["code"] == "not_found"
    post(f"closes/{close_id}/export", 404, stranger)
    post("what-if", 404, stranger, patient_id=str(enrolled[0]))
    for path in ("closes", "postings", "readiness"):
        assert get(path, headers=stranger)["items"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "readiness", None),
        ("GET", "closes", None),
        ("GET", "postings", None),
        ("POST", "closes", {"month": "2026-01"}),
        ("POST", "verify", {}),
        ("POST", "what-if", {"patient_id": str(UUID(int=1))}),
        ("POST", f"closes/{UUID(int=1)}/export", None),
    ],
)
def test_each_needs_its_permission(
    client: TestClient,
    headers_of: Any,
    practice: Practice,
    method: str,
    path: str,
    body: object,
) -> None:
    """A token without the permission is refused before anything is looked up."""
    headers = headers_of(practice.actor, "patients:read")
    answer = client.request(method, f"/v1/{path}", json=body, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "not_allowed"


def test_a_month_is_told_why(get: Any, enrolled: tuple[UUID, UUID], stranger: Headers) -> None:
    """Ladders with bands and trials; a code's answer; as of a day before; wrong words refused."""
    path = f"patients/{enrolled[0]}/why"
    found = get(path, month="2026-01", code="99458")
    assert found["asked"]["state"] == "not_billed"
    assert found["asked"]["takes"]["amount"] == 900
    names = [one["name"] for period in found["periods"] for one in period["ladders"]]
    assert {"device-supply", "management"} <= set(names)
    before = get(path, month="2026-01", code="99457", as_of="2026-01-20")
    assert before["as_of"] == "2026-01-20"
    assert before["asked"]["state"] == "not_billed"
    for wrong in ({}, {"month": "2026-13"}, {"month": "2026-01", "code": "no code"}):
        get(path, 422, **wrong)
    get(path, 404, stranger, month="2026-01")
    get(f"patients/{uuid4()}/why", 404, month="2026-01")


def test_what_was_known_at_the_end_of_a_day_is_answered(
    get: Any, practice: Practice, enrolled: tuple[UUID, UUID], clock: Movable
) -> None:
    """A reading recorded on the fourth is not in the answer as known on the third."""
    patient_id, episode_id = enrolled
    clock.instant = practice.now = datetime(2026, 2, 4, 15, tzinfo=UTC)
    practice.readings(patient_id, episode_id, [date(2026, 1, 20)])
    asked = {"as_of": "2026-02-01", "known_at": "2026-02-03"}
    for path, name in (("periods", "days"), ("progress", "measured")):
        then = get(f"patients/{patient_id}/{path}", **asked)["items"][0][name]
        now = get(f"patients/{patient_id}/{path}", as_of="2026-02-01")["items"][0][name]
        assert (then, now) == ((16, 17) if path == "periods" else (then, now))
    events = get(f"patients/{patient_id}/events", **asked)
    assert events["known_day"] == "2026-02-03"
    (key,) = (one["key"] for one in events["items"] if one["code"] == "99454")
    told = get(f"events/{key}/explanation", known_at="2026-02-03")
    assert len(told["counted_days"]) == 16
    assert told["known_audit_number"] is not None
    assert len(get(f"events/{key}/explanation")["counted_days"]) == 17
    assert get(f"patients/{patient_id}/findings", **asked)["as_of"] == "2026-02-01"
    assert get(f"patients/{patient_id}/why", month="2026-01", known_at="2026-02-03")["notes"] == []
    get(f"patients/{patient_id}/events", status=422, known_at="2026-02-05")


def test_differences_between_two_days_are_answered(
    get: Any, practice: Practice, enrolled: tuple[UUID, UUID], clock: Movable
) -> None:
    """The facts recorded since, page by page, and the lines of a patient that they changed."""
    patient_id, episode_id = enrolled
    clock.instant = practice.now = datetime(2026, 2, 4, 15, tzinfo=UTC)
    practice.entry(patient_id, episode_id, date(2026, 1, 9), 1_200, start_second=60_000)
    practice.readings(patient_id, episode_id, [date(2026, 1, 20)])
    span = {"from_day": "2026-02-02", "to_day": "2026-02-04"}
    first = get("differences", limit=1, **span)
    second = get("differences", limit=1, cursor=first["next_cursor"], **span)
    assert [one["table"] for one in first["items"] + second["items"]] == [
        "interaction_entry",
        "reading",
    ]
    assert second["next_cursor"] is None
    told = get(f"patients/{patient_id}/differences", **span)
    assert [one["what"] for one in told["facts"]] == [
        "entry of 20:00 minutes, RPM, 2026-01-09",
        "reading of blood_pressure, 2026-01-20: counts",
    ]
    assert [(one["change"], one["after"]["code"]) for one in told["events"]] == [("new", "99458")]
    assert first["rule_pages"] == []
    all_events = get("differences/events", **span)
    assert (all_events["items"], all_events["next_cursor"]) == (told["events"], None)
    assert all_events["items"][0]["after_cents"] > 0
    as_closed = get("differences/events", month="2026-01", **span)
    assert [one["after"]["code"] for one in as_closed["items"]] == ["99458"]
    get("differences/events", status=422, month="2026-13", **span)
    get(f"patients/{uuid4()}/differences", status=404, **span)
    get("differences", status=422, from_day="2026-02-04", to_day="2026-02-02")
