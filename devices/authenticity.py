"""Authenticity: the ways in which a connection's deliveries may prove whose they are.

Owns the ways. Does not own secrets (``devices.delivery``) nor signatures (``devices.signature``).
"""

from dataclasses import dataclass
from typing import Literal

SchemeKind = Literal["standard-webhooks", "svix", "terra", "header", "basic", "query", "path"]


@dataclass(frozen=True)
class Scheme:
    """One way: ``name`` is the header or query parameter that carries the secret, if one does."""

    kind: SchemeKind
    name: str = ""
    username: str = ""
    tolerance_seconds: int = 300
