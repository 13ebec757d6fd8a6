"""S17: comparing secrets tells nothing, neither by how they are compared nor by the work done."""

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from intake_door import Door, body_of, signed, weight
from promised import Promised
from signing_in import PASSWORD, person_of
from sqlalchemy import event
from sqlalchemy.engine import Engine

import devices
import rpm
from devices.delivery import Incoming
from rpm.access import Actor, new_token, token_hash
from rpm.actions.authenticate_delivery import authenticate
from rpm.actions.manage_access import ChangeUser, change_user
from rpm.actions.sign_in import ProvePerson, begin_sign_in, proved
from rpm.clock import Clock
from rpm.errors import NotAuthentic
from rpm.ids import uuid7
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.scope import actor_of_token
from rpm.store.tables.people import ApiToken, User

PACKAGES = tuple(Path(str(package.__file__)).parent for package in (rpm, devices))
SPEAKS_OF_SECRETS = re.compile(
    r"secret|signature|digest|hash|hmac|token|passw|credential|(audit|field|chain|private)_key",
    re.IGNORECASE,
)
PUBLIC_DIGEST = "a digest that the product prints, over what its reader has as well"
NO_SECRETS = {
    ("rpm/actions/backup_manifest.py", "digest"): PUBLIC_DIGEST,
    ("rpm/actions/backup_manifest.py", "content_digest"): PUBLIC_DIGEST,
    ("rpm/actions/backup_manifest.py", "file_digest"): PUBLIC_DIGEST,
    ("rpm/actions/compare_pack.py", "digest"): PUBLIC_DIGEST,
    ("rpm/actions/compare_pack.py", "row_digest"): PUBLIC_DIGEST,
    ("rpm/actions/compute_close.py", "outcome_digest"): PUBLIC_DIGEST,
    ("rpm/actions/export_close.py", "digest"): PUBLIC_DIGEST,
    ("rpm/actions/export_close.py", "file_digests"): PUBLIC_DIGEST,
    ("rpm/actions/rebuild_close.py", "outcome_digest"): PUBLIC_DIGEST,
    ("rpm/actions/verify.py", "digest"): PUBLIC_DIGEST,
    ("rpm/actions/verify.py", "hexdigest"): PUBLIC_DIGEST,
    ("rpm/actions/verify.py", "outcome_digest"): PUBLIC_DIGEST,
    ("rpm/store/verify.py", "digest"): PUBLIC_DIGEST,
    ("rpm/store/verify.py", "facts_digest"): PUBLIC_DIGEST,
    ("rpm/store/verify.py", "fact_digest"): PUBLIC_DIGEST,
    ("rpm/store/verify.py", "hmac"): "chain values are printed in manifests; only their key is"
    " secret, and nobody can send one to be accepted",
    ("rpm/store/verify.py", "previous_hmac"): "as above",
    ("rpm/store/verify.py", "event_hmac"): "as above",
    ("rpm/actions/credentials.py", "token_hash"): "an index look-up by SHA-256 of 256 random bits",
    ("rpm/store/sign_ins.py", "token_hash"): "as above",
    ("rpm/store/queries/sign_ins.py", "NO_PASSWORD"): "whether there is one; nothing was sent",
    ("rpm/documents/evidence_event.py", "digest"): PUBLIC_DIGEST,
    ("rpm/documents/evidence_event.py", "page_digest"): PUBLIC_DIGEST,
    ("rpm/web/pages/invitation.py", "password"): "two fields of one form, typed by the same person",
    ("rpm/web/pages/own_access.py", "password"): "as above",
    ("rpm/store/scope.py", "token_hash"): "as above",
    ("rpm/store/queries/connections.py", "token_hash"): "as above",
    ("rpm/store/queries/proposals.py", "token_hash"): "as above",
    ("rpm/web/idempotency.py", "request_hash"): "a digest over the caller's own request",
    ("rpm/store/queries/clearinghouse_tests.py", "place_digest"): (
        "a digest over an agreement without its secret"
    ),
}
"""Compared by equality all the same, each with its reason."""
READING_A_ROW = {"UtcDateTime.process_result_value"}
"""Done for each column of a row that is found, which a row that is not there cannot have."""
CRYPTO = {"digest", "compare_digest", "decrypt", "encrypt"}


