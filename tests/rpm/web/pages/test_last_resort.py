"""When the code fails: a page for a person, a problem document for a program."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from rpm.web.pages import problem_page

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PLANTED = "Zebulon-Planted"


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """The application with a route whose code fails."""

    @app.get("/broken")
    def broken() -> None:
        raise ValueError(PLANTED)

    return app


def test_a_person_sees_a_page(browser: TestClient) -> None:
    """It says that the service failed and names the request; nothing of the failure is on it."""
    answer = browser.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert "The service failed" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert PLANTED not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_a_program_gets_the_problem(browser: TestClient) -> None:
    """Who does not ask for a page gets JSON as ever."""
    answer = browser.get("/broken", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal"


def test_a_page_that_cannot_be_made_is_no_second_failure(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the page's own template fails, the problem is the answer."""

    def fail(*_words: object, **_values: object) -> None:
        raise KeyError(PLANTED)

    monkeypatch.setattr(problem_page, "render", fail)
    answer = browser.get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
