"""Everything that can be set from outside, each with its meaning.

Owns names, defaults and limits of the settings, read from variables ``RPMLEDGER_*``. Does not own
the keys behind them (``rpm.keys``). Importing reads nothing: ``Settings()`` does.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MINIMUM_KEY_CHARACTERS = 32


class Settings(BaseSettings):
    """Settings of one installation; unknown variables are ignored, wrong values refused."""

    model_config = SettingsConfigDict(
        env_prefix="RPMLEDGER_", frozen=True, hide_input_in_errors=True, extra="ignore"
    )

    database_url: str = Field(
        default="sqlite:///var/rpm-ledger.db",
        description="Database: sqlite:///PATH for the embedded default, or postgresql://...",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        min_length=MINIMUM_KEY_CHARACTERS,
        description="Signs page cursors. Needed with PostgreSQL; on SQLite a key file next to the"
        " database holds one.",
    )
    audit_key: SecretStr | None = Field(
        default=None,
        min_length=MINIMUM_KEY_CHARACTERS,
        description="Keys the chain of audit events. Keep it outside the database and its"
        " backups. Needed with PostgreSQL; on SQLite the key file holds one.",
    )
    previous_audit_keys: list[SecretStr] = Field(
        default=[],
        description="Earlier audit keys as a JSON list: still needed to verify what they signed.",
    )
    field_key: SecretStr | None = Field(
        default=None,
        min_length=MINIMUM_KEY_CHARACTERS,
        description="Encrypts vendor secrets in the database. Needed with PostgreSQL; on SQLite"
        " the key file holds one.",
    )
    previous_field_keys: list[SecretStr] = Field(
        default=[],
        description="Earlier field keys as a JSON list: still needed to read what they encrypted.",
    )
    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the web server listens on.")
    behind_tls_proxy: bool = Field(
        default=False,
        description="Says that only a proxy which ends TLS can reach the web server. Needed to"
        " listen on an address that other machines can reach.",
    )
    forwarding_proxies: int = Field(
        default=0,
        ge=0,
        le=8,
        description="How many proxies of your own stand in front and add the sender's address to"
        " X-Forwarded-For. Source networks of connections are held against the address that the"
        " outermost of them saw; 0: against the peer's.",
    )
    postgresql_programs: Path | None = Field(
        default=None,
        description="Folder of pg_dump and pg_restore for backup and restore; the search path"
        " unless set.",
    )
    outbound_hosts: list[str] = Field(
        default=[],
        description="Hosts, as a JSON list of host or host:port, to which events may be sent"
        " although their address is private or plain http. All others must be public and https.",
    )
    exchange_folder: Path = Field(
        default=Path("var/exchange"),
        description="Folder below which drop folders of clearinghouses lie, one for each practice"
        " and clearinghouse.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least important message that is logged."
    )
    body_limit_bytes: int = Field(
        default=1_048_576, ge=1_024, description="Largest request body that is taken, in bytes."
    )
    body_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        description="How long a client may take to send the head of a request, and as long again"
        " for its body, in seconds.",
    )
    token_lifetime_days: int = Field(
        default=90, ge=1, le=3650, description="Days until a new API token expires, unless told."
    )
    idempotency_hours: int = Field(
        default=48, ge=1, description="Hours an answered Idempotency-Key is remembered."
    )
