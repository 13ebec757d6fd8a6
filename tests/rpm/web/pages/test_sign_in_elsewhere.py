"""Signing in by the practice's own identity provider, against a real one on this machine."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from conftest import FixedClock
from fastapi import FastAPI
from joserfc.jwk import OctKey, RSAKey
from provider import CLIENT, SECRET, Provider, providing
from signing_in import Person
from sqlalchemy.engine import Engine
from sqlmodel import select
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.settings import Settings
from rpm.store.engine import reading
from rpm.store.tables.sign_ins import IdentityProvider, SignIn
from rpm.web.app import create_app

MakePerson = Callable[..., Person]
SignedIn = Callable[..., TestClient]
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BOTH = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def provider(clock: FixedClock) -> Iterator[Provider]:
    """A provider whose clock goes with ours."""
    with providing() as provider:
        provider.wall = clock.now()
        yield provider


@pytest.fixture
def app(settings: Settings, clock: FixedClock, provider: Provider) -> FastAPI:
    """The application, whose installation lists the provider's host."""
    return create_app(settings.model_copy(update={"outbound_hosts": [provider.host]}), clock)


@pytest.fixture
def trusted(signed_in: SignedIn, provider: Provider) -> TestClient:
    """An administrator's browser; the practice trusts the provider."""
    admin = signed_in("practice_admin")
    assert trust(admin, provider).status_code == 303
    return admin


def trust(admin: TestClient, provider: Provider, **other: str) -> Any:
    """The form on the administrator's page."""
    form = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "reason": "one sign-in for all",
    }
    return admin.post("/admin/provider", data=form | other)


def come_back(browser: TestClient, actor: Actor, provider: Provider, **other: str) -> Any:
    """The whole way: to the provider and back, with what the provider's answer says."""
    away = browser.get(f"/sign-in/practices/{actor.organization_id}")
    assert away.status_code == 303, away.text
    told = provider.authorized(away.headers["location"]) | other
    return browser.get("/sign-in/answer", params=told)


def sign_ins(engine: Engine) -> int:
    """How many sign-ins there ever were."""
    with reading(engine) as db:
        return len(db.exec(select(SignIn)).all())


