"""Retention on its page: years, holds, and a purge that two persons decide."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import FixedClock
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection, Delivery
from rpm.store.tables.people import Patient
from rpm.store.tables.retention import PurgeOrder

TODAY = datetime(2026, 2, 2, 15, tzinfo=UTC)
PAGE = "/admin/retention"


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """A practice with a delivery of 2019; it is February 2, 2026."""
    clock.instant = TODAY
    practice = Practice(engine, actor, TODAY)
    door = practice.new_id()
    practice.record(
        Connection(
            id=door,
            vendor="generic",
            name="Gateway",
            token_hash="0" * 64,
            secret_encrypted=b"",
            settings={},
            created_at=TODAY,
        )
    )
    practice.record(
        Delivery(
            connection_id=door,
            vendor="generic",
            fingerprint="1",
            received_at=datetime(2019, 5, 1, 12, tzinfo=UTC),
            headers={},
            body=b"{}",
            state="read",
            results=[],
        )
    )
    return practice


def kept_for(browser: TestClient, years: str) -> None:
    """Sets the retention."""
    done = browser.post(f"{PAGE}/years", data={"years": years, "why": "counsel said so"})
    assert done.status_code == 303


def test_two_persons_decide_a_purge(signed_in: Any, practice: Practice) -> None:
    """Who ordered has no button and is refused; the other approves; the command is named."""
    one, other = signed_in("practice_admin"), signed_in("practice_admin")
    assert "for good" in one.get(PAGE).text
    kept_for(one, "5")
    assert ">1</dd>" in one.post(f"{PAGE}/dry-run").text
    assert one.post(f"{PAGE}/orders", data={"order_reason": ""}).status_code == 422
    assert one.post(f"{PAGE}/orders", data={"order_reason": "five years"}).status_code == 303
    with reading(practice.engine) as db:
        (order,) = Scope.of(practice.actor).all_of(db, PurgeOrder)
    approve = f"{PAGE}/orders/{order.id}/approve"
    assert approve not in one.get(PAGE).text
    assert "two persons" in one.post(approve).text
    assert approve in other.get(PAGE).text
    assert other.post(approve).status_code == 303
    assert f"rpm-ledger purge --order {order.id}" in one.get(PAGE).text
    assert "approved already" in other.post(approve).text


def test_holds_are_placed_and_lifted(signed_in: Any, practice: Practice) -> None:
    """On a patient by record number or on everything; lifting needs a reason."""
    admin = signed_in("practice_admin")
    patient_id, _ = practice.enrolled()
    with reading(practice.engine) as db:
        number = Scope.of(practice.actor).get(db, Patient, patient_id).record_number
    form = {"record_number": number, "reason": "a claim"}
    assert admin.post(f"{PAGE}/holds", data=form).status_code == 303
    assert admin.post(f"{PAGE}/holds", data={"reason": "a subpoena"}).status_code == 303
    assert admin.post(f"{PAGE}/holds", data={**form, "record_number": "x"}).status_code == 422
    assert admin.post(f"{PAGE}/holds", data={"reason": ""}).status_code == 422
    page = admin.get(PAGE).text
    assert "Example, Pat" in page
    assert "The whole practice" in page
    kept_for(admin, "5")
    assert (
        "nothing is old enough that is not held"
        in admin.post(f"{PAGE}/orders", data={"order_reason": "x"}).text
    )
    for path in re.findall(rf'action="({PAGE}/holds/[^"]+/lift)"', page):
        assert admin.post(path, data={"lift_reason": ""}).status_code == 422
        assert admin.post(path, data={"lift_reason": "settled"}).status_code == 303
    assert "No hold" in admin.get(PAGE).text


def test_years_that_are_none_are_refused(signed_in: Any, practice: Practice) -> None:
    """Words and a hundred years are refused at the field; nothing switches it off again."""
    admin = signed_in("practice_admin")
    for years in ("some", "100"):
        answer = admin.post(f"{PAGE}/years", data={"years": years, "why": "x"})
        assert answer.status_code == 422
        assert 'href="#f-years"' in answer.text
    kept_for(admin, "5")
    kept_for(admin, "")
    assert "for good" in admin.get(PAGE).text


def test_only_administrators_come_here(signed_in: Any, practice: Practice) -> None:
    """An auditor reads the trail, and decides nothing."""
    for role in ("auditor", "biller", "clinical_staff"):
        assert signed_in(role).get(PAGE).status_code == 403
