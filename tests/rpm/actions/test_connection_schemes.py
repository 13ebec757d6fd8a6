"""Connections of every scheme: what may be chosen, what proves a delivery, and trying one out."""

from typing import Any, get_args

import pytest
from intake_door import Door
from pydantic import ValidationError
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select

from devices.authenticity import Scheme, SchemeKind
from devices.delivery import Incoming, Notice, Secret
from devices.proof import prove
from devices.reading import Reading
from devices.vendor import VENDORS, settings_with_defaults
from rpm.access import Actor
from rpm.actions.connection_settings import SchemeChoice, settings_of
from rpm.actions.manage_connections import (
    ChangeConnection,
    CreateConnection,
    RotateSecret,
    ShownOnce,
    change_connection,
    create_connection,
    rotate_secret,
)
from rpm.actions.try_connection import example_of, proved_request, tried
from rpm.clock import Clock
from rpm.errors import Conflict, InvalidRequest, NotAuthentic
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import Delivery
from rpm.store.tables.security import AuditEvent

PUBLIC_KEY = "whpk_Z+bBowgcQhRI3y1Ju03CzFUFkko4rf7JJj/Q0GeC+9o="
WORD = "a-long-random-word-1"
ALLOWED = [(name, scheme) for name, vendor in VENDORS.items() for scheme in vendor.schemes]


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection of the generic vendor; others are made beside it."""
    return Door(engine, settings, actor, clock.now())


def _made(door: Door, **command: Any) -> ShownOnce:
    asked = CreateConnection.model_validate({"name": "Another"} | command)
    with transaction(door.engine) as db:
        made = create_connection(db, door.actor, door.now, door.ring, asked)
    assert made.token is not None
    door.connection, door.token, door.secret = made.connection, made.token, made.secret or ""
    return made


def _request(door: Door, scheme: Scheme, **parts: Any) -> Incoming:
    body = example_of(door.connection.vendor)
    proof = prove(scheme, Secret(parts.get("secret", door.secret)), "m-1", door.now, body)
    return Incoming(proof.headers, body, proof.query, parts.get("source"))


def _deliveries(door: Door) -> int:
    with reading(door.engine) as db:
        return db.exec(select(func.count(col(Delivery.id)))).one()


@pytest.mark.parametrize(("vendor", "scheme"), ALLOWED, ids=lambda one: getattr(one, "kind", one))
def test_every_allowed_scheme_lets_its_sender_in_and_no_other(
    door: Door, vendor: str, scheme: Scheme
) -> None:
    """A delivery with our secret is taken; with another secret or none nothing is stored."""
    _made(door, vendor=vendor, scheme={"kind": scheme.kind})
    if scheme.kind != "path":
        wrong = "whsec_" + "A" * 44 if door.secret.startswith("whsec_") else WORD
        for request in (_request(door, scheme, secret=wrong), Incoming({}, example_of(vendor))):
            with pytest.raises(NotAuthentic):
                door.take(request)
        assert _deliveries(door) == 0
    assert door.take(_request(door, scheme)).state == "read"
    assert _deliveries(door) == 1


def test_a_connection_may_name_its_own_header_user_and_window(door: Door) -> None:
    """What a vendor leaves open can be chosen; the rest stays as usual with it."""
    _made(door, vendor="mio", scheme={"kind": "header", "name": "X-Our-Key"})
    assert door.take(_request(door, Scheme("header", name="x-our-key"))).state == "read"
    with pytest.raises(NotAuthentic):
        door.take(_request(door, Scheme("header", name="X-MIO-KEY")))
    made = _made(door, vendor="bodytrace", scheme={"kind": "basic", "username": "practice-7"})
    assert settings_of(made.connection).scheme == Scheme("basic", username="practice-7")
    made = _made(door, vendor="generic", scheme={"kind": "terra", "tolerance_seconds": 7200})
    assert settings_of(made.connection).scheme == Scheme("terra", tolerance_seconds=7200)


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ({"vendor": "telli", "scheme": {"kind": "terra"}}, "scheme.kind"),
        ({"vendor": "generic", "scheme": {"kind": "terra", "name": "x"}}, "scheme.name"),
        ({"vendor": "generic", "scheme": {"kind": "header", "username": "x"}}, "scheme.username"),
        ({"vendor": "generic", "secret": WORD}, "secret"),
        ({"vendor": "telli", "secret": "short"}, "secret"),
        ({"vendor": "telli", "scheme": {"kind": "path"}, "secret": WORD}, "secret"),
        ({"vendor": "telli", "settings": {"unheard_of": "x"}}, "settings"),
        ({"vendor": "telli", "settings": {"glucose_unit": "g"}}, "settings.glucose_unit"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(
    door: Door, command: dict[str, Any], field: str
) -> None:
    """A scheme, secret or setting that the vendor does not have is named, and nothing is made."""
    with pytest.raises(InvalidRequest) as refused:
        _made(door, **command)
    assert [finding.where for finding in refused.value.findings] == [field]
    assert command.get("secret", "?") not in f"{refused.value}{refused.value.findings}"


@pytest.mark.parametrize("network", ["192.0.2.1/24", "office", "", "192.0.2.0/33"])
def test_a_network_is_written_in_cidr_form(network: str) -> None:
    """What is no network is refused when the command is made."""
    with pytest.raises(ValidationError):
        CreateConnection(vendor="generic", name="x", networks=[network])


def test_all_kinds_can_be_asked_for() -> None:
    """The request's list of kinds is that of the schemes."""
    schema = SchemeChoice.model_json_schema()
    assert set(schema["properties"]["kind"]["enum"]) == set(get_args(SchemeKind))


