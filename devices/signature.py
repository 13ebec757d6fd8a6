"""Signature: whether a delivery was signed by who holds the connection's secret.

Owns Standard Webhooks 1.0.0 (``v1`` HMAC-SHA256, ``v1a`` Ed25519; ``svix-`` header names by
prefix). Does not own where secrets are kept.

The ``standardwebhooks`` library signs in the simulator and the tests, but does not verify here: it
reads the real clock, takes text instead of the bytes received, knows neither ``v1a`` nor several
secrets, and lets malformed headers escape as other errors.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from devices.delivery import NotAuthentic, Secret, Verified

TOLERANCE = timedelta(minutes=5)
_HMAC_PREFIX = "whsec_"
_PUBLIC_KEY_PREFIX = "whpk_"
_MESSAGE_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_SECONDS = re.compile(r"\d{1,11}", re.ASCII)
_MAX_SIGNATURES = 16


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
    if not (_MESSAGE_ID.fullmatch(message_id) and _SECONDS.fullmatch(seconds)):
        return NotAuthentic("message id or timestamp is malformed")
    timestamp = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))
    if abs(timestamp - now) > tolerance:
        return NotAuthentic("timestamp is outside the tolerance")
    signed = f"{message_id}.{seconds}.".encode() + body
    if not _any_fits(signatures[:_MAX_SIGNATURES], secrets, signed):
        return NotAuthentic("no signature fits")
    return Verified(message_id, timestamp)


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
        key = _decoded(secret.text.removeprefix(_HMAC_PREFIX))
        expected = hmac.digest(key, signed, hashlib.sha256)
        return bool(key) and hmac.compare_digest(expected, signature)
    if version == "v1a" and secret.text.startswith(_PUBLIC_KEY_PREFIX):
        return _ed25519_fits(
            _decoded(secret.text.removeprefix(_PUBLIC_KEY_PREFIX)), signature, signed
        )
    return False


def _ed25519_fits(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _decoded(text: str) -> bytes:
    """The bytes of a base64 text, padded or not; empty when it is not base64."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
