"""The screens of the month close: what is open, the preview, the close once, and its files."""

import html
import re
from datetime import UTC, datetime

import pytest
from conftest import FixedClock
from evidence_practice import management, record_practitioner, supply_long, supply_short
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Export, Posting
from rpm.store.tables.security import AuditEvent

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """A practice with three patients that earn codes in January; it is February 2, 2026."""
    clock.instant = FEBRUARY
    practice = Practice(engine, actor, clock.now())
    supply_long(practice)
    supply_short(practice)
    management(practice, record_practitioner(practice))
    return practice


def seen_in(page: str) -> str:
    """What a preview seals into its form."""
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    return html.unescape(found.group(1))


def closed(browser: TestClient, month: str = "2026-01") -> str:
    """Closes a month as a person does and gives the path of the close."""
    seen = seen_in(browser.get(f"/close/{month}/preview").text)
    confirmed = browser.post(f"/close/{month}/confirm", data={"seen": seen})
    assert confirmed.status_code == 200
    done = browser.post(f"/close/{month}", data={"seen": seen, "reason": "January"})
    found = re.search(r'href="(/close/closes/[^"]+)"', done.text)
    assert found is not None
    return found.group(1)


def test_a_biller_previews_confirms_and_closes_once(signed_in, practice: Practice) -> None:
    """The figures of the preview, the confirmation and the close are the same, and posted once."""
    biller = signed_in("biller")
    overview = biller.get("/close").text
    assert "Jan 2026" in overview
    assert "not closed yet" in overview
    preview = biller.get("/close/2026-01/preview").text
    assert "Computing" in preview
    seen = seen_in(preview)
    amount = re.search(r'class="figure">(\$[\d,.]+)<', preview)
    assert amount is not None
    assert amount.group(1) in biller.post("/close/2026-01/confirm", data={"seen": seen}).text
    done = biller.post("/close/2026-01", data={"seen": seen, "reason": "January"})
    assert "Jan 2026 is closed" in done.text
    again = biller.post("/close/2026-01", data={"seen": seen})
    assert "nothing was posted twice" in again.text
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        close = scope.all_of(db, Close)
        assert len(close) == 1
        posted = scope.all_of(db, Posting)
        assert sum(one.amount_cents or 0 for one in posted) == close[0].totals["amount_cents"]
        assert f"${close[0].totals['amount_cents'] / 100:,.2f}" == amount.group(1)
        recorded = db.exec(select(AuditEvent).where(col(AuditEvent.action) == "close.month")).one()
        assert recorded.reason == "January"


def test_what_changed_since_the_preview_is_not_posted(signed_in, practice: Practice) -> None:
    """After a correction between preview and confirmation, nothing is posted."""
    biller = signed_in("biller")
    seen = seen_in(biller.get("/close/2026-01/preview").text)
    supply_short(practice)
    answer = biller.post("/close/2026-01", data={"seen": seen})
    assert "nothing was posted" in answer.text
    assert "/close/2026-01/preview" in answer.text
    with reading(practice.engine) as db:
        assert Scope.of(practice.actor).all_of(db, Close) == []


def test_a_close_shows_lines_findings_and_what_was_known(signed_in, practice: Practice) -> None:
    """Patients by name, sums by code, each finding with who can settle it, the rule pages."""
    biller = signed_in("biller")
    page = biller.get(closed(biller)).text
    for told in ("99454", "99445", "99457", "99458", "medicare-b-2026", "What was known then"):
        assert told in page
    assert "Clerical time left out" in page
    with reading(practice.engine) as db:
        for patient in Scope.of(practice.actor).all_of(db, Posting):
            assert f"/close/lines/{patient.id}/evidence.pdf" in page


def test_late_work_is_a_difference_of_the_next_close(signed_in, practice: Practice) -> None:
    """After the close a further patient's January shows as a difference, with its reason."""
    biller = signed_in("biller")
    closed(biller)
    assert "would post nothing" in biller.get("/close/2026-01/preview").text
    supply_short(practice)
    preview = biller.get("/close/2026-01/preview").text
    assert "What close 2 would post" in preview
    assert "its period was closed before" in preview


def test_files_and_evidence_are_downloaded_and_recorded(signed_in, practice: Practice) -> None:
    """The service lines, the manifest and the evidence on paper; each download leaves its event."""
    biller = signed_in("biller")
    path = closed(biller)
    table = biller.post(f"{path}/files/service-lines.csv")
    assert table.headers["content-disposition"] == (
        'attachment; filename="close-2026-01-1-service-lines.csv"'
    )
    assert table.headers["content-type"].startswith("text/csv")
    assert "99454" in table.text
    evidence = biller.post(f"{path}/evidence.pdf")
    assert evidence.content.startswith(b"%PDF-")
    assert biller.post(f"{path}/files/passwords.txt").status_code == 404
    with reading(practice.engine) as db:
        assert len(Scope.of(practice.actor).all_of(db, Export)) == 1
        posting = Scope.of(practice.actor).all_of(db, Posting)[0]
    line = biller.post(f"/close/lines/{posting.id}/evidence.pdf")
    assert line.content.startswith(b"%PDF-")


def test_an_auditor_looks_and_closes_nothing(signed_in, practice: Practice) -> None:
    """The auditor sees preview and close without their buttons, and is refused behind them."""
    biller, auditor = signed_in("biller"), signed_in("auditor")
    preview = auditor.get("/close/2026-01/preview")
    assert "What close 1 would post" in preview.text
    assert "Go on to close" not in preview.text
    path = closed(biller)
    page = auditor.get(path)
    assert "Service lines (CSV)" not in page.text
    assert auditor.post(f"{path}/files/service-lines.csv").status_code == 403
    assert auditor.post("/close/2026-01", data={"seen": "x"}).status_code == 403


def test_another_practice_sees_no_close(signed_in, practice: Practice, other_actor: Actor) -> None:
    """A foreign close is not found, and a preview confirmed elsewhere does not count."""
    biller, stranger = signed_in("biller"), signed_in(actor=other_actor)
    seen = seen_in(biller.get("/close/2026-01/preview").text)
    assert stranger.get(closed(biller)).status_code == 404
    assert stranger.post("/close/2026-01/confirm", data={"seen": seen}).status_code == 400


@pytest.mark.parametrize("month", ["2026-13", "never", "2026-02"])
def test_a_month_that_is_none_or_not_over_is_refused(
    signed_in, practice: Practice, month: str
) -> None:
    """A word that is no month is not found; a month that runs is told on the page."""
    answer = signed_in("biller").get(f"/close/{month}/preview")
    if month == "2026-02":
        assert "The month is not over in the practice&#39;s time zone." in answer.text
    else:
        assert answer.status_code == 404


def test_the_checklist_tells_what_is_open(signed_in, practice: Practice) -> None:
    """A payer without a rule page and a close without downloads stand on the list."""
    biller = signed_in("biller")
    practice.payer("UNRULED")
    closed(biller)
    page = biller.get("/close").text
    assert "no rule page for UNRULED" in page
    assert "never downloaded" in page