def test_deliveries_come_from_the_connections_networks_only(door: Door) -> None:
    """An authentic delivery from elsewhere, or from nowhere known, is refused and not stored."""
    _made(door, vendor="telli", networks=["192.0.2.0/24"])
    scheme = VENDORS["telli"].schemes[0]
    for source in ("198.51.100.1", None):
        with pytest.raises(NotAuthentic):
            door.take(_request(door, scheme, source=source))
    assert _deliveries(door) == 0
    assert door.take(_request(door, scheme, source="192.0.2.9")).state == "read"


def test_a_senders_own_secret_is_not_shown_again(door: Door) -> None:
    """A secret or public key that was given is used and never answered; a whpk_ cannot sign."""
    made = _made(door, vendor="telli", secret=WORD)
    assert made.secret is None
    assert door.take(_request(door, VENDORS["telli"].schemes[0], secret=WORD)).state == "read"
    made = _made(door, vendor="generic", secret=PUBLIC_KEY)
    with reading(door.engine) as db, pytest.raises(Conflict):
        proved_request(db, door.actor, door.now, door.ring, made.connection.id, None)


def test_an_address_alone_is_rotated_by_a_new_connection(door: Door) -> None:
    """A connection without a secret has none to rotate."""
    made = _made(door, vendor="tenovi", scheme={"kind": "path"})
    assert made.secret is None
    command = RotateSecret(connection_id=made.connection.id)
    with transaction(door.engine) as db, pytest.raises(Conflict):
        rotate_secret(db, door.actor, door.now, door.ring, command)


def test_a_changed_setting_holds_from_then_on_and_is_in_the_audit(door: Door) -> None:
    """Settings are merged, networks replaced; the audit event says what holds and why."""
    made = _made(door, vendor="telli", settings={"glucose_unit": "mg/dL"}, networks=["10.0.0.0/8"])
    command = ChangeConnection(
        connection_id=made.connection.id, settings={"tz_offset": "ignored"}, reason="as they said"
    )
    with transaction(door.engine) as db:
        changed = change_connection(db, door.actor, door.now, command)
    settings = settings_of(changed)
    assert settings.chosen == {"glucose_unit": "mg/dL", "tz_offset": "ignored"}
    assert settings.networks == ("10.0.0.0/8",)
    with reading(door.engine) as db:
        event = db.exec(select(AuditEvent).where(AuditEvent.action == "connection.change")).one()
    assert event.reason == "as they said"
    assert event.subject["settings"] == dict(settings.chosen)
    assert event.subject["networks"] == ["10.0.0.0/8"]


def test_a_continuing_connection_keeps_what_was_chosen(door: Door) -> None:
    """A new address does not set a confirmed unit back; what is told anew holds."""
    first = _made(
        door,
        vendor="telli",
        scheme={"kind": "header", "name": "X-Key"},
        settings={"glucose_unit": "mmol/L"},
        networks=["10.0.0.0/8"],
    )
    second = _made(
        door,
        vendor="telli",
        continues_id=first.connection.id,
        settings={"tz_offset": "ignored"},
        networks=[],
    )
    settings = settings_of(second.connection)
    assert settings.scheme == Scheme("header", name="X-Key")
    assert settings.chosen == {"glucose_unit": "mmol/L", "tz_offset": "ignored"}
    assert settings.networks == ()
    assert settings.account == settings_of(first.connection).account


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_trial_tells_what_would_come_and_leaves_nothing(door: Door, vendor: str) -> None:
    """A vendor's example through a connection is read, and nothing of it is recorded."""
    made = _made(door, vendor=vendor)
    with reading(door.engine) as db:
        before = db.exec(select(func.count(col(AuditEvent.id)))).one()
        request = proved_request(db, door.actor, door.now, door.ring, made.connection.id, None)
    answer = tried(door.engine, door.actor, door.now, door.ring, made.connection.id, request)
    assert answer.state == "read"
    assert answer.items
    assert _deliveries(door) == 0
    with reading(door.engine) as db:
        assert db.exec(select(func.count(col(AuditEvent.id)))).one() == before


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_has_an_example_that_is_read(vendor: str) -> None:
    """The shipped example gives readings or notices with the settings as they are by default."""
    known = VENDORS[vendor]
    items = known.parse(example_of(vendor), settings_with_defaults(known, {})).items
    assert items
    assert all(isinstance(item, Reading | Notice) for item in items)
    assert known.name == vendor


def test_a_choice_that_is_no_longer_known_is_passed_over() -> None:
    """What is kept of an earlier version never keeps a delivery from being read."""
    mio = VENDORS["mio"]
    assert settings_with_defaults(mio, {"device_id": "deviceId"}) == {"device_id": "deviceId"}
    assert settings_with_defaults(mio, {"device_id": "x", "other": "y"}) == {"device_id": "imei"}