def spoken(operand: ast.expr) -> Iterator[str]:
    """The names that say what a side of a comparison is."""
    if isinstance(operand, ast.Name):
        yield operand.id
    elif isinstance(operand, ast.Attribute):
        yield operand.attr
    elif isinstance(operand, ast.Subscript):
        yield from (*spoken(operand.value), *_word(operand.slice))
    elif isinstance(operand, ast.Call):
        yield from spoken(operand.func)
        looked_in = (operand.func.value,) if isinstance(operand.func, ast.Attribute) else ()
        for inside in (*operand.args[:1], *looked_in):
            # .get("secret") and secret.hex() speak of it, hash_of(secret) does by its own name
            yield from _word(inside) if inside in operand.args else spoken(inside)
    elif isinstance(operand, ast.Tuple):
        for inside in operand.elts:
            yield from spoken(inside)


def _word(operand: ast.expr) -> list[str]:
    return [str(operand.value)] if isinstance(operand, ast.Constant) else []


def compared(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each secret-sounding value that is compared by equality."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            isinstance(one, ast.Eq | ast.NotEq) for one in node.ops
        ):
            for operand in (node.left, *node.comparators):
                for name in spoken(operand):
                    if SPEAKS_OF_SECRETS.search(name) and not name.endswith("_id"):
                        yield node.lineno, name


@pytest.mark.parametrize(
    "source",
    [
        "sent_token == token",
        "header['signature'] != expected",
        "hmac.new(key, body).hexdigest() == given",
        "(number, self.secret) == (1, secret)",
        "settings.audit_key.get_secret_value() != text",
    ],
)
def test_the_rule_sees_a_comparison(source: str) -> None:
    """A comparison of a secret by equality is seen, in whatever form it is written."""
    assert list(compared(source))


@pytest.mark.promise("S17")
def test_no_secret_is_compared_by_equality(promised: Promised) -> None:
    """Only values of the list are compared by equality, and the list holds nothing else."""
    found = set()
    files = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]
    for path in files:
        name = path.relative_to(PACKAGES[0].parent).as_posix()
        for line, word in compared(path.read_text(encoding="utf-8")):
            assert (name, word) in NO_SECRETS, f"{name}:{line}: {word}"
            found.add((name, word))
    assert {one for one in NO_SECRETS if (PACKAGES[0].parent / one[0]).exists()} == found
    promised.reached(f"{len(files)} files: 0 secrets compared by equality")


@dataclass
class Work:
    """What was done: statements sent, product functions called, cryptography used."""

    statements: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    crypto: Counter[str] = field(default_factory=Counter)


@contextmanager
def counted(engine: Engine) -> Iterator[Work]:
    """The work done inside."""
    work = Work()

    def sent(*arguments: Any) -> None:
        work.statements.append(arguments[2])

    def called(frame: Any, kind: str, argument: Any) -> None:
        if kind == "call" and frame.f_code.co_filename.startswith(tuple(map(str, PACKAGES))):
            if frame.f_code.co_qualname not in READING_A_ROW:
                work.calls[frame.f_code.co_qualname] += 1
        elif kind == "c_call" and argument.__name__ in CRYPTO:
            work.crypto[argument.__name__] += 1

    event.listen(engine, "before_cursor_execute", sent)
    sys.setprofile(called)
    try:
        yield work
    finally:
        sys.setprofile(None)
        event.remove(engine, "before_cursor_execute", sent)


def work_of(engine: Engine, call: Callable[[], object]) -> Work:
    """What a refused call does, after caches are warm."""
    for _ in range(2):
        with counted(engine) as work, pytest.raises(NotAuthentic):
            call()
    return work


def tokens(engine: Engine, actor: Actor, now: datetime) -> dict[str, str]:
    """Tokens that are no longer good, and one that never was."""
    found = {name: new_token() for name in ("expired", "revoked", "of nobody who works here")}
    rows = {
        name: ApiToken(
            organization_id=actor.organization_id,
            id=uuid7(now),
            user_id=actor.user_id,
            token_hash=token_hash(token),
            name=name,
            permissions=[],
            created_at=now - timedelta(days=2),
            expires_at=now + timedelta(days=1),
        )
        for name, token in found.items()
    }
    rows["expired"].expires_at = now - timedelta(days=1)
    rows["revoked"].revoked_at = now
    gone = User(
        organization_id=actor.organization_id,
        id=uuid7(now),
        name="Gone",
        email="gone@example.org",
        role="biller",
        active=False,
        created_at=now,
    )
    rows["of nobody who works here"].user_id = gone.id
    with transaction(engine) as db:
        db.add(gone)
        db.flush()
        db.add_all(rows.values())
    return found | {"unknown": new_token()}


