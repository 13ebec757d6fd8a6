"""Administration of connections and rule pages: secrets shown once, dead letters, tried changes."""

import html
import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from conftest import FixedClock
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine
from sqlmodel import col
from starlette.testclient import TestClient

from billing.rules.references import shipped_text
from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.ledger import RulePage
from rpm.store.tables.monitoring import Connection, Delivery

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """A practice; it is February 2, 2026."""
    clock.instant = FEBRUARY
    return Practice(engine, actor, clock.now())


def made(browser: TestClient) -> tuple[str, str]:
    """Makes a connection by the form: the path of its door and its secret."""
    answer = browser.post(
        "/admin/connections", data={"name": "Gateway", "vendor": "generic", "secret": ""}
    )
    address, secret = re.findall(r"<code>([^<]+)</code>", answer.text)
    return html.unescape(address), html.unescape(secret)


def one_connection(practice: Practice) -> Connection:
    """The only connection of the practice."""
    with reading(practice.engine) as db:
        (row,) = Scope.of(practice.actor).all_of(db, Connection)
    return row


def test_a_connection_is_made_and_its_secret_shown_once(signed_in: Any, practice: Practice) -> None:
    """Address and secret stand in the answer to the form, and on no page afterwards."""
    admin = signed_in("practice_admin")
    address, secret = made(admin)
    assert "/webhooks/generic/" in address
    row = one_connection(practice)
    for path in ("/admin/connections", f"/admin/connections/{row.id}"):
        page = admin.get(path).text
        assert "Gateway" in page
        assert secret not in page
        assert address.rpartition("/")[2] not in page


def test_a_new_secret_stands_beside_the_old_one(signed_in: Any, practice: Practice) -> None:
    """A wrong number of hours is refused at its field; then the new secret is another one."""
    admin = signed_in("practice_admin")
    _, before = made(admin)
    path = f"/admin/connections/{one_connection(practice).id}/secret"
    wrong = admin.post(path, data={"overlap_hours": "9999"})
    assert wrong.status_code == 422
    assert 'href="#f-overlap_hours"' in wrong.text
    answer = admin.post(path, data={"overlap_hours": "24"})
    (secret,) = re.findall(r"<code>([^<]+)</code>", answer.text)
    assert secret != before


def test_settings_are_changed_and_the_door_is_closed(signed_in: Any, practice: Practice) -> None:
    """With a reason each; a network that is none is refused."""
    admin = signed_in("practice_admin")
    made(admin)
    path = f"/admin/connections/{one_connection(practice).id}"
    wrong = admin.post(f"{path}/settings", data={"networks": "office", "reason": "x"})
    assert wrong.status_code == 422
    done = admin.post(f"{path}/settings", data={"networks": "192.0.2.0/24", "reason": "office"})
    assert done.status_code == 303
    assert "192.0.2.0/24" in admin.get(path).text
    assert admin.post(f"{path}/retire", data={"reason": ""}).status_code == 422
    assert admin.post(f"{path}/retire", data={"reason": "vendor changed"}).status_code == 303
    assert one_connection(practice).retired_at == FEBRUARY
    assert "Make a new secret" not in admin.get(path).text


def dead_letter(practice: Practice) -> Delivery:
    """A body that could not be read."""
    row = one_connection(practice)
    letter = Delivery(
        id=practice.new_id(),
        connection_id=row.id,
        vendor="generic",
        fingerprint="0" * 64,
        received_at=practice.now,
        headers={},
        body=json.dumps({"readings": "none"}).encode(),
        state="dead_letter",
        problem="the body is not of this form",
        results=[],
    )
    practice.record(letter)
    return letter


def test_dead_letters_are_read_again_from_their_page(signed_in: Any, practice: Practice) -> None:
    """What still cannot be read stays; nothing chosen is told."""
    admin = signed_in("practice_admin")
    made(admin)
    letter = dead_letter(practice)
    page = admin.get("/admin/connections/dead-letters").text
    assert "the body is not of this form" in page
    path = "/admin/connections/dead-letters"
    assert admin.post(path, data={"delivery_ids": [str(letter.id)]}).status_code == 303
    assert "0 of 1 could be read now." in admin.get(path).text
    admin.post(path, data={})
    assert "Choose at least one delivery." in admin.get(path).text
    biller = signed_in("biller")
    assert "Read the chosen ones again" not in biller.get(path).text
    assert biller.post(path, data={"delivery_ids": [str(letter.id)]}).status_code == 403


