"""S1, S2, S3: only the vendor delivers, a replay has no effect, secrets rotate without loss."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from intake_door import Door, body_of, weight
from promised import Promised
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select
from standardwebhooks import Webhook
from starlette.testclient import TestClient

from devices.authenticity import Scheme
from devices.delivery import Incoming, Secret
from devices.proof import Proof, prove
from devices.vendor import VENDORS
from rpm.access import Actor
from rpm.actions.connection_secrets import keep_secret
from rpm.actions.connection_settings import settings_of
from rpm.actions.manage_connections import RotateSecret, rotate_secret
from rpm.clock import Clock
from rpm.errors import NotAuthentic
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import Delivery, Reading
from rpm.store.tables.security import AuditEvent
from rpm.web.app import create_app

VECTORS = json.loads(
    (Path(__file__).parent.parent / "files/devices/signatures/vectors.json").read_text()
)
SCHEMES = VENDORS["generic"].schemes
SIGNING = tuple(one for one in SCHEMES if one.kind not in {"header", "basic", "query"})
BODY = json.dumps(weight("r-1", patient_ref="MRN-" + "7" * 40)).encode()
AT_ONCE = 8
MakeDoor = Callable[..., Door]


@pytest.fixture
def made(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> MakeDoor:
    """Makes connections with a scheme."""

    def make(scheme: Scheme) -> Door:
        name = f"{scheme.kind} gateway"
        asked = {"kind": scheme.kind} | ({"name": scheme.name} if scheme.name else {})
        return Door(engine, settings, actor, clock.now(), name=name, scheme=asked)

    return make


def kinds(scheme: Scheme) -> str:
    """How a scheme is called in the names of tests."""
    return scheme.kind


def proof_of(door: Door, body: bytes = BODY, at: datetime | None = None) -> Proof:
    """What the connection's sender adds to a body."""
    scheme = settings_of(door.connection).scheme
    return prove(scheme, Secret(door.secret), "msg-1", at or door.now, body)


def other(character: str) -> str:
    """Another character of the same kind, never the same letter in another case."""
    for first, last in ("az", "AZ", "09"):
        if first <= character <= last:
            return first if character == last else chr(ord(character) + 1)
    return "x"


def changed_texts(text: str) -> Iterator[str]:
    """The text with each character changed, one at a time."""
    for place, character in enumerate(text):
        yield text[:place] + other(character) + text[place + 1 :]


def changed_proofs(proof: Proof) -> Iterator[Proof]:
    """The proof with each byte of its headers' names and values and of its query changed."""
    for name, value in proof.headers.items():
        rest = {one: text for one, text in proof.headers.items() if one != name}
        for changed in changed_texts(name):
            yield Proof(rest | {changed: value}, proof.query)
        for changed in changed_texts(value):
            yield Proof(rest | {name: changed}, proof.query)
        yield Proof(rest, proof.query)
    for changed in changed_texts(proof.query):
        yield Proof(proof.headers, changed)
    yield Proof()


def changed_bodies(body: bytes, count: int) -> Iterator[bytes]:
    """The body with so many of its bytes changed, one at a time, and cut, longer, and gone."""
    draw = Random(len(body))
    for place in draw.sample(range(len(body)), min(count, len(body))):
        yield body[:place] + bytes([body[place] ^ draw.randint(1, 255)]) + body[place + 1 :]
    yield from (body[:-1], body[1:], body + b" ", b"", body + body)


def rows(engine: Engine) -> tuple[int, ...]:
    """How many deliveries, readings and audit events there are."""
    with reading(engine) as db:
        return tuple(
            db.exec(select(func.count(col(column)))).one()
            for column in (Delivery.id, Reading.id, AuditEvent.id)
        )


def status(client: TestClient, address: str, proof: Proof, body: bytes) -> int:
    """The status of the real application's answer."""
    query = f"?{proof.query}" if proof.query else ""
    answer = client.post(f"{address}{query}", content=body, headers=proof.headers)
    return answer.status_code


