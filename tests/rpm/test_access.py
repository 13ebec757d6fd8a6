"""Roles, permissions, tokens and scopes."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy.engine import Engine

from rpm.access import (
    PERMISSIONS,
    ROLE_PERMISSIONS,
    Actor,
    new_token,
    permissions_of,
    require,
    system_actor,
    token_hash,
)
from rpm.errors import InvalidRequest, NotAllowed, NotAuthentic, NotFound
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope, actor_of_token, note_token_use
from rpm.store.tables.people import ApiToken, Payer, User

if TYPE_CHECKING:
    from conftest import FixedClock


def issue(engine: Engine, actor: Actor, clock: "FixedClock", *words: str) -> tuple[str, ApiToken]:
    """A token of the actor's user with these permissions, valid for a day."""
    text = new_token()
    now = clock.now()
    with transaction(engine) as session, recording(session, actor, now, "token.issue") as record:
        assert actor.user_id is not None
        row = record.add(
            ApiToken(
                user_id=actor.user_id,
                token_hash=token_hash(text),
                name="test",
                permissions=sorted(words),
                created_at=now,
                expires_at=now + timedelta(days=1),
            )
        )
    return text, row


def change(engine: Engine, row: ApiToken | User, **values: object) -> None:
    """Change a mutable row."""
    with transaction(engine) as session:
        kept = session.get(type(row), (row.organization_id, row.id))
        assert kept is not None
        for name, value in values.items():
            setattr(kept, name, value)
        session.add(kept)


def test_roles_hold_known_permissions_only() -> None:
    """Every role's permissions are known words, and each word is held by some role."""
    assert set().union(*ROLE_PERMISSIONS.values()) == PERMISSIONS
    assert set(ROLE_PERMISSIONS) == {
        "practice_admin",
        "practitioner",
        "clinical_staff",
        "clerical_staff",
        "biller",
        "auditor",
    }


def test_an_auditor_changes_nothing() -> None:
    """The auditor's permissions are all for reading."""
    assert all(word.endswith(":read") for word in ROLE_PERMISSIONS["auditor"])


def test_clerical_staff_logs_no_time_and_sees_no_ledger() -> None:
    """Clerical staff may neither log billable time nor see what is billed."""
    held = ROLE_PERMISSIONS["clerical_staff"]
    assert not held & {"entries:write", "ledger:read", "close:run", "audit:read"}


def test_a_missing_permission_is_refused_by_name() -> None:
    """What is lacking is named; a word that does not exist is a programming error."""
    nobody = Actor(uuid4(), None, None, "biller", frozenset(), "n")
    with pytest.raises(NotAllowed, match="close:run"):
        require(nobody, "close:run")
    with pytest.raises(KeyError):
        require(nobody, "close:runn")
    require(system_actor(uuid4(), "job"), "close:run")


def test_a_token_is_given_part_of_its_role_and_never_more() -> None:
    """Asking for less than the role gives less; asking for more or for nonsense is refused."""
    assert permissions_of("biller", ["ledger:read"]) == {"ledger:read"}
    assert permissions_of("biller") == ROLE_PERMISSIONS["biller"]
    with pytest.raises(NotAllowed):
        permissions_of("biller", ["audit:read"])
    with pytest.raises(InvalidRequest):
        permissions_of("biller", ["everything"])
    with pytest.raises(InvalidRequest):
        permissions_of("owner")


def test_tokens_are_long_random_and_kept_as_hashes() -> None:
    """A token has 256 random bits behind its prefix, and its hash does not contain it."""
    first, second = new_token(), new_token()
    assert first != second
    assert first.startswith("rl_")
    assert len(first) == len("rl_") + 43
    assert first not in token_hash(first)
    assert token_hash("\ud800") != token_hash("x")


def test_a_token_makes_its_users_actor(engine: Engine, actor: Actor, clock: "FixedClock") -> None:
    """A valid token gives organization, user, role and just the permissions it was given."""
    text, row = issue(engine, actor, clock, "ledger:read")
    with reading(engine) as session:
        found = actor_of_token(session, text, clock.now())
    assert found == Actor(
        actor.organization_id,
        actor.user_id,
        row.id,
        "practice_admin",
        frozenset({"ledger:read"}),
        "Ada Admin",
    )


def test_unknown_expired_and_revoked_tokens_are_not_authentic(
    engine: Engine, actor: Actor, clock: "FixedClock"
) -> None:
    """A token ends by time, by revocation and with its user's access."""
    now = clock.now()
    text, row = issue(engine, actor, clock, "ledger:read")
    revoked, revoked_row = issue(engine, actor, clock, "ledger:read")
    change(engine, revoked_row, revoked_at=now)
    with reading(engine) as session:
        assert actor_of_token(session, text, now).token_id == row.id
        for wrong, at in ((new_token(), now), (text, now + timedelta(days=1)), (revoked, now)):
            with pytest.raises(NotAuthentic):
                actor_of_token(session, wrong, at)
    with reading(engine) as session:
        user = session.get(User, (actor.organization_id, actor.user_id))
    assert user is not None
    change(engine, user, active=False)
    with reading(engine) as session, pytest.raises(NotAuthentic):
        actor_of_token(session, text, now)


def test_a_demoted_user_keeps_only_what_the_new_role_has(
    engine: Engine, actor: Actor, clock: "FixedClock"
) -> None:
    """An old token loses what its user's role no longer allows."""
    text, _ = issue(engine, actor, clock, "ledger:read", "close:run")
    with reading(engine) as session:
        user = session.get(User, (actor.organization_id, actor.user_id))
    assert user is not None
    change(engine, user, role="auditor")
    with reading(engine) as session:
        assert actor_of_token(session, text, clock.now()).permissions == {"ledger:read"}


def test_last_use_is_kept_to_the_minute(engine: Engine, actor: Actor, clock: "FixedClock") -> None:
    """Use within a minute of the last noted one is not written again."""
    text, row = issue(engine, actor, clock, "ledger:read")
    start = clock.now()
    noted = []
    for seconds in (0, 30, 61):
        now = start + timedelta(seconds=seconds)
        with transaction(engine) as session:
            note_token_use(session, actor_of_token(session, text, now), now)
        with reading(engine) as session:
            kept = session.get(ApiToken, (row.organization_id, row.id))
            assert kept is not None
            noted.append(kept.last_used_at)
    assert noted == [start, start, start + timedelta(seconds=61)]


def test_a_scope_sees_its_own_organization_only(
    engine: Engine, actor: Actor, other_actor: Actor, clock: "FixedClock"
) -> None:
    """Another organization's row is as if it did not exist."""
    with (
        transaction(engine) as session,
        recording(session, actor, clock.now(), "payer.add") as record,
    ):
        payer = record.add(Payer(key="MEDICARE_B", name="Medicare"))
    with reading(engine) as session:
        own, other = Scope.of(actor), Scope.of(other_actor)
        assert own.get(session, Payer, payer.id).key == "MEDICARE_B"
        assert [row.id for row in own.all_of(session, Payer)] == [payer.id]
        assert list(other.all_of(session, Payer)) == []
        with pytest.raises(NotFound):
            other.get(session, Payer, payer.id)
