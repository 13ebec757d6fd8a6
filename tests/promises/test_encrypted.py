"""S22: encrypted means unreadable: no secret stands in the raw files, and no key in a backup."""

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import FixedClock, postgresql_programs
from copying import back_up
from intake_door import Door
from promised import Promised
from signing_in import person_of
from sqlalchemy import select, text
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from test_roles import caller_of

from rpm.access import Actor
from rpm.actions.credentials import InviteUser, invite_user, invited
from rpm.actions.identity_provider import TrustProvider, trust_provider
from rpm.actions.manage_clearinghouse import AddClearinghouse, add_clearinghouse
from rpm.actions.manage_endpoints import AddEndpoint, add_endpoint
from rpm.actions.pull_accounts import AuthorizeAccount, authorize_account
from rpm.actions.visit_platforms import AddVisitPlatform, add_visit_platform
from rpm.errors import NotReady
from rpm.fields import decrypt_field
from rpm.keys import KeyRing, Keys, load_keys
from rpm.settings import Settings
from rpm.store.engine import transaction
from rpm.store.tables import METADATA
from rpm.web.app import create_app

OPEN_MARK = "mark-in-the-clear-4711"
"""Stands in a column that is not encrypted: the search must find it."""
SEALED = "idempotency_key.response"
"""Encrypted as well, within JSON."""


def columns() -> set[str]:
    """Every encrypted column of the database."""
    return {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.columns
        if column.name.endswith("_encrypted")
    } | {SEALED}


@dataclass
class Secrets:
    """A practice with a known secret in each encrypted column."""

    engine: Engine
    settings: Settings
    keys: Keys
    known: dict[str, str] = field(default_factory=dict)

    def forms(self) -> dict[str, set[bytes]]:
        """Each secret as it could stand in a file: plain, in base 64 and in hex."""
        return {where: _forms(secret.encode()) for where, secret in self.known.items()}


def _forms(plain: bytes) -> set[bytes]:
    middle = base64.b64encode(plain)[:-4]
    return {plain, middle, base64.urlsafe_b64encode(plain)[:-4], plain.hex().encode()}


@pytest.fixture
def secrets(engine: Engine, settings: Settings, actor: Actor, clock: FixedClock) -> Secrets:
    """Each is made by the action that makes it for a practice."""
    keys, now = load_keys(settings), clock.now()
    made = Secrets(engine, settings, keys)
    ring, known = keys.field_encryption, made.known
    person = person_of(engine, keys, actor, now, "clinical_staff")
    known["credential.totp_secret_encrypted"] = person.secret
    door = Door(engine, settings, actor, now, name=OPEN_MARK)
    known["connection.secret_encrypted"] = door.secret
    vendor = Door(engine, settings, actor, now, vendor="withings").connection
    known["pull_account.credentials_encrypted"] = "vendor-application-8d1f"
    application = {"client_id": "id", "client_secret": "vendor-application-8d1f"}
    with transaction(engine) as db:
        invitation = invite_user(
            db, keys, actor, now, now, InviteUser(user_id=person.actor.user_id)
        )
    with transaction(engine) as db:
        kept = invited(db, keys, invitation.secret, now).totp_secret
        known["invitation.totp_secret_encrypted"] = kept
    with transaction(engine) as db:
        command = AuthorizeAccount(connection_id=vendor.id, subject="", credentials=application)
        authorize_account(db, actor, now, ring, command)
    with transaction(engine) as db:
        endpoint = AddEndpoint(name="Desk", url="https://desk.example.org/in")
        known["endpoint.secret_encrypted"] = add_endpoint(db, actor, now, ring, endpoint, ()).secret
    with transaction(engine) as db:
        platform = add_visit_platform(db, actor, now, ring, AddVisitPlatform(name="Video"))
        known["visit_platform.secret_encrypted"] = platform.secret
    with transaction(engine) as db:
        known["identity_provider.client_secret_encrypted"] = "provider-client-77aa"
        trusted = TrustProvider(
            issuer="https://login.example.org",
            client_id="us",
            client_secret="provider-client-77aa",
            reason="one sign-in",
        )
        trust_provider(db, keys, actor, now, trusted)
    with transaction(engine) as db:
        known["clearinghouse_state.secret_encrypted"] = "clearinghouse-5b5b"
        add_clearinghouse(db, actor, now, ring, _clearinghouse("clearinghouse-5b5b"))
    known[SEALED] = _token_shown_once(made, actor, clock)
    return made


