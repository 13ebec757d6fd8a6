"""Authenticity: the ways in which a connection's deliveries may prove whose they are.

Owns the ways, checking a request by one of them, what a secret of each must look like, and source
networks. Does not own secrets (``devices.delivery``) nor signatures (``devices.signature``). The
long address is a secret by itself and was found before any of this; ``path`` asks for no other.
"""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from devices.delivery import Incoming, NotAuthentic, Secret, Verified
from devices.forms import form_fields
from devices.signature import (
    HEX_FORMS,
    STANDARD_WEBHOOKS_PREFIXES,
    standard_secret_problem,
    verify_hex,
    verify_standard_webhook,
)

SchemeKind = Literal[
    "standard-webhooks",
    "svix",
    "terra",
    "oura",
    "polar",
    "hub-sha256",
    "header",
    "basic",
    "query",
    "path",
]
_LEAST_CHARACTERS, _MOST_CHARACTERS = 16, 256
_BEARER = "bearer "


@dataclass(frozen=True)
class Scheme:
    """One way: ``name`` is the header or query parameter that carries the secret, if one does."""

    kind: SchemeKind
    name: str = ""
    username: str = ""
    tolerance_seconds: int = 300


def verify(
    scheme: Scheme, incoming: Incoming, secrets: Sequence[Secret], now: datetime
) -> Verified | NotAuthentic:
    """Whether a request proves itself by this scheme with any of the secrets.

    Over the exact bytes received and in constant time; every secret is tried, so that the time
    taken does not tell which one fitted. Never raises for what a sender can send.
    """
    headers = {name.lower(): value for name, value in incoming.headers.items()}
    tolerance = timedelta(seconds=scheme.tolerance_seconds)
    if scheme.kind == "path":
        return Verified(None, None)
    if scheme.kind in STANDARD_WEBHOOKS_PREFIXES:
        prefix = STANDARD_WEBHOOKS_PREFIXES[scheme.kind]
        return verify_standard_webhook(
            headers, incoming.body, secrets, now=now, tolerance=tolerance, prefix=prefix
        )
    if scheme.kind in HEX_FORMS:
        form = HEX_FORMS[scheme.kind]
        return verify_hex(form, headers, incoming.body, secrets, now=now, tolerance=tolerance)
    sent = _SHOWN[scheme.kind](scheme, headers, incoming.query)
    fitting = False
    for secret in secrets:
        fitting |= hmac.compare_digest(secret.text.encode(), sent)
    return Verified(None, None) if fitting and sent else NotAuthentic("the credential is wrong")


def secret_problem(kind: SchemeKind, text: str) -> str | None:
    """Why a secret that a sender chose cannot be used with a scheme; None if it can."""
    if kind == "path":
        return "this scheme has no secret but the address"
    if kind in STANDARD_WEBHOOKS_PREFIXES:
        return standard_secret_problem(text)
    printable = text.isascii() and text.isprintable() and " " not in text
    if not (printable and _LEAST_CHARACTERS <= len(text) <= _MOST_CHARACTERS):
        return (
            f"a secret has {_LEAST_CHARACTERS} to {_MOST_CHARACTERS} characters of printable ASCII"
            " without blanks"
        )
    return None


def from_allowed_network(networks: Sequence[str], source: str | None) -> bool:
    """Whether an address lies in one of the networks (CIDR); without networks every one does."""
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(source or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(network) for network in networks)


def _header(scheme: Scheme, headers: Mapping[str, str], _query: str) -> bytes:
    """The header's value; in ``Authorization`` it is a bearer token."""
    value = headers.get(scheme.name.lower(), "")
    if scheme.name.lower() == "authorization":
        value = value[len(_BEARER) :] if value.lower().startswith(_BEARER) else ""
    return value.encode("utf-8", "replace")


def _basic(scheme: Scheme, headers: Mapping[str, str], _query: str) -> bytes:
    """The password of Basic credentials; empty for another user."""
    word, _, encoded = headers.get("authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    username, _, password = decoded.partition(b":")
    # one text of a credential only: base64 leaves the last bits of some characters open
    known = hmac.compare_digest(username, scheme.username.encode())
    canonical = hmac.compare_digest(base64.b64encode(decoded), encoded.encode("utf-8", "replace"))
    return password if word.lower() == "basic" and known and canonical else b""


def _query(scheme: Scheme, _headers: Mapping[str, str], query: str) -> bytes:
    """The query parameter's value, where it is given once."""
    values = [value for name, value in form_fields(query) if name == scheme.name]
    return values[0].encode("utf-8", "replace") if len(values) == 1 else b""


_SHOWN: Mapping[str, Callable[[Scheme, Mapping[str, str], str], bytes]] = MappingProxyType(
    {"header": _header, "basic": _basic, "query": _query}
)
"""Schemes whose secret is sent as it is, with what finds it in a request."""