@pytest.mark.promise("S1")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scheme", SCHEMES, ids=kinds)
def test_only_the_vendor_can_deliver(
    engine: Engine,
    settings: Settings,
    clock: Clock,
    made: MakeDoor,
    promised: Promised,
    scheme: Scheme,
) -> None:
    """Each byte of the proof and 200 of a signed body changed: 401, and nothing is stored."""
    door = made(scheme)
    address, proof = f"/webhooks/generic/{door.token}", proof_of(door)
    tries = [(address, changed, BODY) for changed in changed_proofs(proof)]
    tries += [(f"/webhooks/generic/{one}", proof, BODY) for one in changed_texts(door.token)]
    tries += [(f"/webhooks/{one}/{door.token}", proof, BODY) for one in ("telli", "none")]
    if scheme in SIGNING:
        tries += [(address, proof, one) for one in changed_bodies(BODY, 200)]
    if scheme in SIGNING and scheme.kind not in {"polar", "hub-sha256"}:  # these have no time
        misdated = [door.now + timedelta(seconds=off) for off in (-301, 301, -86_400, 86_400)]
        tries += [(address, proof_of(door, at=at), BODY) for at in misdated]
    tried = Random(1).sample(tries, promised.count(len(tries), min(60, len(tries))))
    with TestClient(create_app(settings, clock)) as client:
        before = rows(engine)
        answers = {status(client, *one) for one in tried}
        assert answers == {401}
        assert rows(engine) == before
        assert status(client, address, proof, BODY) == 200
    promised.reached(f"{scheme.kind}: {len(tried)} changed deliveries: all 401, 0 rows")


@pytest.mark.promise("S1")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_malformed_headers_are_refused_cleanly(
    engine: Engine, settings: Settings, clock: Clock, made: MakeDoor, promised: Promised
) -> None:
    """Whatever stands in the headers of any scheme: 401, never an error of ours."""
    words = ("", ",", "v1", "v1,", "v1,=", "t=", "t=1,v1=", "sha256=", "Basic", "Basic =", "Bearer")
    values = [*(word.encode() for word in words), b"\xff\xfe", b"9" * 30, b"v1,QQ== " * 500]
    tried = 0
    with TestClient(create_app(settings, clock)) as client:
        for scheme in SCHEMES:
            door = made(scheme)
            before = rows(engine)
            for value in values:
                headers = {name.encode(): value for name in proof_of(door).headers}
                answer = client.post(
                    f"/webhooks/generic/{door.token}?token=&token=x",
                    content=BODY,
                    headers=headers,
                )
                assert answer.status_code == 401, (scheme.kind, value)
                tried += 1
            assert rows(engine) == before
    promised.reached(f"{tried} malformed headers: all 401, 0 status 500")


@pytest.mark.promise("S1")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_published_vectors_are_answered_as_they_say(
    engine: Engine, settings: Settings, clock: Any, made: MakeDoor, promised: Promised
) -> None:
    """Each published case goes through the door: stored where it is valid, else 401."""
    at = datetime.fromtimestamp(VECTORS["now"], UTC)
    clock.advance(seconds=(at - clock.now()).total_seconds())
    with TestClient(create_app(settings, clock)) as client:
        for case in VECTORS["cases"]:
            door = made(scheme_of(case))
            with transaction(engine) as db:
                secret = case.get("secret") or case["public_key"]
                keep_secret(door.connection, door.ring, secret)
                db.merge(door.connection)
            address = f"/webhooks/generic/{door.token}"
            answer = status(client, address, Proof(case["headers"]), case["body"].encode())
            assert answer in ({200, 202} if case["valid"] else {401}), case
    promised.reached(f"{len(VECTORS['cases'])} published vectors: each as it says")


