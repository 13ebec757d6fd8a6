"""Connection settings: how deliveries of a connection prove themselves and how they are read.

Owns the settings as values, the requests that choose them and what is kept of them. Does not own
secrets (``manage_connections``) nor what the words mean (``devices``).
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from devices.authenticity import Scheme
from devices.vendor import VENDORS, settings_with_defaults
from rpm.actions.command import Command, OneOf, refuse
from rpm.store.tables.monitoring import Connection

MOST_NETWORKS = 64
_LONGEST_TOLERANCE_SECONDS = 72 * 3600
_SCHEME_KINDS = tuple(
    sorted({scheme.kind for vendor in VENDORS.values() for scheme in vendor.schemes})
)
_Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError("a network is written like 192.0.2.0/24") from None


Network = Annotated[str, AfterValidator(_network), Field(examples=["192.0.2.0/24"])]
"""A network in CIDR form."""


class SchemeChoice(Command):
    """How deliveries prove themselves; what is left out is as usual with the vendor."""

    kind: Annotated[str, OneOf(_SCHEME_KINDS)] = Field(
        description="One of the vendor's; docs/vendors.md lists them.",
        examples=["standard-webhooks"],
    )
    name: _Word | None = Field(
        default=None,
        description="Header (`header`) or query parameter (`query`) that carries the secret.",
    )
    username: _Word | None = Field(default=None, description="User name of `basic`.")
    tolerance_seconds: int | None = Field(
        default=None,
        ge=1,
        le=_LONGEST_TOLERANCE_SECONDS,
        description="How far a signature's time may lie from now; 300 unless told. Wider only for"
        " a sender whose retries repeat the first time.",
    )


@dataclass(frozen=True)
class ConnectionSettings:
    """What holds for a connection; ``account`` is within which its sender's ids are unique.

    ``chosen`` has a value for each of the vendor's settings. No ``networks`` means every one.
    """

    vendor: str
    account: str
    scheme: Scheme
    chosen: Mapping[str, str]
    networks: tuple[str, ...] = ()


def settings_of(connection: Connection) -> ConnectionSettings:
    """The settings of a connection; what it does not have is as the vendor's defaults."""
    kept = connection.settings
    usual = default_settings(connection.vendor)
    return replace(
        usual,
        account=kept.get("account", connection.id.hex),
        scheme=Scheme(**kept["scheme"]) if "scheme" in kept else usual.scheme,
        chosen=settings_with_defaults(VENDORS[connection.vendor], kept.get("vendor", {})),
        networks=tuple(kept.get("networks", ())),
    )


def default_settings(vendor: str) -> ConnectionSettings:
    """What holds for a vendor's connection until something is chosen."""
    known = VENDORS[vendor]
    return ConnectionSettings(vendor, "", known.schemes[0], settings_with_defaults(known, {}))


def starting_settings(
    vendor: str,
    earlier: Connection | None,
    scheme: SchemeChoice | None,
    chosen: Mapping[str, str],
    networks: Sequence[str] | None,
) -> dict[str, Any]:
    """What a new connection keeps; what is not told is as with the earlier one that it continues.

    ``InvalidRequest`` names what does not fit.
    """
    usual = settings_of(earlier) if earlier else default_settings(vendor)
    kept: dict[str, Any] = {
        "scheme": asdict(usual.scheme if scheme is None else _scheme(vendor, scheme)),
        "vendor": dict(earlier.settings.get("vendor", {})) if earlier else {},
        "networks": list(usual.networks),
    }
    if earlier:
        kept["account"] = usual.account
    return _changed(vendor, kept, chosen, networks)


def changed_settings(
    connection: Connection, chosen: Mapping[str, str], networks: Sequence[str] | None
) -> dict[str, Any]:
    """What a connection keeps after a change; ``InvalidRequest`` names what does not fit."""
    kept = {"vendor": {}, "networks": [], **connection.settings}
    return _changed(connection.vendor, kept, chosen, networks)


def _changed(
    vendor: str,
    kept: dict[str, Any],
    chosen: Mapping[str, str],
    networks: Sequence[str] | None,
) -> dict[str, Any]:
    changed = {**kept, "vendor": {**kept["vendor"], **_chosen(vendor, chosen)}}
    return changed if networks is None else {**changed, "networks": list(networks)}


def _scheme(vendor: str, choice: SchemeChoice) -> Scheme:
    allowed = {scheme.kind: scheme for scheme in VENDORS[vendor].schemes}
    usual = next((scheme for kind, scheme in allowed.items() if kind == choice.kind), None)
    if usual is None:
        words = ", ".join(sorted(allowed))
        raise refuse("scheme.kind", "E_SCHEME", f"this vendor's schemes are: {words}")
    if choice.name and choice.kind not in {"header", "query"}:
        raise refuse("scheme.name", "E_SCHEME", "this scheme has none")
    if choice.username and choice.kind != "basic":
        raise refuse("scheme.username", "E_SCHEME", "this scheme has none")
    return replace(
        usual,
        name=choice.name or usual.name,
        username=choice.username or usual.username,
        tolerance_seconds=choice.tolerance_seconds or usual.tolerance_seconds,
    )


def _chosen(vendor: str, chosen: Mapping[str, str]) -> dict[str, str]:
    settings = VENDORS[vendor].settings
    for name, value in chosen.items():
        if name not in settings:
            names = ", ".join(sorted(settings)) or "none"
            raise refuse("settings", "E_SETTING", f"this vendor's settings are: {names}")
        if value not in settings[name].allowed:
            words = ", ".join(settings[name].allowed)
            raise refuse(f"settings.{name}", "E_SETTING", f"one of: {words}")
    return dict(chosen)