@BOTH
def test_an_existing_user_signs_in(
    browser: TestClient,
    trusted: TestClient,
    provider: Provider,
    person: MakePerson,
    actor: Actor,
    engine: Engine,
) -> None:
    """The provider vouches for an address in any case of letters; the role is the user's here."""
    nurse = person("clinical_staff")
    provider.claims = {"email": nurse.address.upper()}
    assert provider.issuer in trusted.get("/admin/provider").text
    answer = come_back(browser, actor, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = browser.get("/account").text
    assert nurse.actor.name_for_audit in page
    assert browser.get("/admin/users").status_code == 403
    with reading(engine) as db:
        (row,) = db.exec(select(IdentityProvider)).all()
    assert SECRET.encode() not in (row.client_secret_encrypted or b"")
    assert SECRET not in trusted.get("/admin/provider").text


WRONG_WORDS: list[tuple[dict[str, Any], str]] = [
    ({"email": "who@nowhere.example"}, "has no user with the address"),
    ({"email_verified": False}, "has not verified an address"),
    ({"email_verified": "true"}, "has not verified an address"),
    ({"email": None}, "has not verified an address"),
    ({"iss": "http://other.example"}, "issuer is not right"),
    ({"aud": "another client"}, "audience is not right"),
    ({"aud": [CLIENT, "another"]}, "authorized party is not right"),
    ({"azp": "another"}, "authorized party is not right"),
    ({"nonce": "of another attempt"}, "nonce is not right"),
    ({"nonce": None}, "nonce is not right"),
    ({"exp": 1}, "end is not right"),
    ({"exp": None}, "end is not right"),
    ({"iat": 4_000_000_000}, "begin is not right"),
]


@SQLITE
def test_a_wrong_word_is_not_taken(
    browser: TestClient, trusted: TestClient, provider: Provider, actor: Actor, engine: Engine
) -> None:
    """Another issuer, audience, attempt or time, or no verified address of a user: nobody is in."""
    assert trusted
    before = sign_ins(engine)
    for claims, told in WRONG_WORDS:
        provider.claims = {"email": "ada@example.org"} | claims
        answer = come_back(browser, actor, provider)
        assert answer.status_code == 401, claims
        assert told in answer.text, claims
    assert sign_ins(engine) == before


@SQLITE
def test_only_the_providers_own_signature_counts(
    browser: TestClient, trusted: TestClient, provider: Provider, actor: Actor
) -> None:
    """Another key of the same name, and a shared secret instead of a signature, are refused."""
    assert trusted
    provider.claims = {"email": "ada@example.org"}
    provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    assert "not signed by the provider" in come_back(browser, actor, provider).text
    provider.algorithm = "HS256"
    provider.signing = OctKey.generate_key(256)
    assert "not signed by the provider" in come_back(browser, actor, provider).text


@SQLITE
def test_an_answer_belongs_to_the_browser_that_went(
    browser: TestClient,
    trusted: TestClient,
    provider: Provider,
    actor: Actor,
    app: FastAPI,
    clock: FixedClock,
) -> None:
    """Another state, another browser, no journey, a late answer and a used code are refused."""
    assert trusted
    provider.claims = {"email": "ada@example.org"}
    assert "not to this browser" in come_back(browser, actor, provider, state="other").text
    away = browser.get(f"/sign-in/practices/{actor.organization_id}")
    told = provider.authorized(away.headers["location"])
    stranger = TestClient(app, follow_redirects=False)
    stranger.portal = browser.portal
    assert stranger.get("/sign-in/answer", params=told).status_code == 401
    kept = browser.cookies["rpm-ledger-away"]
    assert browser.get("/sign-in/answer", params=told).status_code == 303
    browser.cookies.clear()
    browser.cookies.set("rpm-ledger-away", kept, path="/sign-in/answer")
    assert browser.get("/sign-in/answer", params=told).status_code == 401
    browser.get(f"/sign-in/practices/{actor.organization_id}")
    clock.instant += timedelta(minutes=11)
    assert "took too long" in browser.get("/sign-in/answer", params=told).text


@SQLITE
def test_a_practice_that_trusts_nobody_signs_in_here(
    browser: TestClient, trusted: TestClient, provider: Provider, actor: Actor
) -> None:
    """Without a provider, and after it was given up, its address leads nowhere."""
    assert browser.get(f"/sign-in/practices/{actor.user_id}").status_code == 404
    trust(trusted, provider, issuer="", client_id="", client_secret="")
    assert browser.get(f"/sign-in/practices/{actor.organization_id}").status_code == 404


@SQLITE
def test_a_provider_must_be_one_that_may_be_called(
    browser: TestClient, trusted: TestClient, provider: Provider, actor: Actor
) -> None:
    """Private addresses and plain http are refused; one that describes another is not used."""
    for issuer in ("http://login.example.org", "https://10.0.0.1", "x"):
        assert trust(trusted, provider, issuer=issuer).status_code == 422, issuer
    assert trust(trusted, provider, client_id="").status_code == 422
    assert trust(trusted, provider, issuer="https://localhost").status_code == 303
    answer = browser.get(f"/sign-in/practices/{actor.organization_id}")
    assert "does not lead to a public address" in answer.text
    trust(trusted, provider)
    provider.described = {"issuer": "http://other.example"}
    answer = browser.get(f"/sign-in/practices/{actor.organization_id}")
    assert answer.status_code == 401
    assert "names another issuer" in answer.text
    provider.described = {"token_endpoint": "http://127.0.0.1:9/token"}  # not listed
    assert come_back(browser, actor, provider).status_code == 401


@SQLITE
def test_the_secret_stays_where_none_is_typed(
    browser: TestClient, trusted: TestClient, provider: Provider, actor: Actor
) -> None:
    """A change of the reason alone keeps it; another client id begins without one."""
    provider.claims = {"email": "ada@example.org"}
    trust(trusted, provider, client_secret="")
    assert come_back(browser, actor, provider).status_code == 303
    trust(trusted, provider, client_secret="", client_id="another")
    trust(trusted, provider, client_secret="")
    assert come_back(browser, actor, provider).status_code == 401
