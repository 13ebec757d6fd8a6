"""The denials screens: find work, read why, and do every step by forms."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from claims_practice import FEBRUARY
from conftest import FixedClock
from denied_practice import opened, refused
from signing_in import Person
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from billing.claims.lifecycle import Status
from rpm.access import Actor
from rpm.actions.set_practice_setting import (
    CLAIMS_TWO_PERSONS,
    SetPracticeSetting,
    set_practice_setting,
)

SignedIn = Callable[..., TestClient]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def words(page: Any) -> str:
    """What a reader sees of a page."""
    text = re.sub(r"<[^>]+>", " ", page.text.split("<main", 1)[-1])
    return " ".join(html.unescape(text).split())


def test_a_denial_is_worked_from_the_queue_to_the_packet(
    engine: Engine,
    actor: Actor,
    clock: FixedClock,
    signed_in: SignedIn,
    person: Callable[..., Person],
) -> None:
    """Queue, filters, panel, note, person, correction, appeal with its packet, and write-off."""
    clock.instant = FEBRUARY
    practice, (one, two, three) = opened(engine, actor)
    practice.answered(refused(one, "151", "N362"), refused(two, "4"), refused(three, "X1"))
    biller = person("biller")
    browser = signed_in(actor=biller.actor)

    page = browser.get("/denials")
    assert page.status_code == 200
    assert "3 claims," in words(page)
    assert "Too many, or too often" in words(page)
    assert "not recorded" in words(page)
    assert one.control_number not in words(browser.get("/denials?group=modifier"))
    assert "No claim fits" in words(browser.get("/denials?work=underpaid"))
    causes = words(browser.get("/denials/causes"))
    assert "W_MUE_CAP" in causes
    assert "nothing yet No edit, rule or check looks for this." in causes
    assert "More units than the limit" in words(browser.get("/denials/looks-for/W_MUE_CAP"))
    assert "Edit TH-NCCI-09" in words(browser.get("/denials/looks-for/TH-NCCI-09"))
    assert browser.get("/denials/looks-for/NONE-1").status_code == 404

    place = f"/denials/{one.id}"
    panel = words(browser.get(place))
    assert "Compare units and days with the record." in panel
    assert "Last day to appeal not recorded" in panel
    wrong = browser.post(f"{place}/note", data={"note": "", "follow_up_on": "2026-02-30"})
    assert wrong.status_code == 422
    assert "This needs another look" in words(wrong)
    noted = {"note": "sent the log", "follow_up_on": "2026-02-20"}
    assert browser.post(f"{place}/note", data=noted).status_code == 303
    given = {"claim_id": [str(one.id), str(two.id)], "user_id": str(biller.actor.user_id)}
    back = "/denials?sort=amount"
    done = browser.post("/denials/assign", data=given | {"back": back})
    assert (done.status_code, done.headers["location"]) == (303, back)
    elsewhere = browser.post("/denials/assign", data=given | {"back": "https://example.org/"})
    assert elsewhere.headers["location"] == "/denials"
    mine = words(browser.get(f"/denials?person={biller.actor.user_id}&sort=follow-up"))
    assert "2 claims," in mine

    letter = browser.get(f"{place}/appeal")
    text = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", letter.text, re.DOTALL)[1])
    asked = {"letter": text, "sent_on": "2026-02-02"}
    unchecked = browser.post(f"{place}/appeal", data=asked)
    assert unchecked.status_code == 422
    asked["letter"] = text.replace("[CHECK] ", "")
    assert browser.post(f"{place}/appeal", data=asked).status_code == 303
    assert practice.status(one.id) is Status.APPEALED
    found = re.search(r"/denials/appeals/[^/]+/", browser.get(place).text)
    assert found is not None
    packet = browser.get(f"{found[0]}packet.pdf")
    assert packet.content.startswith(b"%PDF")
    outcome = {"outcome": "overturned", "on_day": "2026-03-01", "answer_note": "they pay"}
    assert browser.post(f"{found[0]}answer", data=outcome).status_code == 303

    fixed = {"reason": "by video", "place": "10", "line1-modifiers": "95"}
    assert browser.post(f"/denials/{two.id}/correct", data=fixed).status_code == 303
    assert practice.status(two.id) is Status.ASSEMBLED
    assert "Nothing of this claim is to be worked now" in words(browser.get(f"/denials/{two.id}"))
    again = browser.post(f"/denials/{two.id}/write-off", data={"write_off_reason": "x"})
    assert again.status_code == 422
    assert "is not written off" in words(again)

    two_persons = {"key": CLAIMS_TWO_PERSONS, "value": "10", "reason": "four eyes"}
    practice.act(set_practice_setting, SetPracticeSetting(**two_persons))
    given_up = {"write_off_reason": "not worth it"}
    assert browser.post(f"/denials/{three.id}/write-off", data=given_up).status_code == 303
    waiting = browser.get(f"/denials/{three.id}")
    found = re.search(r"/denials/write-offs/[0-9a-f-]+", waiting.text)
    assert found is not None
    browser.post(found[0], data={"decision": "approve"})
    assert practice.status(three.id) is Status.DENIED  # nobody agrees with themselves
    other = signed_in(actor=practice.second_person())
    other.post(found[0], data={"decision": "approve"})
    assert practice.status(three.id) is Status.WRITTEN_OFF


def test_an_auditor_reads_and_changes_nothing(
    engine: Engine, actor: Actor, clock: FixedClock, signed_in: SignedIn
) -> None:
    """The queue is shown without forms, and the queue of nobody teaches what comes here."""
    clock.instant = FEBRUARY
    auditor = signed_in("auditor")
    page = auditor.get("/denials")
    assert "Nothing to work here" in words(page)
    assert auditor.post("/denials/assign", data={"user_id": ""}).status_code == 403
    assert signed_in("clinical_staff").get("/denials").status_code == 403
