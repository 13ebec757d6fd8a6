"""S19: a start that is not safe is refused, with each reason and what mends it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import settings_for
from promised import Promised
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

from rpm.cli import USAGE, run
from rpm.errors import NotReady
from rpm.keys import key_file, load_keys
from rpm.safe_start import weakness
from rpm.settings import Settings
from rpm.web.running import start, stop

KEYS = ("secret_key", "audit_key", "field_key")
WEAK = [
    "changeme-changeme-changeme-changeme",
    "this is the default value of the key",
    "RPMLEDGER_EXAMPLE_KEY_0123456789abcdef",
    "a" * 64,
    "ab" * 32,
    "0123456789abcdef" * 4,
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "0000000000000000000000000000000000001",
    "my secret that is quite long, really",
]


@dataclass(frozen=True)
class Unsafe:
    """A way to be unsafe, and what of it must be told."""

    changes: dict[str, Any]
    told: str


def unsafe_settings(settings: Settings) -> list[Unsafe]:
    """Everything in the settings alone that must keep a server from starting."""
    good = {name: getattr(settings, name) for name in KEYS}
    cases = [
        Unsafe({name: SecretStr(weak)}, f"RPMLEDGER_{name.upper()}")
        for name in KEYS
        for weak in WEAK
    ]
    cases += [
        Unsafe({first: good[second]}, "hold the same secret")
        for first in KEYS
        for second in KEYS
        if first < second
    ]
    cases += [
        Unsafe({"host": host}, "plain HTTP") for host in ("0.0.0.0", "::", "10.1.2.3", "", "web")
    ]
    cases += [
        Unsafe({"log_level": "debug"}, "debug"),
        Unsafe({"previous_audit_keys": [good["audit_key"]]}, "RPMLEDGER_PREVIOUS_AUDIT_KEYS"),
        Unsafe({"previous_field_keys": [good["secret_key"]]}, "RPMLEDGER_PREVIOUS_FIELD_KEYS"),
    ]
    return cases


def refused(settings: Settings) -> str:
    """What is told when the application refuses to start with these settings."""
    with pytest.raises(NotReady) as caught:
        start(settings)
    return caught.value.message


@pytest.mark.promise("S19")
def test_unsafe_settings_are_refused(
    settings: Settings, engine: Engine, promised: Promised
) -> None:
    """Weak, default, repeated keys, an open listener and debug: named, mended, no value shown."""
    cases = unsafe_settings(settings)
    for case in cases:
        told = refused(settings.model_copy(update=case.changes))
        assert case.told in told, case
        assert told.count("\n  - ") >= 1
        for value in case.changes.values():
            if isinstance(value, SecretStr):
                assert value.get_secret_value() not in told
    stop(start(settings))
    promised.reached(f"{engine.dialect.name}: {len(cases)} unsafe settings refused, each named")


@pytest.mark.promise("S19")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_login_that_owns_the_tables_is_refused(
    settings: Settings, owner_settings: Settings, engine: Engine, promised: Promised
) -> None:
    """A superuser, an owner, and a member of the owner may not serve; a role of its own may."""
    assert "owns the tables or is a superuser" in refused(owner_settings)
    stop(start(settings))
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE owning_test LOGIN PASSWORD '3f1c9a7be2d8'"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO owning_test"))
        connection.execute(text("GRANT CREATE, USAGE ON SCHEMA public TO owning_test"))
        connection.execute(text("ALTER TABLE reading OWNER TO owning_test"))
    url = make_url(settings.database_url).set(username="owning_test", password="3f1c9a7be2d8")
    try:
        told = refused(settings_for(url.render_as_string(hide_password=False)))
    finally:
        with engine.begin() as connection:
            connection.execute(text("REASSIGN OWNED BY owning_test TO CURRENT_USER"))
            connection.execute(text("DROP OWNED BY owning_test"))
            connection.execute(text("DROP ROLE owning_test"))
    assert "owns the tables" in told
    promised.reached("postgresql: superuser and owner refused")


@pytest.mark.promise("S19")
def test_a_database_that_is_not_ready_is_refused(
    settings: Settings, engine: Engine, promised: Promised
) -> None:
    """A schema behind, and a guard that was taken away, switched off or hollowed out, are told."""
    sqlite = engine.dialect.name == "sqlite"
    name = "append_only_posting_delete" if sqlite else "append_only_posting_change"
    on = "" if sqlite else " ON posting"
    hollow = (
        [f"CREATE TRIGGER {name} BEFORE DELETE ON posting BEGIN SELECT 1; END"]
        if sqlite
        else [
            "CREATE FUNCTION hollow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RETURN NULL; END $$",
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON posting"
            " FOR EACH STATEMENT EXECUTE FUNCTION hollow()",
        ]
    )
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {name}{on}"))
    assert "guards" in refused(settings)
    with engine.begin() as connection:
        for statement in hollow:
            connection.execute(text(statement))
    assert "guards" in refused(settings)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    told = refused(settings)
    assert "not at this program's version" in told
    assert "rpm-ledger migrate" in told
    promised.reached(f"{engine.dialect.name}: missing and hollow guards, schema behind refused")


@pytest.mark.promise("S19")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_key_file_that_others_can_read_is_refused(settings: Settings, promised: Promised) -> None:
    """The key file is for its owner alone; the mend makes it so."""
    own = Settings(database_url=settings.database_url)
    load_keys(own)
    path = key_file(own.database_url)
    assert path is not None
    stop(start(own))
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        assert f"chmod 600 {path.name}" in refused(own)
    path.chmod(0o600)
    stop(start(own))
    promised.reached("a key file readable by others is refused")


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test's database and keys as a command finds them."""
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", settings.database_url)
    for name in KEYS:
        monkeypatch.setenv(f"RPMLEDGER_{name.upper()}", getattr(settings, name).get_secret_value())
    return settings


