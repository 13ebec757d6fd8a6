"""OpenID Connect: what a provider says about itself, and whether its word about somebody is good.

Owns addresses, the proof key of a code (PKCE, RFC 7636) and the checks of an ID token (OpenID
Connect Core 3.1.3.7), with joserfc for signatures. Does not own fetching (``rpm.outbound_fetch``),
who is meant by an address, nor how a browser is sent there. Times are arguments.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures with a key that only the provider has; no shared secret, and never none."""
SKEW_SECONDS = 60
SCOPE = "openid email"
WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderError(Exception):
    """Why a provider's word is not taken; the text holds nothing of a token."""


@dataclass(frozen=True)
class Provider:
    """What a provider says about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    posts_secret: bool  # in the form, where it does not take it in a header


@dataclass(frozen=True)
class Attempt:
    """What ties an answer to the browser that was sent away."""

    state: str
    nonce: str
    verifier: str


def configuration_address(issuer: str) -> str:
    """Where an issuer describes itself."""
    return issuer.rstrip("/") + WELL_KNOWN


def provider_of(issuer: str, described: Mapping[str, Any]) -> Provider:
    """The provider; ``ProviderError`` where the description is of another or lacks something."""
    if described.get("issuer") != issuer:
        raise ProviderError("the description names another issuer")
    named = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    found = {name: described.get(name) for name in named}
    if not all(isinstance(value, str) and value for value in found.values()):
        raise ProviderError("the description lacks an address")
    methods = described.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Provider(issuer=issuer, posts_secret="client_secret_basic" not in methods, **found)  # type: ignore[arg-type]  # texts, as seen above


def authorization_address(provider: Provider, client_id: str, back: str, attempt: Attempt) -> str:
    """Where the browser is sent to prove who is there."""
    challenge = hashlib.sha256(attempt.verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": back,
        "scope": SCOPE,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    sign = "&" if "?" in provider.authorization_endpoint else "?"
    return f"{provider.authorization_endpoint}{sign}{urlencode(asked)}"


def token_request(
    provider: Provider, client_id: str, secret: str | None, back: str, code: str, verifier: str
) -> tuple[bytes, dict[str, str]]:
    """Form and headers that trade a code for a token."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
        "client_id": client_id,
    }
    headers = {}
    if secret is not None and provider.posts_secret:
        form["client_secret"] = secret
    elif secret is not None:
        pair = f"{urlencode({'': client_id})[1:]}:{urlencode({'': secret})[1:]}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return urlencode(form).encode(), headers


def address_told(
    token: Any,
    jwks: Mapping[str, Any],
    provider: Provider,
    client_id: str,
    nonce: str,
    wall: datetime,
) -> str:
    """The verified e-mail address of whom an ID token is about, in lower case.

    ``ProviderError`` for a token that is not the provider's, not for us, not of this attempt, not
    of now, or without an address that the provider has verified.
    """
    claims = _signed(token, jwks)
    now = wall.timestamp()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    told_nonce = claims.get("nonce")
    checks = {
        "issuer": claims.get("iss") == provider.issuer,
        "audience": client_id in audiences,
        "authorized party": claims.get("azp", client_id) == client_id
        and (len(audiences) == 1 or "azp" in claims),
        "end": _number(claims, "exp") > now - SKEW_SECONDS,
        "begin": 0 < _number(claims, "iat") <= now + SKEW_SECONDS,
        "nonce": isinstance(told_nonce, str) and hmac.compare_digest(told_nonce, nonce),
    }
    wrong = [name for name, is_right in checks.items() if not is_right]
    if wrong:
        raise ProviderError(f"the token's {wrong[0]} is not right")
    address = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(address, str):
        raise ProviderError("the provider has not verified an address")
    return address.strip().lower()


def _signed(token: Any, jwks: Mapping[str, Any]) -> dict[str, Any]:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    if not isinstance(token, str):
        raise ProviderError("there is no ID token")
    try:
        keys = KeySet.import_key_set(jwks)  # type: ignore[arg-type]  # whatever it is, it is checked
        return dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
    except (JoseError, ValueError, KeyError, TypeError):
        raise ProviderError("the token is not signed by the provider") from None


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
