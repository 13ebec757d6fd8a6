"""Users and tokens: nobody gives more than they hold, and what is taken away is gone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from practice import Practice
from pydantic import ValidationError

from rpm.access import ROLE_PERMISSIONS
from rpm.actions.manage_access import (
    AddUser,
    ChangeUser,
    CreateToken,
    RevokeToken,
    add_user,
    change_user,
    create_token,
    revoke_token,
)
from rpm.errors import Conflict, NotAllowed, NotAuthentic, NotFound
from rpm.store.queries.people import tokens_of_user
from rpm.store.scope import Scope, actor_of_token

NURSE = AddUser(name="Nora Nurse", email="nora@example.org", role="clinical_staff")


def test_a_user_has_one_address(practice: Practice) -> None:
    """A second user of the same address is refused, in upper or lower case."""
    user = add_user(practice.db, practice.actor, practice.now, NURSE)
    assert (user.active, user.role) == (True, "clinical_staff")
    with practice.refused(Conflict):
        again = NURSE.model_copy(update={"email": "Nora@Example.org"})
        add_user(practice.db, practice.actor, practice.now, again)
    with pytest.raises(ValidationError):
        AddUser(name="N", email="nobody", role="clinical_staff")


def test_a_token_opens_what_it_was_given(practice: Practice) -> None:
    """A token's text is known to its holder only and opens its permissions until it expires."""
    user, _ = practice.add_user("clinical_staff")
    command = CreateToken(
        user_id=user.id, name="ward", permissions=["entries:write"], valid_days=30
    )
    made = create_token(practice.db, practice.actor, practice.now, command)
    assert made.secret not in repr(made.token)
    actor = actor_of_token(practice.db, made.secret, practice.now)
    assert (actor.user_id, actor.permissions) == (user.id, frozenset({"entries:write"}))
    with pytest.raises(NotAuthentic):
        actor_of_token(practice.db, made.secret, practice.now + timedelta(days=30))
    [kept] = tokens_of_user(practice.db, Scope.of(practice.actor), user.id)
    assert kept.id == made.token.id


def test_a_token_has_the_whole_role_by_default(practice: Practice) -> None:
    """Without a choice a token has every permission of its user's role."""
    user, _ = practice.add_user("biller")
    command = CreateToken(user_id=user.id, name="office")
    made = create_token(practice.db, practice.actor, practice.now, command)
    assert frozenset(made.token.permissions) == ROLE_PERMISSIONS["biller"]


def test_nobody_gives_more_than_the_role_or_they_hold(practice: Practice) -> None:
    """Neither a role's limit nor the giver's own is passed, by token or by role."""
    user, _ = practice.add_user("biller")
    with practice.refused(NotAllowed):
        too_much = CreateToken(user_id=user.id, name="x", permissions=["users:manage"])
        create_token(practice.db, practice.actor, practice.now, too_much)
    weak = replace(
        practice.actor, permissions=frozenset({"users:manage", "tokens:manage", "close:run"})
    )
    with practice.refused(NotAllowed):
        create_token(practice.db, weak, practice.now, CreateToken(user_id=user.id, name="x"))
    with practice.refused(NotAllowed):
        add_user(practice.db, weak, practice.now, NURSE)
    with practice.refused(NotAllowed):
        grown = ChangeUser(user_id=user.id, role="practice_admin", reason="x")
        change_user(practice.db, weak, practice.now, grown)
    within = CreateToken(user_id=user.id, name="x", permissions=["close:run"])
    assert create_token(practice.db, weak, practice.now, within).token.permissions == ["close:run"]


def test_a_revoked_token_opens_nothing(practice: Practice) -> None:
    """A revoked token is refused from then on and cannot be revoked again."""
    user, _ = practice.add_user("auditor")
    made = create_token(
        practice.db, practice.actor, practice.now, CreateToken(user_id=user.id, name="x")
    )
    command = RevokeToken(token_id=made.token.id, reason="laptop lost")
    revoke_token(practice.db, practice.actor, practice.now, command)
    practice.db.flush()
    assert practice.last_event().reason == "laptop lost"
    with pytest.raises(NotAuthentic):
        actor_of_token(practice.db, made.secret, practice.now)
    with practice.refused(Conflict):
        revoke_token(practice.db, practice.actor, practice.now, command)


def test_a_user_without_access_has_no_tokens_that_work(practice: Practice) -> None:
    """Taking access away closes old tokens and refuses new ones; a smaller role narrows them."""
    user, _ = practice.add_user("practitioner")
    command = CreateToken(user_id=user.id, name="x")
    made = create_token(practice.db, practice.actor, practice.now, command)
    smaller = ChangeUser(user_id=user.id, role="auditor", reason="left the ward")
    change_user(practice.db, practice.actor, practice.now, smaller)
    held = actor_of_token(practice.db, made.secret, practice.now).permissions
    assert held == ROLE_PERMISSIONS["practitioner"] & ROLE_PERMISSIONS["auditor"]
    gone = ChangeUser(user_id=user.id, active=False, reason="left the practice")
    assert change_user(practice.db, practice.actor, practice.now, gone).active is False
    with pytest.raises(NotAuthentic):
        actor_of_token(practice.db, made.secret, practice.now)
    with practice.refused(Conflict):
        create_token(practice.db, practice.actor, practice.now, command)


def test_a_practice_keeps_an_administrator(practice: Practice) -> None:
    """The last active administrator can neither leave nor become something else."""
    admin_id = practice.actor.user_id
    for change in ({"active": False}, {"role": "biller"}):
        with practice.refused(Conflict):
            command = ChangeUser.model_validate({"user_id": admin_id, "reason": "x"} | change)
            change_user(practice.db, practice.actor, practice.now, command)
    practice.add_user("practice_admin")
    command = ChangeUser(user_id=admin_id, active=False, reason="retired")
    assert change_user(practice.db, practice.actor, practice.now, command).active is False


def test_access_keeps_to_permission_and_organization(practice: Practice) -> None:
    """Without the permission, and from another organization, access stays as it is."""
    user, _ = practice.add_user("auditor")
    made = create_token(
        practice.db, practice.actor, practice.now, CreateToken(user_id=user.id, name="x")
    )
    changed = ChangeUser(user_id=user.id, active=False, reason="x")
    token = CreateToken(user_id=user.id, name="y")
    revoked = RevokeToken(token_id=made.token.id, reason="x")
    with practice.refused(NotAllowed):
        add_user(practice.db, practice.without("users:manage"), practice.now, NURSE)
    for actor, error in (
        (practice.without("users:manage"), NotAllowed),
        (practice.stranger, NotFound),
    ):
        with practice.refused(error):
            change_user(practice.db, actor, practice.now, changed)
    for actor, error in (
        (practice.without("tokens:manage"), NotAllowed),
        (practice.stranger, NotFound),
    ):
        with practice.refused(error):
            create_token(practice.db, actor, practice.now, token)
        with practice.refused(error):
            revoke_token(practice.db, actor, practice.now, revoked)
