"""Accounts at vendors over the API: authorized, listed, withdrawn; credentials stand nowhere."""

import pytest
from starlette.testclient import TestClient

from rpm.access import Actor
from tests.rpm.web.conftest import MakeHeaders

Headers = dict[str, str]
APPLICATION = {"client_id": "app-1", "client_secret": "secret-of-the-app"}


@pytest.fixture
def accounts(client: TestClient, admin: Headers) -> str:
    """The address of the accounts of a new Withings connection with its application."""
    command = {"vendor": "withings", "name": "Scales"}
    made = client.post("/v1/connections", json=command, headers=admin).json()
    path = f"/v1/connections/{made['connection']['id']}/accounts"
    given = client.post(path, json={"credentials": APPLICATION}, headers=admin)
    assert (given.status_code, given.json()["subject"]) == (201, "")
    return path


def test_an_account_is_authorized_listed_and_withdrawn(
    client: TestClient, admin: Headers, accounts: str
) -> None:
    """It waits for its first fetch, is listed with what there is to know, and ends stopped."""
    wanted = {"subject": "11223344", "credentials": {"refresh_token": "token-of-the-owner"}}
    made = client.post(accounts, json=wanted, headers=admin)
    assert (made.status_code, made.json()["stopped"]) == (201, False)
    assert made.json()["asked_at"] is not None
    listed = client.get(accounts, headers=admin)
    assert [one["subject"] for one in listed.json()["items"]] == ["", "11223344"]
    ended = client.post(f"{accounts}/withdraw", json={"subject": "11223344"}, headers=admin)
    assert (ended.status_code, ended.json()["stopped"]) == (200, True)
    again = client.post(accounts, json=wanted, headers=admin)
    assert (again.json()["id"], again.json()["stopped"]) == (made.json()["id"], False)
    for answer in (made, listed, ended, again):
        assert "token-of" not in answer.text
        assert "secret-of" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"subject": "1", "credentials": {}}, 422),
        ({"subject": "1", "credentials": {"refresh_token": "x", "password": "word-1"}}, 422),
        ({"subject": "1", "credentials": {"refresh_token": "word-1 "}}, 422),
        ({"subject": "word-1/..", "credentials": {"refresh_token": "x"}}, 422),
    ],
    ids=["missing", "unknown", "blank in it", "no account"],
)
def test_what_does_not_fit_is_refused_without_an_echo(
    client: TestClient, admin: Headers, accounts: str, body: object, status: int
) -> None:
    """The field is named, never what was sent; nothing is kept."""
    answer = client.post(accounts, json=body, headers=admin)
    assert (answer.status_code, "word-1" in answer.text) == (status, False)
    assert len(client.get(accounts, headers=admin).json()["items"]) == 1


def test_a_vendor_that_only_pushes_has_no_accounts(client: TestClient, admin: Headers) -> None:
    """It is told so; an account that is not known cannot be withdrawn."""
    command = {"vendor": "telli", "name": "Cuffs"}
    made = client.post("/v1/connections", json=command, headers=admin).json()
    path = f"/v1/connections/{made['connection']['id']}/accounts"
    assert client.get(path, headers=admin).json()["items"] == []
    given = {"subject": "1", "credentials": {"refresh_token": "x"}}
    assert client.post(path, json=given, headers=admin).status_code == 409
    ended = client.post(f"{path}/withdraw", json={"subject": "1"}, headers=admin)
    assert ended.status_code == 409


def test_others_see_no_accounts(
    client: TestClient, actor: Actor, headers_of: MakeHeaders, accounts: str
) -> None:
    """Without ``connections:manage`` nothing is shown, and an unknown connection is not found."""
    reader = headers_of(actor, "readings:read")
    assert client.get(accounts, headers=reader).status_code == 403
    manager = headers_of(actor, "connections:manage")
    unknown = "/v1/connections/00000000-0000-0000-0000-000000000001/accounts"
    assert client.get(unknown, headers=manager).status_code == 404
