"""Signature: whether a delivery was signed by who holds the connection's secret.

Owns Standard Webhooks 1.0.0 (``v1`` HMAC-SHA256, ``v1a`` Ed25519; ``svix-`` header names by prefix)
and hexadecimal HMAC-SHA256 in the forms of Terra, Oura, Polar and ``X-Hub-Signature-256``, checking
and making. Does not own where secrets are kept.

The ``standardwebhooks`` library signs in the demo and the tests, but does not verify here: it
reads the real clock, takes text instead of the bytes received, knows neither ``v1a`` nor several
secrets, and lets malformed headers escape as other errors.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from devices.delivery import NotAuthentic, Secret, Verified

TOLERANCE = timedelta(minutes=5)
STANDARD_WEBHOOKS_PREFIXES: Mapping[str, str] = MappingProxyType(
    {"standard-webhooks": "webhook", "svix": "svix"}
)
"""Schemes of the Standard Webhooks family, with how their header names begin."""
_HMAC_PREFIX = "whsec_"
_PUBLIC_KEY_PREFIX = "whpk_"
_KEY_BYTES = range(24, 65)
_PUBLIC_KEY_BYTES = 32
_MESSAGE_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_SECONDS = re.compile(r"\d{1,11}", re.ASCII)
_MAX_SIGNATURES = 16


@dataclass(frozen=True)
class HexForm:
    """A hexadecimal HMAC-SHA256: in which header, over what, how written.

    ``time_header`` is where the seconds stand; in Terra's form they stand in the signature's own
    header (``t=,v1=``); without either there are none, so that a replay is not told by its time.
    """

    header: str
    time_header: str = ""
    before_hex: str = ""
    between: bytes = b""
    upper: bool = False
    is_listed: bool = False


HEX_FORMS: Mapping[str, HexForm] = MappingProxyType(
    {
        "terra": HexForm("terra-signature", between=b".", is_listed=True),
        "oura": HexForm("x-oura-signature", time_header="x-oura-timestamp", upper=True),
        "polar": HexForm("polar-webhook-signature"),
        "hub-sha256": HexForm("x-hub-signature-256", before_hex="sha256="),
    }
)
"""Schemes that sign in hexadecimal."""


def verify_standard_webhook(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[Secret],
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
    prefix: str = "webhook",
) -> Verified | NotAuthentic:
    """Whether any signature in the header fits any of the secrets over the exact bytes received.

    Header names are compared without case. The message must have been signed within ``tolerance``
    of ``now``, before or after. Never raises for what a sender can send.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    message_id = lowered.get(f"{prefix}-id", "")
    seconds = lowered.get(f"{prefix}-timestamp", "")
    signatures = lowered.get(f"{prefix}-signature", "").split()
    if not (message_id and seconds and signatures):
        return NotAuthentic("a signature header is missing")
    if not _MESSAGE_ID.fullmatch(message_id):
        return NotAuthentic("the message id is malformed")
    signed_at = _signed_at(seconds, now, tolerance)
    if isinstance(signed_at, NotAuthentic):
        return signed_at
    signed = f"{message_id}.{seconds}.".encode() + body
    if not _any_fits(signatures[:_MAX_SIGNATURES], secrets, signed):
        return NotAuthentic("no signature fits")
    return Verified(message_id, signed_at)


