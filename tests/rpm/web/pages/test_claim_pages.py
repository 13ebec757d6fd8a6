"""Claims on pages: what is on none, a month assembled, decided on, written, and one looked at."""

from typing import Any
from uuid import UUID

import pytest
from claims_practice import FEBRUARY, BilledPractice, billed_practice
from conftest import FixedClock
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from test_claim_corrections import Corrected

from rpm.access import Actor
from rpm.actions.manage_clearinghouse import AddClearinghouse, add_clearinghouse
from rpm.keys import key_ring
from rpm.store.engine import reading, transaction
from rpm.store.queries.claims import ClaimFilter, listed_claims
from rpm.store.scope import Scope

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> BilledPractice:
    """January is closed; one of three patients has no address."""
    clock.instant = FEBRUARY
    practice = BilledPractice(engine, actor)
    practice.identity()
    practice.resident(1)
    practice.resident(2)
    practice.resident(3, address=False)
    practice.close()
    return practice


def stand(practice: BilledPractice) -> dict[str, UUID]:
    """Ids of the practice's claims by number."""
    with reading(practice.engine) as db:
        found = listed_claims(db, Scope.of(practice.actor), ClaimFilter())
    return {one.control_number: one.id for one in found}


def test_a_month_is_assembled_and_what_is_held_stays_as_work(
    signed_in: Any, practice: BilledPractice
) -> None:
    """The list names the lines on no claim; the preview says why and where it is mended."""
    biller: TestClient = signed_in("biller")
    assert "January 2026: 6 lines" in biller.get("/claims").text
    preview = biller.get("/claims/months/2026-01").text
    assert "patient, address" in preview
    assert "/billing" in preview
    made = biller.post("/claims/months/2026-01")
    assert made.status_code == 303
    page = biller.get("/claims").text
    assert "2 claims are made; 2 lines stay held." in page
    assert "January 2026: 2 lines" in page
    assert "RL000000001" in page
    assert "2</strong> claims, charges <strong>$180.00</strong>" in page


def test_claims_are_held_and_released_by_people(signed_in: Any, practice: BilledPractice) -> None:
    """Marked claims are held with a reason or released; what cannot be is told."""
    practice.assemble()
    ids = stand(practice)
    biller: TestClient = signed_in("biller")
    one = str(ids["RL000000001"])
    told = biller.post("/claims/decide", data={"claim_id": one, "decision": "hold"})
    assert told.status_code == 303
    assert "Say why they are held." in biller.get("/claims").text
    held = {"claim_id": one, "decision": "hold", "reason": "ask the payer"}
    assert biller.post("/claims/decide", data=held).status_code == 303
    page = biller.get(f"/claims/{one}").text
    assert "ask the payer" in page
    assert "held" in page
    again = biller.post("/claims/decide", data=held)
    assert again.status_code == 422
    assert "is not held" in again.text
    both = {"claim_id": [str(each) for each in ids.values()], "decision": "release"}
    assert biller.post("/claims/decide", data=both).status_code == 303
    listed = biller.get("/claims?month=all&status=released").text
    assert "RL000000001" in listed
    assert "RL000000002" in listed
    assert "No claim fits" in biller.get("/claims?month=all&status=paid").text


def test_released_claims_are_written_and_a_file_discarded(
    signed_in: Any, practice: BilledPractice
) -> None:
    """Without a clearinghouse it says so; the file waits, and a discarded one lets claims go."""
    practice.assemble()
    practice.release(stand(practice).values())
    admin: TestClient = signed_in("practice_admin")
    refused = admin.post("/claims/files")
    assert refused.status_code == 422
    assert "no clearinghouse" in refused.text
    with transaction(practice.engine) as db:
        told = AddClearinghouse(
            key="house",
            shipped="folder",
            sender_id="LAKESIDE",
            receiver_id="CLEARHOUSE",
            receiver_name="CLEARHOUSE",
            usage="P",
            reason="agreed",
        )
        add_clearinghouse(db, practice.actor, practice.now, key_ring("00" * 32), told)
    assert admin.post("/claims/files").status_code == 303
    page = admin.get("/claims/files").text
    assert "holds 2 claims and waits to be sent" in page
    place = page[page.index("/claims/files/") :].split('"')[0]
    assert admin.post(place, data={"reason": ""}).status_code == 303
    assert admin.post(place, data={"reason": "wrong payer"}).status_code == 303
    assert "2 claims are released again" in admin.get("/claims/files").text
    assert "discarded" in admin.get("/claims/files").text


def test_a_claim_shows_lines_evidence_and_history(signed_in: Any, practice: BilledPractice) -> None:
    """Each line has the way to its evidence; nobody else's claim is there."""
    practice.assemble()
    claim_id = stand(practice)["RL000000001"]
    auditor: TestClient = signed_in("auditor")
    page = auditor.get(f"/claims/{claim_id}").text
    assert "99454" in page
    assert "/evidence.pdf" in page
    assert "assembled" in page
    assert "GREEN" in page
    assert auditor.get(f"/claims/{practice.new_id()}").status_code == 404
    assert auditor.post("/claims/months/2026-01").status_code == 403
    assert auditor.get("/claims/months/2024-01").status_code == 404
    assert auditor.get("/claims/months/nonsense").status_code == 404


def test_the_list_has_pages(
    signed_in: Any, engine: Engine, actor: Actor, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every claim is on exactly one of them."""
    clock.instant = FEBRUARY
    monkeypatch.setattr("rpm.web.pages.claims._ROWS", 2)
    practice = billed_practice(engine, actor, (1, 2, 3))
    practice.assemble()
    biller: TestClient = signed_in("biller")
    first = biller.get("/claims?month=2026-01").text
    address = first[first.index("cursor=") :].split('"')[0]
    second = biller.get(f"/claims?month=2026-01&status=&payer=&{address}").text
    shown = [number for number in stand(practice) if number in first]
    rest = [number for number in stand(practice) if number in second]
    assert sorted(shown + rest) == sorted(stand(practice))
    assert len(shown) == 2


def test_corrections_are_proposed_and_made_on_their_page(
    signed_in: Any, engine: Engine, actor: Actor, clock: FixedClock
) -> None:
    """A line that a later close took back is work until a person gives the word, with a reason."""
    clock.instant = FEBRUARY
    practice = Corrected(engine, actor)
    biller: TestClient = signed_in("biller")
    assert "Every claim says" in biller.get("/claims/corrections").text
    practice.lose_readings(2)
    clock.instant = practice.now
    page = biller.get("/claims/corrections").text
    assert "99445" in page
    assert "Make it anew" in page
    place = f"/claims/corrections/{practice.row.id}"
    assert biller.post(place, data={"reason": ""}).status_code == 422
    assert biller.post(place, data={"reason": "two days were a relative's"}).status_code == 303
    assert "attempt 2" in biller.get(f"/claims/{practice.row.id}").text
    assert biller.post(place, data={"reason": "again"}).status_code == 422