@pytest.mark.promise("S17")
def test_an_unknown_token_costs_the_same_work(
    engine: Engine, actor: Actor, clock: Clock, promised: Promised
) -> None:
    """Unknown, expired, revoked, of a user without access: the same statements and calls."""
    now = clock.now()

    def asked(token: str) -> Work:
        def ask() -> None:
            with reading(engine) as db:
                actor_of_token(db, token, now)

        return work_of(engine, ask)

    found = [asked(token) for token in tokens(engine, actor, now).values()]
    assert found[0].statements
    assert found[0].calls["token_hash"] == 1
    assert all(work == found[0] for work in found)
    promised.reached(f"{engine.dialect.name}: {len(found)} kinds of bad token: the same work")


@pytest.mark.promise("S17")
def test_an_unknown_connection_costs_the_same_work(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock, promised: Promised
) -> None:
    """No connection, a retired one, a wrong signature: the same statements, calls and HMACs."""
    door, now = Door(engine, settings, actor, clock.now()), clock.now()
    closed = Door(engine, settings, actor, clock.now())
    with transaction(engine) as db:
        closed.connection.retired_at = now
        db.merge(closed.connection)
    body = body_of(weight("r-1"))
    headers = signed("whsec_" + "c2VjcmV0" * 4, "msg-1", now, body)

    def asked(address: str, sent: dict[str, str]) -> Work:
        def ask() -> None:
            with reading(engine) as db:
                authenticate(db, door.ring, now, "generic", address, Incoming(sent, body))

        return work_of(engine, ask)

    known = asked(door.token, headers)
    assert known.crypto["compare_digest"] == 1
    assert known.crypto["decrypt"] == 1
    fitting = signed(closed.secret, "msg-1", now, body)
    for work in (asked("no such address", headers), asked(closed.token, fitting)):
        assert work.statements == known.statements
        assert work.crypto == known.crypto
    promised.reached(f"{engine.dialect.name}: 3 kinds of bad delivery: the same work")


@pytest.mark.promise("S17")
def test_an_unknown_name_costs_the_same_work(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock, promised: Promised
) -> None:
    """Unknown name, wrong password, wrong code, no access any more: the same work of sign-in."""
    keys, wall = load_keys(settings), clock.now()
    known, gone = (person_of(engine, keys, actor, wall, "biller") for _ in range(2))
    with transaction(engine) as db:
        reason = "left the practice"
        change_user(db, actor, wall, change_of(gone.actor.user_id, reason))

    def sign_in_work(address: str, password: str, code: str) -> Work:
        command = ProvePerson(address=address, password=password, code=code)

        def ask() -> None:
            with transaction(engine) as db:
                kept = begin_sign_in(db, keys, wall, command, "192.0.2.1")
            if proved(kept, command, wall) is None:
                raise NotAuthentic("refused")

        return work_of(engine, ask)

    kinds = [
        sign_in_work("nobody@practice.example", PASSWORD, "000000"),
        sign_in_work(known.address, "not the right one", known.code(wall)),
        sign_in_work(known.address, PASSWORD, "000000"),
        sign_in_work(gone.address, "not the right one", "000000"),
    ]
    assert kinds[0].calls["password_matches"] == 1
    assert kinds[0].crypto["decrypt"] == 1
    for work in kinds[1:]:
        assert work.statements == kinds[0].statements
        assert work.crypto == kinds[0].crypto
    promised.reached(f"{engine.dialect.name}: {len(kinds)} kinds of bad sign-in: the same work")


def change_of(user_id: UUID | None, reason: str) -> ChangeUser:
    """Access taken away."""
    assert user_id is not None
    return ChangeUser(user_id=user_id, active=False, reason=reason)