def sign_standard_webhook(
    secret: Secret, message_id: str, at: datetime, body: bytes, prefix: str = "webhook"
) -> dict[str, str]:
    """The headers of a signed message; ValueError for a public key, which can only check."""
    if secret.text.startswith(_PUBLIC_KEY_PREFIX):
        raise ValueError("a public key cannot sign")
    seconds = _seconds(at)
    digest = _standard_digest(secret, f"{message_id}.{seconds}.".encode() + body)
    return {
        f"{prefix}-id": message_id,
        f"{prefix}-timestamp": seconds,
        f"{prefix}-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def standard_secret_problem(text: str) -> str | None:
    """Why a text is no secret of Standard Webhooks; None if it is."""
    if text.startswith(_PUBLIC_KEY_PREFIX):
        key = _decoded(text.removeprefix(_PUBLIC_KEY_PREFIX))
        return None if len(key) == _PUBLIC_KEY_BYTES else "a public key is whpk_ and 32 bytes"
    key = _decoded(text.removeprefix(_HMAC_PREFIX))
    if text.startswith(_HMAC_PREFIX) and len(key) in _KEY_BYTES:
        return None
    return "a secret is whsec_ and 24 to 64 bytes in base64, or whpk_ and a public key"


def verify_hex(
    form: HexForm,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[Secret],
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Verified | NotAuthentic:
    """As ``verify_standard_webhook`` for a form in hexadecimal; header names are lower case."""
    value, seconds = headers.get(form.header, ""), headers.get(form.time_header, "")
    signatures = [value]
    if form.is_listed:
        parts = [part.partition("=") for part in value.split(",")]
        seconds = next((text for name, _, text in parts if name == "t"), "")
        signatures = [text for name, _, text in parts if name == "v1"][:_MAX_SIGNATURES]
    signed_at = None
    if form.time_header or form.is_listed:
        found = _signed_at(seconds, now, tolerance)
        if isinstance(found, NotAuthentic):
            return found
        signed_at = found
    fitting = False
    for secret in secrets:
        expected = _hex(form, secret, seconds, body).encode()
        for text in signatures:
            fitting |= hmac.compare_digest(expected, text.encode("utf-8", "replace"))
    return Verified(None, signed_at) if fitting else NotAuthentic("no signature fits")


def sign_hex(form: HexForm, secret: Secret, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message signed in this form."""
    seconds = _seconds(at) if form.time_header or form.is_listed else ""
    text = _hex(form, secret, seconds, body)
    if form.is_listed:
        return {form.header: f"t={seconds},v1={text}"}
    return {form.header: text} | ({form.time_header: seconds} if form.time_header else {})


def _hex(form: HexForm, secret: Secret, seconds: str, body: bytes) -> str:
    signed = (seconds.encode() + form.between if seconds else b"") + body
    text = hmac.digest(secret.text.encode(), signed, hashlib.sha256).hex()
    return form.before_hex + (text.upper() if form.upper else text)


def _signed_at(seconds: str, now: datetime, tolerance: timedelta) -> datetime | NotAuthentic:
    if not _SECONDS.fullmatch(seconds):
        return NotAuthentic("the timestamp is missing or malformed")
    signed_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))
    if abs(signed_at - now) > tolerance:
        return NotAuthentic("timestamp is outside the tolerance")
    return signed_at


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _any_fits(signatures: Iterable[str], secrets: Sequence[Secret], signed: bytes) -> bool:
    """Every pair is tried, so that the time taken does not tell which secret fitted."""
    fitting = False
    for text in signatures:
        version, _, encoded = text.partition(",")
        signature = _decoded(encoded)
        for secret in secrets:
            fitting |= _fits(version, signature, secret, signed)
    return fitting


def _fits(version: str, signature: bytes, secret: Secret, signed: bytes) -> bool:
    if version == "v1" and not secret.text.startswith(_PUBLIC_KEY_PREFIX):
        expected = _standard_digest(secret, signed)
        return bool(expected) and hmac.compare_digest(expected, signature)
    if version == "v1a" and secret.text.startswith(_PUBLIC_KEY_PREFIX):
        return _ed25519_fits(
            _decoded(secret.text.removeprefix(_PUBLIC_KEY_PREFIX)), signature, signed
        )
    return False


def _standard_digest(secret: Secret, signed: bytes) -> bytes:
    """The HMAC under a secret; empty when the secret is no key."""
    key = _decoded(secret.text.removeprefix(_HMAC_PREFIX))
    digest = hmac.digest(key, signed, hashlib.sha256)
    return digest if key else b""


def _ed25519_fits(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _decoded(text: str) -> bytes:
    """The bytes of a base64 text, padded or not; empty when it is not base64.

    One text of the bytes only: base64 leaves some bits of the last character open, and a signature
    of which any character was changed shall not fit.
    """
    padded = text + "=" * (-len(text) % 4)
    try:
        decoded = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return decoded if base64.b64encode(decoded).decode() == padded else b""
