"""Evidence packs over HTTP: given out as they are, recorded, and only to who may have them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from evidence_practice import FEBRUARY_CLOSE, close, supply_short
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.evidence.check import check
from billing.evidence.pack import read_pack
from rpm.access import Actor
from rpm.store.engine import reading
from rpm.store.tables.ledger import Posting
from rpm.store.tables.security import AuditEvent
from rpm.web.routes import evidence

Headers = dict[str, str]


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Any) -> Practice:
    """A practice with one patient; it is 2026-02-02."""
    clock.instant = datetime(2026, 2, 2, 15, tzinfo=UTC)
    practice = Practice(engine, actor, clock.now())
    supply_short(practice)
    return practice


@pytest.fixture
def posting(practice: Practice) -> Posting:
    """A posting of a close of January."""
    close(practice, "2026-01", FEBRUARY_CLOSE)
    with reading(practice.engine) as db:
        found = db.exec(select(Posting)).first()
    assert found is not None
    return found


def recorded(practice: Practice) -> list[dict[str, Any]]:
    """What audit events tell of packs given out."""
    with reading(practice.engine) as db:
        given = select(AuditEvent).where(col(AuditEvent.action) == "evidence.pack")
        return [event.subject for event in db.exec(given.order_by(col(AuditEvent.number)))]


def test_posting_and_close_give_packs_that_fit(
    client: TestClient, admin: Headers, practice: Practice, posting: Posting
) -> None:
    """The bytes of the answer are a pack as the checker reads it; each is recorded."""
    digests = []
    for path in (f"postings/{posting.id}", f"closes/{posting.close_id}"):
        answer = client.get(f"/v1/{path}/evidence", headers=admin)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        pack = read_pack(answer.content)
        assert check(pack) == []
        digests.append(pack["digest"])
    assert recorded(practice) == [
        {"posting_id": posting.id.hex, "pack_digest": digests[0]},
        {"close_id": posting.close_id.hex, "pack_digest": digests[1]},
    ]


def test_the_same_packs_are_given_on_paper(
    client: TestClient, admin: Headers, practice: Practice, posting: Posting
) -> None:
    """A PDF for download, named after what it is of; each is recorded with the pack's digest."""
    for path, name in (
        (f"postings/{posting.id}", f"evidence-{posting.id}.pdf"),
        (f"closes/{posting.close_id}", "evidence-close-2026-01-1.pdf"),
    ):
        answer = client.get(f"/v1/{path}/evidence.pdf", headers=admin)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert answer.content.startswith(b"%PDF-")
    assert [set(one) for one in recorded(practice)] == [
        {"posting_id", "pack_digest"},
        {"close_id", "pack_digest"},
    ]


def test_what_is_not_there_or_not_ours_gives_no_pack(
    client: TestClient, admin: Headers, stranger: Headers, practice: Practice, posting: Posting
) -> None:
    """An unknown id and a foreign one are the same answer, and nothing is recorded."""
    for area, known in (("postings", posting.id), ("closes", posting.close_id)):
        answers = [
            client.get(f"/v1/{area}/{row_id}/evidence", headers=headers)
            for row_id, headers in ((uuid4(), admin), (known, stranger))
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert recorded(practice) == []


def test_a_close_of_too_many_postings_is_refused(
    client: TestClient,
    admin: Headers,
    practice: Practice,
    posting: Posting,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beyond the limit the command is named instead."""
    monkeypatch.setattr(evidence, "MOST_POSTINGS", 1)
    answer = client.get(f"/v1/closes/{posting.close_id}/evidence", headers=admin)
    assert answer.status_code == 413
    assert "command" in answer.json()["detail"]
    assert recorded(practice) == []