def test_payers_and_rule_pages_tell_sources_dates_and_how_sure(
    signed_in: Any, practice: Practice
) -> None:
    """The list says what is in force today; a page says each band with its source."""
    practice.payer("MEDICARE_B")
    biller = signed_in("biller")
    page = biller.get("/admin/payers").text
    assert "Medicare Part B, from 2026" in page
    assert "Jan 1, 2026" in page
    rules = biller.get("/admin/rules/medicare-b-2026").text
    for told in ("99454", "16 to 30 days", "R-DEV-01", "conflict", "S15b"):
        assert told in rules
    assert biller.get("/admin/rules/none-such").status_code == 404


def test_a_payer_is_added_under_a_key_of_the_book(signed_in: Any, practice: Practice) -> None:
    """A key without rules is refused at its field."""
    admin = signed_in("practice_admin")
    form = {"key": "MEDICARE_B", "name": "Medicare Part B", "edi_payer_id": ""}
    assert admin.post("/admin/payers", data=form).status_code == 303
    wrong = admin.post("/admin/payers", data={**form, "key": "NOBODY"})
    assert wrong.status_code == 422
    assert 'href="#f-key"' in wrong.text


def changed_page(known_from: str) -> str:
    """The shipped page of 2026 with a threshold of 17 days instead of 16, known later."""
    text = shipped_text("pages/medicare-b-2026.toml")
    text = text.replace('id = "medicare-b-2026"', 'id = "our-medicare-2026"')
    text = text.replace("known_from = 2025-11-03", f"known_from = {known_from}")
    text = text.replace("at_most = 15", "at_most = 16", 1)
    return text.replace("at_least = 16\nat_most = 30", "at_least = 17\nat_most = 30", 1)


def test_a_changed_page_is_compared_then_activated(signed_in: Any, practice: Practice) -> None:
    """A patient with 16 days would get the short code: the page names her, then counts."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    admin = signed_in("practice_admin")
    toml = changed_page("2026-02-02").replace("\n", "\r\n")
    path = "/admin/rules/medicare-b-2026/compare"
    page = admin.post(path, data={"toml": toml, "months": "2"}).text
    for told in ("Example, Pat", "1 × 99454", "1 × 99445", "$52.11"):
        assert told in page
    with reading(practice.engine) as db:
        assert Scope.of(practice.actor).all_of(db, RulePage) == []
    assert admin.post("/admin/rules", data={"toml": toml, "reason": ""}).status_code == 422
    done = admin.post("/admin/rules", data={"toml": toml, "reason": "contractor's article"})
    assert done.headers["location"] == "/admin/rules/our-medicare-2026"
    assert "contractor&#39;s article" in admin.get("/admin/payers").text
    with reading(practice.engine) as db:
        (row,) = Scope.of(practice.actor).all_of(
            db, RulePage, col(RulePage.page_id) == "our-medicare-2026"
        )
    assert "\r" not in row.toml


def test_a_page_that_cannot_be_read_is_told_with_its_line(
    signed_in: Any, practice: Practice
) -> None:
    """Neither compared nor activated; months that are none are refused at their field."""
    admin = signed_in("practice_admin")
    path = "/admin/rules/medicare-b-2026/compare"
    page = admin.post(path, data={"toml": "id = ", "months": "2"}).text
    assert "The page cannot be tried" in page
    assert "line 1" in page
    refused = admin.post(path, data={"toml": "id = 1", "months": "many"})
    assert refused.status_code == 422
    refused = admin.post("/admin/rules", data={"toml": "id = ", "reason": "x"})
    assert refused.status_code == 422
    assert 'href="#f-toml"' in refused.text


def test_another_practice_manages_its_own(
    signed_in: Any, practice: Practice, other_actor: Actor
) -> None:
    """A foreign connection is not found."""
    made(signed_in("practice_admin"))
    path = f"/admin/connections/{one_connection(practice).id}"
    stranger = signed_in(actor=other_actor)
    assert stranger.get(path).status_code == 404
    assert stranger.post(f"{path}/secret", data={"overlap_hours": "1"}).status_code == 404
    assert "Gateway" not in stranger.get("/admin/connections").text
