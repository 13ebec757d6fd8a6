"""Settings, and the encryption of fields with their keys."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from rpm.errors import NotReady
from rpm.fields import decrypt_field, encrypt_field
from rpm.keys import key_ring
from rpm.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    """Each setting says what it is for, in the code and on the settings page."""
    field = Settings.model_fields[name]
    assert field.description
    assert f"`RPMLEDGER_{name.upper()}`" in PAGE.read_text(encoding="utf-8")


def test_the_page_names_no_setting_that_does_not_exist() -> None:
    """Every variable in the table of the settings page is one that is read."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    named = {line.split("`")[1] for line in rows}
    assert named == {f"RPMLEDGER_{name.upper()}" for name in Settings.model_fields}


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with the prefix is read when the settings are made."""
    monkeypatch.setenv("RPMLEDGER_PORT", "9001")
    monkeypatch.setenv("RPMLEDGER_PREVIOUS_AUDIT_KEYS", '["an older key"]')
    settings = Settings()
    assert settings.port == 9001
    assert settings.previous_audit_keys[0].get_secret_value() == "an older key"


def test_a_weak_key_is_refused_without_telling_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short key is refused, and neither the error nor the settings' text shows a key."""
    monkeypatch.setenv("RPMLEDGER_AUDIT_KEY", "short-secret")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "short-secret" not in str(refused.value)
    assert "long-secret" not in repr(Settings(audit_key="long-secret" * 4))


def test_an_encrypted_field_is_read_back_in_its_place_only() -> None:
    """A value decrypts where it was written; moved, altered or under a strange key it does not."""
    ring = key_ring("first")
    stored = encrypt_field(ring, b"whsec", "connection.secret 1")
    assert b"whsec" not in stored
    assert decrypt_field(ring, stored, "connection.secret 1") == b"whsec"
    altered = stored[:-1] + bytes([stored[-1] ^ 1])
    for wrong_ring, value, place in (
        (ring, stored, "connection.secret 2"),
        (ring, altered, "connection.secret 1"),
        (ring, stored[:20], "connection.secret 1"),
        (ring, b"\xff\xfe", "connection.secret 1"),
        (key_ring("second"), stored, "connection.secret 1"),
    ):
        with pytest.raises(NotReady):
            decrypt_field(wrong_ring, value, place)


def test_an_earlier_field_key_still_reads() -> None:
    """After a change of keys old values decrypt with the earlier key and new ones use the new."""
    old = key_ring("first")
    stored = encrypt_field(old, b"whsec", "p")
    new = key_ring("second", ["first"])
    assert decrypt_field(new, stored, "p") == b"whsec"
    assert encrypt_field(new, b"whsec", "p")[:16] == new.current_id.encode()
    assert new.current_id != old.current_id
    assert "first" not in repr(new)
