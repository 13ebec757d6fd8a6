"""What makes a start unsafe: weak secrets, an open listener, debug, a database without its guards.

Owns the reasons, each with its mend, and refusing to start for any of them, all told at once. Does
not own the settings (``rpm.settings``) nor the guards (``rpm.store.append_only``). No reason shows
a value.
"""

import ipaddress
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

from pydantic import SecretStr
from sqlalchemy import Connection
from sqlalchemy.engine import Engine, make_url

from rpm.errors import NotReady
from rpm.keys import key_file, key_texts
from rpm.settings import Settings
from rpm.store.append_only import missing_guards, privileged_login
from rpm.store.migrations import current_revision, head_revision
from rpm.store.row_security import missing_walls

LEAST_KEY_BITS = 96
"""A key whose characters tell less than this is no random key; 32 random hex digits tell 110."""
LEAST_PASSWORD_CHARACTERS = 12
_PLACEHOLDERS = (
    *("change", "default", "dummy", "example", "ledger", "password", "placeholder", "postgres"),
    *("replace", "sample", "secret", "testing"),
)
_RANDOM = "take a random one, as `openssl rand -hex 32` prints"


@dataclass(frozen=True)
class Danger:
    """A reason not to start, and what mends it."""

    reason: str
    mend: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.mend}"


def refuse_unsafe_start(settings: Settings, engine: Engine, *, listens: bool) -> None:
    """``NotReady`` with every reason not to start a server (``listens``) or a scheduler."""
    found = dangers(settings, engine, listens=listens)
    if found:
        lines = "".join(f"\n  - {danger}" for danger in found)
        raise NotReady(f"it is not safe to start:{lines}")


def dangers(settings: Settings, engine: Engine, *, listens: bool) -> list[Danger]:
    """Every reason not to start; empty when it is safe."""
    found = [*_weak_keys(key_texts(settings)), *_reused_keys(settings), *_key_file(settings)]
    found += [*_password(settings), *_debug(settings)]
    if listens:
        found += _listener(settings)
    with engine.connect() as connection:
        found += _database(connection)
    return found


def _weak_keys(keys: Mapping[str, str]) -> Iterator[Danger]:
    for name, text in keys.items():
        why = weakness(text)
        if why is not None:
            yield Danger(f"{_variable(name)} {why}", _RANDOM)


def weakness(secret: str) -> str | None:
    """Why a secret can be guessed; None for one that looks random."""
    lowered = secret.lower()
    if any(word in lowered for word in _PLACEHOLDERS):
        return "is a placeholder or holds a common word"
    if secret in (secret + secret)[1:-1]:
        return "repeats itself"
    steps = Counter(ord(b) - ord(a) for a, b in pairwise(secret))
    if max(steps.values(), default=0) * 2 > len(secret):
        return "is a sequence"
    if _bits(secret) < LEAST_KEY_BITS:
        return "is made of too few different characters"
    return None


def _bits(text: str) -> float:
    counts, size = Counter(text).values(), len(text)
    return -sum(count * math.log2(count / size) for count in counts)


def _reused_keys(settings: Settings) -> Iterator[Danger]:
    named = [(_variable(name), text) for name, text in key_texts(settings).items()]
    for kind in ("audit", "field"):
        earlier: list[SecretStr] = getattr(settings, f"previous_{kind}_keys")
        named += [
            (f"RPMLEDGER_PREVIOUS_{kind.upper()}_KEYS", one.get_secret_value()) for one in earlier
        ]
    url = make_url(settings.database_url)
    if url.password:
        named.append(("the database's password", str(url.password)))
    for (first, one), (second, other) in combinations(named, 2):
        if one == other:
            yield Danger(f"{first} and {second} hold the same secret", f"for each {_RANDOM}")


def _key_file(settings: Settings) -> Iterator[Danger]:
    path = key_file(settings.database_url)
    if os.name != "nt" and path is not None and path.exists() and path.stat().st_mode & 0o077:
        yield Danger(
            "the key file beside the database can be read by others", f"chmod 600 {path.name}"
        )


def _password(settings: Settings) -> Iterator[Danger]:
    url = make_url(settings.database_url)
    password = str(url.password or "")
    if not password:
        return  # a socket, a certificate or a password file
    short = len(password) < LEAST_PASSWORD_CHARACTERS
    known = password in {url.username, url.database}
    if short or known or any(word in password.lower() for word in _PLACEHOLDERS):
        yield Danger("the database's password can be guessed", _RANDOM)


def _debug(settings: Settings) -> Iterator[Danger]:
    if settings.log_level == "debug":
        yield Danger("debug messages are on", "set RPMLEDGER_LOG_LEVEL to info")
    if sys.flags.dev_mode or os.environ.get("PYTHONASYNCIODEBUG"):
        yield Danger(
            "the interpreter runs for debugging", "unset PYTHONDEVMODE, PYTHONASYNCIODEBUG"
        )


def _listener(settings: Settings) -> Iterator[Danger]:
    if not settings.behind_tls_proxy and not _loopback(settings.host):
        yield Danger(
            "the server would speak plain HTTP to other machines",
            "listen on 127.0.0.1 behind a proxy that ends TLS; where only the proxy can reach this"
            " address, set RPMLEDGER_BEHIND_TLS_PROXY=true",
        )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _database(connection: Connection) -> Iterator[Danger]:
    if privileged_login(connection):
        yield Danger(
            "the database login owns the tables or is a superuser, so it could remove the guards,"
            " or it goes past row security",
            "sign in as a role of its own, granted with rpm-ledger migrate --grant-to ROLE",
        )
    if current_revision(connection) != head_revision():
        yield Danger(
            "the database is not at this program's version",
            "run rpm-ledger migrate, or rpm-ledger upgrade where it holds data",
        )
    elif missing_guards(connection):
        yield Danger(
            "guards that keep facts from being changed are missing in the database",
            "find out who removed them, run rpm-ledger verify, and restore a backup",
        )
    elif missing_walls(connection):
        yield Danger(
            "policies that keep practices apart are missing in the database",
            "find out who removed them, and restore a backup",
        )


def _variable(name: str) -> str:
    return f"RPMLEDGER_{name.upper()}"