def test_commands_tell_every_reason_at_once(
    environment: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """serve and scheduler end with 2 and a line for each reason; an open port only stops serve."""
    monkeypatch.setenv("RPMLEDGER_AUDIT_KEY", "a" * 40)
    monkeypatch.setenv("RPMLEDGER_LOG_LEVEL", "debug")
    assert run(["scheduler", "--once"]) == USAGE
    scheduler = capsys.readouterr().err
    assert run(["serve", "--host", "0.0.0.0"]) == USAGE
    serve = capsys.readouterr().err
    for told, reasons in ((scheduler, 2), (serve, 3)):
        assert told.count("\n  - ") == reasons
        assert "RPMLEDGER_AUDIT_KEY" in told
        assert "debug" in told
    assert "plain HTTP" in serve
    assert "plain HTTP" not in scheduler


def test_a_declared_proxy_opens_the_listener(settings: Settings) -> None:
    """Whoever says that a proxy ends TLS may listen on every address; loopback needs no word."""
    for changes in (
        {"host": "0.0.0.0", "behind_tls_proxy": True},
        {"host": "127.0.0.1"},
        {"host": "::1"},
        {"host": "localhost"},
    ):
        stop(start(settings.model_copy(update=changes)))


def test_random_keys_of_any_spelling_are_taken() -> None:
    """Hexadecimal, base64 and URL-safe keys of 32 bytes, and 32 hexadecimal digits, are random."""
    import base64
    import random

    choose = random.Random(1)
    for _ in range(2_000):
        content = choose.randbytes(32)
        assert weakness(content.hex()) is None
        assert weakness(base64.b64encode(content).decode()) is None
        assert weakness(base64.urlsafe_b64encode(content).decode().rstrip("=")) is None


@pytest.mark.parametrize("weak", WEAK)
def test_each_weak_key_has_its_reason(weak: str) -> None:
    """A key that a person typed or copied is called weak."""
    assert weakness(weak) is not None


def test_a_debugging_interpreter_is_refused(tmp_path: Path) -> None:
    """Python's development mode is no way to serve a practice."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-m", "rpm.cli", "scheduler", "--once"],
        env={**os.environ, "RPMLEDGER_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == USAGE
    assert "PYTHONDEVMODE" in done.stderr
