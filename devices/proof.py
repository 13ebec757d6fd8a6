"""Proof: what a sender adds to a request, so that it is taken for authentic.

Owns making it, for trying a connection out. Does not own checking it (``devices.authenticity``).
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime

from devices.authenticity import Scheme
from devices.delivery import Secret
from devices.forms import form_text
from devices.signature import (
    HEX_FORMS,
    STANDARD_WEBHOOKS_PREFIXES,
    sign_hex,
    sign_standard_webhook,
)


@dataclass(frozen=True)
class Proof:
    """Headers and query of a request; either may hold the secret."""

    headers: dict[str, str] = field(default_factory=dict, repr=False)
    query: str = field(default="", repr=False)


def prove(scheme: Scheme, secret: Secret, message_id: str, at: datetime, body: bytes) -> Proof:
    """The proof of a request with this body; ValueError where a public key would have to sign."""
    if scheme.kind in STANDARD_WEBHOOKS_PREFIXES:
        prefix = STANDARD_WEBHOOKS_PREFIXES[scheme.kind]
        return Proof(sign_standard_webhook(secret, message_id, at, body, prefix))
    if scheme.kind in HEX_FORMS:
        return Proof(sign_hex(HEX_FORMS[scheme.kind], secret, at, body))
    if scheme.kind == "header":
        bearer = "Bearer " if scheme.name.lower() == "authorization" else ""
        return Proof({scheme.name: f"{bearer}{secret.text}"})
    if scheme.kind == "basic":
        text = base64.b64encode(f"{scheme.username}:{secret.text}".encode()).decode()
        return Proof({"authorization": f"Basic {text}"})
    if scheme.kind == "query":
        return Proof(query=form_text({scheme.name: secret.text}))
    return Proof()
