"""Every operation against its own description: whatever is sent, the service does not fail."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from starlette.testclient import TestClient

from rpm.settings import Settings
from rpm.web.app import create_app

schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@schema.parametrize()
def test_no_operation_fails(case: Case, client: TestClient, admin: dict[str, str]) -> None:
    """Requests made from the description, good and broken ones, are answered below 500."""
    arguments = case.as_transport_kwargs(base_url="http://testserver", headers=admin)
    arguments.pop("cookies", None)
    if isinstance(arguments.get("data"), bytes):
        arguments["content"] = arguments.pop("data")
    answer = client.request(**arguments)
    assert answer.status_code < 500, answer.text
