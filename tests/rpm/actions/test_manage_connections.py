"""Connections: token and secret shown once, secrets rotated with an overlap, doors closed."""

from datetime import timedelta

import pytest
from intake_door import Door, weight
from pydantic import ValidationError
from sqlalchemy.engine import Engine

from rpm.access import ROLE_PERMISSIONS, Actor, token_hash
from rpm.actions.connection_secrets import good_secrets
from rpm.actions.manage_connections import (
    CreateConnection,
    RetireConnection,
    RotateSecret,
    ShownOnce,
    create_connection,
    retire_connection,
    rotate_secret,
)
from rpm.clock import Clock
from rpm.errors import Conflict, NotAllowed, NotFound, NotReady
from rpm.keys import key_ring
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.queries.connections import connection_of_token
from rpm.store.tables.monitoring import Connection


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection."""
    return Door(engine, settings, actor, clock.now())


def _rotate(door: Door, hours: int, actor: Actor | None = None) -> ShownOnce:
    with transaction(door.engine) as db:
        command = RotateSecret(connection_id=door.connection.id, overlap_hours=hours)
        return rotate_secret(db, actor or door.actor, door.now, door.ring, command)


def _retire(door: Door, actor: Actor | None = None) -> Connection:
    with transaction(door.engine) as db:
        command = RetireConnection(connection_id=door.connection.id, reason="vendor changed")
        return retire_connection(db, actor or door.actor, door.now, command)


def _secrets(door: Door, hours_later: float = 0) -> list[str]:
    with reading(door.engine) as db:
        connection = db.get_one(Connection, (door.organization_id, door.connection.id))
        at = door.now + timedelta(hours=hours_later)
        return [secret.text for secret in good_secrets(connection, door.ring, at)]


def test_token_and_secret_are_not_kept_readable(door: Door) -> None:
    """The database holds the token's hash and the secret encrypted; nothing shows either."""
    with reading(door.engine) as db:
        stored = db.get_one(Connection, (door.organization_id, door.connection.id))
    assert stored.token_hash == token_hash(door.token)
    assert door.secret.encode() not in stored.secret_encrypted
    shown = ShownOnce(stored, door.secret, door.token)
    assert door.secret not in repr(shown)
    assert door.token not in repr(shown)
    assert shown.path == f"/webhooks/generic/{door.token}"
    assert len(door.token) >= 43


def test_an_old_secret_ends_after_the_overlap(door: Door) -> None:
    """Both secrets are good until the overlap is over, then only the new one."""
    new = _rotate(door, hours=24).secret
    assert _secrets(door) == [door.secret, new]
    assert _secrets(door, hours_later=23.9) == [door.secret, new]
    assert _secrets(door, hours_later=24) == [new]


def test_no_overlap_ends_the_old_secret_at_once(door: Door) -> None:
    """A leaked secret can be ended at the moment of rotation, and is forgotten by the next."""
    second = _rotate(door, hours=0).secret
    assert _secrets(door) == [second]
    third = _rotate(door, hours=2).secret
    assert _secrets(door) == [second, third]


def test_a_secret_that_ends_is_not_prolonged_by_the_next_rotation(door: Door) -> None:
    """A second rotation never gives an ending secret more time."""
    second = _rotate(door, hours=1).secret
    third = _rotate(door, hours=48).secret
    assert _secrets(door, hours_later=2) == [second, third]


def test_secrets_need_the_installations_key(door: Door) -> None:
    """Without the field key that encrypted them, secrets cannot be read."""
    other = key_ring("another key that is long enough")
    with pytest.raises(NotReady):
        good_secrets(door.connection, other, door.now)


def test_a_retired_connection_is_closed_for_good(door: Door) -> None:
    """A retired connection is not found by its token and changes no more."""
    _retire(door)
    with reading(door.engine) as db:
        assert connection_of_token(db, "generic", door.token) is None
    with pytest.raises(Conflict):
        _retire(door)
    with pytest.raises(Conflict):
        _rotate(door, hours=1)


def test_connections_need_permission_and_stay_in_their_organization(
    door: Door, other_actor: Actor
) -> None:
    """Other roles and other organizations can neither make nor change a connection."""
    nurse = Actor(
        door.organization_id, None, None, "rn", ROLE_PERMISSIONS["clinical_staff"], "Nora"
    )
    command = CreateConnection(vendor="generic", name="Mine")
    with transaction(door.engine) as db, pytest.raises(NotAllowed):
        create_connection(db, nurse, door.now, door.ring, command)
    with pytest.raises(NotAllowed):
        _rotate(door, 1, nurse)
    with pytest.raises(NotFound):
        _retire(door, other_actor)
    assert _secrets(door) == [door.secret]


def test_a_vendor_must_be_known() -> None:
    """A connection is only made for a vendor whose format is read."""
    with pytest.raises(ValidationError):
        CreateConnection(vendor="unheard-of", name="Gateway")


def test_a_connection_that_continues_another_knows_its_readings(
    door: Door, other_actor: Actor
) -> None:
    """After a change of address the sender's readings are not taken a second time."""
    door.enrolled_with_scale()
    door.send(weight("r-1"))
    earlier = door.connection.id
    for continues, told in ((earlier, "duplicate"), (None, "accepted")):
        command = CreateConnection(vendor="generic", name="New address", continues_id=continues)
        with transaction(door.engine) as db:
            made = create_connection(db, door.actor, door.now, door.ring, command)
        assert made.token is not None
        door.token, door.secret = made.token, made.secret
        assert door.statuses(weight("r-1")) == [told]
    foreign = CreateConnection(vendor="generic", name="Mine", continues_id=earlier)
    with transaction(door.engine) as db, pytest.raises(NotFound):
        create_connection(db, other_actor, door.now, door.ring, foreign)
