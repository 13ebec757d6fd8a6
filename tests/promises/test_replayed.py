"""S2 over HTTP: the same bytes again and again, many at once, at a running server, make one row."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from intake_door import Door, body_of, weight
from promised import Promised
from served import Answer, Service
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select
from standardwebhooks import Webhook

from rpm.access import Actor
from rpm.actions.verify import verify_record
from rpm.store.engine import reading
from rpm.store.tables.monitoring import Delivery, Reading
from rpm.store.tables.security import AuditEvent

AT_ONCE = 50


def rows(engine: Engine) -> tuple[int, ...]:
    """How many deliveries, readings and audit events there are."""
    with reading(engine) as db:
        return tuple(
            db.exec(select(func.count(col(column)))).one()
            for column in (Delivery.id, Reading.id, AuditEvent.id)
        )


@pytest.mark.promise("S2")
def test_the_public_client_delivers_once(
    engine: Engine, actor: Actor, door: Door, service: Service, promised: Promised
) -> None:
    """Signed by the client of Standard Webhooks: accepted, and known however often it comes."""
    now = datetime.now(UTC)
    body = body_of(weight("r-1", now.replace(microsecond=0).isoformat()))
    headers = {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(door.secret).sign("msg-1", now, body.decode()),
    }

    def post(_: int) -> Answer:
        return service.ask("POST", f"/webhooks/generic/{door.token}", body, headers)

    service.start()
    deliveries, readings, events = rows(engine)
    times = promised.count(1_000, 60)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(post, range(times)))
    service.kill()
    assert {answer.status for answer in answers} == {200}
    told = answers[0].json()
    assert all(answer.json() == told for answer in answers)
    assert [item["status"] for item in told["items"]] == ["accepted"]
    assert rows(engine) == (deliveries + 1, readings + 1, events + 1)
    assert sum(counted for counted, _ in door.days().values()) == 1
    with reading(engine) as db:
        assert verify_record(db, actor) == []
    promised.reached(
        f"{engine.dialect.name}, over HTTP, signed by the client of Standard Webhooks:"
        f" {times:,} times, {AT_ONCE} at once: 1 row"
    )