def _clearinghouse(password: str) -> AddClearinghouse:
    return AddClearinghouse(
        key="house",
        reason="agreement",
        name="Example House",
        sender_id="PRACTICE1",
        receiver_id="HOUSE",
        receiver_name="EXAMPLE HOUSE",
        host="house.example",
        port=22,
        username="practice",
        fingerprint="SHA256:" + "A" * 43,
        out_folder="/in",
        in_folder="/out",
        password=password,
    )


def _token_shown_once(made: Secrets, actor: Actor, clock: FixedClock) -> str:
    """The text of a token whose answer is kept for a repeated request."""
    headers = caller_of(made.engine, actor, clock).headers(page=False)
    with TestClient(create_app(made.settings, clock)) as client:
        asked = {"user_id": str(actor.user_id), "name": "program", "permissions": ["rules:read"]}
        answer = client.post("/v1/tokens", json=asked, headers=headers | {"Idempotency-Key": "k1"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])


def raw_files(engine: Engine) -> Iterator[bytes]:
    """The database's files as they lie on the disk."""
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        for end in ("", "-wal"):
            file = path.with_name(path.name + end)
            if file.exists():
                yield file.read_bytes()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        asked = text(
            "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database"
            " WHERE datname = current_database()"
        )
        folder = Path(connection.execute(asked).scalar_one())
    for file in sorted(folder.iterdir()):
        yield file.read_bytes()


def found(forms: dict[str, set[bytes]], contents: list[bytes]) -> list[str]:
    """Which of the named texts stand in any of the contents."""
    return [
        name
        for name, texts in forms.items()
        if any(one in content for one in texts for content in contents)
    ]


@pytest.mark.promise("S22")
def test_no_secret_stands_in_the_raw_files(secrets: Secrets, promised: Promised) -> None:
    """Every encrypted column holds a known secret, and none of them is found on the disk."""
    assert set(secrets.known) == columns()
    contents = list(raw_files(secrets.engine))
    assert found({"in the clear": {OPEN_MARK.encode()}}, contents) == ["in the clear"]
    assert found(secrets.forms(), contents) == []
    size = sum(map(len, contents)) // 1024
    name = secrets.engine.dialect.name
    promised.reached(
        f"{name}: {len(secrets.known)} encrypted columns, {size} KiB of raw files: 0 hits"
    )


@pytest.mark.promise("S22")
def test_a_wrong_key_opens_nothing(secrets: Secrets, promised: Promised) -> None:
    """Another key, one that claims to be ours, and another place are refused with a reason."""
    ring, refused = secrets.keys.field_encryption, 0
    other = KeyRing("0" * 16, {"0" * 16: b"k" * 32})
    forged = KeyRing(ring.current_id, {ring.current_id: b"k" * 32})
    with secrets.engine.connect() as connection:
        for where in sorted(columns() - {SEALED}):
            table, column = where.split(".")
            rows = connection.execute(select(METADATA.tables[table].c[column])).scalars()
            for stored in filter(None, rows):
                for keys in (other, forged, ring):
                    with pytest.raises(NotReady):
                        decrypt_field(keys, stored, "another place")
                    refused += 1
    promised.reached(f"{secrets.engine.dialect.name}: {refused} openings with a wrong key refused")


@pytest.mark.promise("S22")
def test_no_key_is_in_a_backup(
    secrets: Secrets,
    owner_settings: Settings,
    clock: FixedClock,
    tmp_path: Path,
    promised: Promised,
) -> None:
    """Neither keys nor secrets stand in a backup's files, nor in what its archive unpacks to."""
    back_up(secrets.engine, owner_settings, clock.now(), tmp_path / "backup")
    files = [one for one in (tmp_path / "backup").iterdir() if one.is_file()]
    contents = [one.read_bytes() for one in files]
    if secrets.engine.dialect.name == "postgresql":
        program = (postgresql_programs() or Path()) / "pg_restore"
        dump = tmp_path / "backup" / "database.dump"
        unpacked = subprocess.run([program, "--file=-", dump], check=True, capture_output=True)
        contents.append(unpacked.stdout)
    assert found({"in the clear": {OPEN_MARK.encode()}}, contents) == ["in the clear"]
    texts = {
        name: _forms(getattr(owner_settings, name).get_secret_value().encode())
        for name in ("secret_key", "audit_key", "field_key")
    }
    derived = {
        "secret": secrets.keys.secret,
        "audit": secrets.keys.audit.current,
        "field": secrets.keys.field_encryption.current,
    }
    keys = texts | {name: _forms(key) for name, key in derived.items()}
    assert found(keys | secrets.forms(), contents) == []
    promised.reached(f"{secrets.engine.dialect.name}: {len(keys)} keys, {len(files)} files: 0 hits")
