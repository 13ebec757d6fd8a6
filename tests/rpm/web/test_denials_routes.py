"""Denials and claims on paper over HTTP: lists in pages, one claim, every step, other practices."""

from typing import Any

import pytest
from claims_practice import FEBRUARY
from conftest import FixedClock
from denied_practice import Denied, opened, refused
from remittances_made import Paid
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.tables.claims import ClaimRecord

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> tuple[Denied, list[ClaimRecord]]:
    """Three claims that were denied for three reasons."""
    clock.instant = FEBRUARY
    practice, claims = opened(engine, actor)
    told: list[Paid] = [
        refused(one, *why)
        for one, why in zip(claims, (("151", "N362"), ("4",), ("50",)), strict=True)
    ]
    practice.answered(*told)
    return practice, claims


def test_denials_are_listed_and_worked(
    practice: tuple[Denied, list[ClaimRecord]],
    client: TestClient,
    admin: dict[str, str],
    stranger: dict[str, str],
) -> None:
    """Pages of the queue, the panel, and each step; another practice finds nothing of it."""
    made, (one, two, three) = practice

    def post(step: str, **command: Any) -> dict[str, Any]:
        answer = client.post(f"/v1/denials/{step}", json=command, headers=admin)
        assert answer.status_code == 201, answer.text
        content: dict[str, Any] = answer.json()
        return content

    seen, cursor = [], None
    while cursor is not None or not seen:
        asked = {"limit": 2, "sort": "amount", **({"cursor": cursor} if cursor else {})}
        page = client.get("/v1/denials", params=asked, headers=admin).json()
        seen += [item["control_number"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(row.control_number for row in (one, two, three))
    listed = client.get("/v1/denials", params={"group": "units"}, headers=admin).json()
    (item,) = listed["items"]
    assert item["reasons"][0]["adjustment"] == "CO-151"
    assert item["appeal_deadline"] is None
    causes = client.get("/v1/denials/causes", headers=admin).json()
    assert {cause["adjustment"] for cause in causes} == {"CO-151", "CO-4", "CO-50"}

    post("assign", claim_ids=[str(one.id)], user_id=str(made.actor.user_id))
    post("notes", claim_id=str(one.id), note="sent", follow_up_on="2026-02-20")
    draft = client.get(f"/v1/denials/{three.id}/appeal-draft", headers=admin).json()
    assert "[CHECK]" not in draft["letter"]
    sent = {"claim_id": str(three.id), "letter": draft["letter"], "sent_on": "2026-02-02"}
    appeal = post("appeals", **sent)
    packet = client.get(f"/v1/denials/appeals/{appeal['id']}/packet.pdf", headers=admin)
    assert packet.content.startswith(b"%PDF")
    post("appeals/answers", appeal_id=appeal["id"], outcome="upheld", on_day="2026-03-01")
    lines = [{"line": 1, "modifiers": ["95"]}]
    version = post("corrections", claim_id=str(two.id), reason="by video", lines=lines)
    assert version["frequency"] == "7"
    assert post("write-offs", claim_id=str(one.id), reason="small")["written_off"] is True
    panel = client.get(f"/v1/denials/{three.id}", headers=admin).json()
    assert [one["outcome"] for one in panel["appeal_answers"]] == ["upheld"]
    assert client.get(f"/v1/denials/{one.id}", headers=admin).json()["denied"] is None

    assert client.get("/v1/denials", headers=stranger).json()["items"] == []
    assert client.get(f"/v1/denials/{one.id}", headers=stranger).status_code == 404
    note = {"claim_id": str(one.id), "note": "mine"}
    assert client.post("/v1/denials/notes", json=note, headers=stranger).status_code == 404


def test_claims_and_months_come_on_paper(
    practice: tuple[Denied, list[ClaimRecord]],
    client: TestClient,
    admin: dict[str, str],
    stranger: dict[str, str],
) -> None:
    """The form and the superbill are documents; a month without services has none."""
    _, (one, *_) = practice
    form, bill = f"/v1/claims/{one.id}/form1500.pdf", f"/v1/patients/{one.patient_id}/superbill.pdf"
    for path, asked in ((form, {}), (form, {"check": True}), (bill, {"month": "2026-01"})):
        answer = client.get(path, params=asked, headers=admin)
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF")
        assert client.get(path, params=asked, headers=stranger).status_code == 404
    assert client.get(bill, params={"month": "2026-02"}, headers=admin).status_code == 404
    assert client.get(bill, params={"month": "2026-13"}, headers=admin).status_code == 422
    assert client.get(form, params={"left": "nan"}, headers=admin).status_code == 422
