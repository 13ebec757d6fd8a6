"""What proves a person: passwords, one-time codes of an app, and recovery codes.

Owns their forms and how they are compared. Does not own where they are kept (``rpm.store``) nor how
often may be tried (``rpm.actions.sign_in``). Times are arguments.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import cache

import pyotp
from pwdlib import PasswordHash

LEAST_PASSWORD_CHARACTERS, MOST_PASSWORD_CHARACTERS = 12, 200
LEAST_DIFFERENT_CHARACTERS = 6
STEP_SECONDS = 30
"""A code of an app is good for one step; the one before and the one after are taken too."""
RECOVERY_CODES = 10
ISSUER = "rpm-ledger"
_RECOVERY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_RECOVERY_PARTS, _PART_CHARACTERS = 3, 5
_NO_CODE = "0" * 64  # no code has this hash
_KNOWN = ("password", "rpm-ledger", "rpmledger", "qwerty", "letmein", "123456", "welcome")


@cache
def _passwords() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    """Compared against where nobody has the name, so that the answer takes as long."""
    return hash_password(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    """An argon2id hash with its salt and its cost."""
    return _passwords().hash(password)


def password_matches(kept: str | None, password: str) -> bool:
    """Whether a password fits a kept hash; the same work, and False, where there is none."""
    is_hash = kept is not None and kept.startswith("$argon2")
    fits = _passwords().verify(password, kept if kept is not None and is_hash else _nobody())
    return fits and is_hash


def weak_password(password: str, *own_words: str) -> str | None:
    """Why a password would be guessed; None when it will do. ``own_words``: name and address."""
    lowered = password.lower()
    if len(password) < LEAST_PASSWORD_CHARACTERS:
        return f"it needs {LEAST_PASSWORD_CHARACTERS} characters at least"
    if len(password) > MOST_PASSWORD_CHARACTERS:
        return f"it may have {MOST_PASSWORD_CHARACTERS} characters at most"
    if len(set(lowered)) < LEAST_DIFFERENT_CHARACTERS:
        return "it is made of too few different characters"
    parts = {part for word in own_words for part in word.lower().replace("@", " ").split()}
    if any(word in lowered for word in {*_KNOWN, *(part for part in parts if len(part) > 3)}):
        return "it holds a word that is tried first: a name, an address, a known password"
    return None


def new_totp_secret() -> str:
    """A new secret for an app that makes one-time codes, in base 32."""
    return pyotp.random_base32()


def totp_address(secret: str, login: str) -> str:
    """What the QR code says to the app."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def totp_code(secret: str, instant: datetime) -> str:
    """The code of an instant."""
    return pyotp.TOTP(secret).at(instant)


def totp_step(secret: str, code: str, instant: datetime) -> int | None:
    """The step whose code this is, of the present one and its neighbours; None for none of them.

    Every neighbour is compared, whichever fits.
    """
    now = int(instant.timestamp()) // STEP_SECONDS
    found = None
    for step in (now - 1, now, now + 1):
        expected = pyotp.TOTP(secret).generate_otp(step)
        if hmac.compare_digest(expected.encode(), code.encode()):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of 74 random bits, each for one sign-in without the app."""
    return ["-".join(_part() for _ in range(_RECOVERY_PARTS)) for _ in range(RECOVERY_CODES)]


def _part() -> str:
    return "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(_PART_CHARACTERS))


def recovery_hash(code: str) -> str:
    """How a recovery code is kept: random enough that no salt is needed."""
    plain = "".join(code.lower().split()).replace("-", "")
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def recovery_left(kept: Sequence[str], code: str) -> list[str] | None:
    """The codes that are left once this one is used; None when it is none of them.

    As many are compared however many are left.
    """
    hashed = recovery_hash(code)
    compared = [*kept, *[_NO_CODE] * (RECOVERY_CODES - len(kept))]
    fits = [hmac.compare_digest(one, hashed) for one in compared]
    if not any(fits):
        return None
    return [one for one, fit in zip(kept, fits, strict=False) if not fit]