def scheme_of(case: dict[str, Any]) -> Scheme:
    """The scheme of a published case, with the header that it names."""
    if case["scheme"] == "static-header":
        return Scheme("header", name=next(iter(case["headers"])))
    kind = "standard-webhooks" if "standard-webhooks" in case["scheme"] else case["scheme"]
    return Scheme(kind)


@pytest.mark.promise("S2")
@pytest.mark.parametrize("at_once", [AT_ONCE, 50])
def test_a_replay_has_no_effect(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: Clock,
    promised: Promised,
    at_once: int,
) -> None:
    """The same bytes a thousand times, several at once: one delivery, one reading, one day."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    body = body_of(weight("r-1"))
    headers = {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(int(door.now.timestamp())),
        "webhook-signature": Webhook(door.secret).sign("msg-1", door.now, body.decode()),
    }
    deliveries, readings, events = rows(engine)
    times = promised.count(1_000, 60)
    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda _: door.take(Incoming(headers, body)), range(times)))
    assert all(answer == answers[0] for answer in answers)
    assert rows(engine) == (deliveries + 1, readings + 1, events + 1)
    assert list(door.days().values()) == [(1, 0)]
    promised.reached(f"{engine.dialect.name}: {times:,} times, {at_once} at once: 1 row")


def rotated(door: Door, overlap_hours: int) -> str:
    """The new secret of a connection."""
    command = RotateSecret(connection_id=door.connection.id, overlap_hours=overlap_hours)
    with transaction(door.engine) as db:
        made = rotate_secret(db, door.actor, door.now, door.ring, command)
    assert made.secret is not None
    return made.secret


def send(door: Door, secret: str, number: int) -> bool:
    """Whether a delivery that is proved by a secret is taken."""
    body = body_of(weight(f"r-{number}"))
    scheme = settings_of(door.connection).scheme
    proof = prove(scheme, Secret(secret), f"msg-{number}", door.now, body)
    try:
        door.take(Incoming(proof.headers, body, proof.query))
    except NotAuthentic:
        return False
    return True


@pytest.mark.promise("S3")
@pytest.mark.parametrize("scheme", SCHEMES, ids=kinds)
def test_secrets_rotate_without_loss(made: MakeDoor, promised: Promised, scheme: Scheme) -> None:
    """Senders that take the new secret early or late lose nothing; then the old one is refused."""
    door = made(scheme)
    secret, number, refused = door.secret, 0, 0
    for _ in range(promised.count(3, 1)):
        new, began = rotated(door, overlap_hours=24), door.now
        steps = promised.count(48, 4)
        for step in range(steps):
            door.now = began + timedelta(hours=24) * step / steps
            assert send(door, secret, number)
            assert send(door, new, number + 1)
            number += 2
        door.now = began + timedelta(hours=24, seconds=-1)
        assert send(door, secret, number)
        door.now = began + timedelta(hours=24)
        assert not send(door, secret, number + 1)
        assert send(door, new, number + 1)
        secret, number, refused = new, number + 2, refused + 1
    promised.reached(
        f"{scheme.kind}: {number} deliveries taken, old secret refused {refused} times"
    )


@pytest.mark.promise("S3")
def test_no_delivery_is_lost_while_the_secret_changes(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock, promised: Promised
) -> None:
    """A stream that goes on at the very moment of the rotation is taken, each delivery of it."""
    door = Door(engine, settings, actor, clock.now())
    old, times = door.secret, promised.count(400, 40)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [pool.submit(send, door, old, number) for number in range(times)]
        sent[times // 4].result()
        new = rotated(door, overlap_hours=1)
        sent += [pool.submit(send, door, new, number) for number in range(times, 2 * times)]
        assert all(one.result() for one in sent)
    deliveries, readings, _ = rows(engine)
    assert (deliveries, readings) == (2 * times, 2 * times)
    promised.reached(f"{engine.dialect.name}: {2 * times} deliveries through a rotation, 0 refused")
