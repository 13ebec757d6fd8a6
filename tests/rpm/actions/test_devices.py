"""Devices: registered once, with one episode at a time."""

from datetime import date, timedelta

import pytest
from practice import Practice
from pydantic import ValidationError

from rpm.actions.associate_device import (
    AssociateDevice,
    EndAssociation,
    associate_device,
    end_association,
)
from rpm.actions.end_episode import EndEpisode, end_episode
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.store.queries.episodes import associations
from rpm.store.scope import Scope

CUFF = RegisterDevice(
    vendor="generic", vendor_device_id="BP-1", kind="bp", fda_listed=True, automatic=True
)


def test_a_device_is_one_id_of_its_vendor(practice: Practice) -> None:
    """The same device again is the same row; other content under the id is refused."""
    first = register_device(practice.db, practice.actor, practice.now, CUFF)
    again = register_device(practice.db, practice.actor, practice.now, CUFF)
    assert again.id == first.id
    with practice.refused(Conflict):
        other = CUFF.model_copy(update={"kind": "scale"})
        register_device(practice.db, practice.actor, practice.now, other)
    with practice.refused(NotAllowed):
        register_device(practice.db, practice.without("episodes:write"), practice.now, CUFF)


def test_two_organizations_may_hold_the_same_vendor_id(practice: Practice) -> None:
    """A device of one organization says nothing about another's."""
    first = register_device(practice.db, practice.actor, practice.now, CUFF)
    assert register_device(practice.db, practice.stranger, practice.now, CUFF).id != first.id


def test_a_device_command_is_strict() -> None:
    """An unknown kind, a vendor name with spaces and a number for a truth value are refused."""
    for wrong in ({"kind": "toaster"}, {"vendor": "My Vendor"}, {"automatic": 1}):
        with pytest.raises(ValidationError):
            RegisterDevice.model_validate(CUFF.model_dump() | wrong)


def test_a_device_is_with_one_episode_at_a_time(practice: Practice) -> None:
    """A device goes to the next patient only after it came back from the last."""
    device, first, second = practice.register_device(), practice.enroll(), practice.enroll()
    held = practice.associate(device, first)
    assert held.patient_id == first.patient_id
    with practice.refused(Conflict):
        practice.associate(device, second)
    returned = EndAssociation(
        association_id=held.id, to_at=practice.now - timedelta(days=10), reason="wrong patient"
    )
    end_association(practice.db, practice.actor, practice.now, returned)
    next_held = practice.associate(device, second)
    states = associations(practice.db, Scope.of(practice.actor), device_id=device.id)
    assert {state.association.id for state in states} == {held.id, next_held.id}
    with practice.refused(Conflict):
        later = returned.model_copy(update={"to_at": practice.now - timedelta(days=9)})
        end_association(practice.db, practice.actor, practice.now, later)


def test_an_association_lies_in_the_past_and_in_its_episode(practice: Practice) -> None:
    """Neither the future nor days after the episode's end are taken."""
    device, episode = practice.register_device(), practice.enroll()
    command = AssociateDevice(
        device_id=device.id, episode_id=episode.id, from_at=practice.now + timedelta(seconds=1)
    )
    with practice.refused(InvalidRequest):
        associate_device(practice.db, practice.actor, practice.now, command)
    end = EndEpisode(episode_id=episode.id, last_day=date(2026, 1, 4), end_reason="death")
    end_episode(practice.db, practice.actor, practice.now, end)
    with practice.refused(InvalidRequest):
        practice.associate(device, episode)


def test_an_association_ends_after_it_began(practice: Practice) -> None:
    """An end before the beginning or in the future is refused, naming the field."""
    held = practice.associate(practice.register_device(), practice.enroll())
    for to_at in (held.from_at - timedelta(seconds=1), practice.now + timedelta(seconds=1)):
        command = EndAssociation(association_id=held.id, to_at=to_at, reason="x")
        with practice.refused(InvalidRequest) as caught:
            end_association(practice.db, practice.actor, practice.now, command)
        assert isinstance(caught.value, InvalidRequest)
        assert [finding.where for finding in caught.value.findings] == ["to_at"]


def test_associations_keep_to_permission_and_organization(practice: Practice) -> None:
    """Nobody hands out or takes back a device without permission or from elsewhere."""
    device, episode = practice.register_device(), practice.enroll()
    command = AssociateDevice(device_id=device.id, episode_id=episode.id, from_at=practice.now)
    held = practice.associate(practice.register_device(), episode)
    returned = EndAssociation(association_id=held.id, to_at=practice.now, reason="x")
    for actor, error in (
        (practice.without("episodes:write"), NotAllowed),
        (practice.stranger, NotFound),
    ):
        with practice.refused(error):
            associate_device(practice.db, actor, practice.now, command)
        with practice.refused(error):
            end_association(practice.db, actor, practice.now, returned)
