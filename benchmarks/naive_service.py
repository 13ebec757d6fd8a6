"""The service that the product's door is measured beside: FastAPI and SQLModel as taught.

Owns the comparison only. It checks the same signature, ignores duplicates by a unique key and keeps
one row a device and day, reading by reading through the session; it keeps no raw body, no audit
event and no versions. Run as ``python -m benchmarks.naive_service PORT URL SECRET``.
"""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url
from sqlmodel import Field, Session, SQLModel, UniqueConstraint, create_engine, select
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

POOL = 32


class NaiveReading(SQLModel, table=True):
    """A reading."""

    __table_args__ = (UniqueConstraint("reading_id"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    reading_id: str
    device_id: str = Field(index=True)
    kind: str
    value: str
    unit: str
    measured_at: datetime
    received_at: datetime


class NaiveDay(SQLModel, table=True):
    """A device with a reading on a day."""

    device_id: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    count: int = 0


class Sent(BaseModel):
    """One reading as sent."""

    id: str
    device_id: str
    kind: str
    components: list[dict[str, Any]]
    measured_at: datetime
    entry_method: str


class Batch(BaseModel):
    """Several."""

    readings: list[Sent]


def naive_engine(url: str) -> Engine:
    """An engine as careful about the disk as the product's."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=POOL)
    else:
        engine = create_engine(parsed, connect_args={"timeout": 60}, pool_size=POOL)

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")

    SQLModel.metadata.create_all(engine, tables=[_table(NaiveReading), _table(NaiveDay)])
    return engine


def _table(model: Any) -> Any:
    return model.__table__


def naive_app(engine: Engine, secret: str) -> FastAPI:
    """One route."""
    app, webhook = FastAPI(), Webhook(secret)

    async def body_of(request: Request) -> bytes:
        return await request.body()

    @app.post("/deliver")
    def deliver(request: Request, body: Annotated[bytes, Depends(body_of)]) -> dict[str, int]:
        try:
            webhook.verify(body.decode(), dict(request.headers))
        except WebhookVerificationError as error:
            raise HTTPException(401) from error
        many = body.startswith(b'{"readings"')
        sent = (
            Batch.model_validate_json(body).readings if many else [Sent.model_validate_json(body)]
        )
        with Session(engine) as session:
            for one in sent:
                _store(session, one)
            session.commit()
        return {"stored": len(sent)}

    return app


def _store(session: Session, sent: Sent) -> None:
    known = select(NaiveReading).where(NaiveReading.reading_id == sent.id)
    if session.exec(known).first() is not None:
        return
    part = sent.components[0]
    session.add(
        NaiveReading(
            reading_id=sent.id,
            device_id=sent.device_id,
            kind=sent.kind,
            value=part["value"],
            unit=part["unit"],
            measured_at=sent.measured_at,
            received_at=datetime.now(UTC),
        )
    )
    day = session.get(NaiveDay, (sent.device_id, sent.measured_at.date().isoformat()))
    if day is None:
        day = NaiveDay(device_id=sent.device_id, day=sent.measured_at.date().isoformat())
    day.count += 1
    session.add(day)
    session.flush()


if __name__ == "__main__":
    uvicorn.run(
        naive_app(naive_engine(sys.argv[2]), sys.argv[3]),
        port=int(sys.argv[1]),
        access_log=False,
        log_level="error",
    )
