"""``rpm-ledger endpoints``: from a first receiver to an event that it verifies."""

import re
from collections.abc import Callable

import pytest
from ledger_practice import Practice
from receiver import answered, receiving
from standardwebhooks.webhooks import Webhook

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Run = Callable[..., str]


def test_a_receiver_is_added_and_told(
    practice: Practice, said: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial arrives signed; a failing one is seen, and sent again by its id."""
    with receiving() as receiver:
        monkeypatch.setenv("RPMLEDGER_OUTBOUND_HOSTS", f'["{receiver.host}"]')
        made = said("endpoints", "add", receiver.url, "--name", "Care desk")
        endpoint = re.findall(r"endpoint: (\S+)", made)[0]
        secret = re.findall(r"whsec_\S+", made)[0]
        assert f"{endpoint}  Care desk" in said("endpoints", "list")
        event = said("endpoints", "test", endpoint).split()[1]
        receiver.answer = lambda request: answered(request, 500)
        assert "0 sent, 1 not taken" in said("endpoints", "send", code=1)
        assert "waiting, 1 tries, last 500" in said("endpoints", "events")
        receiver.answer = lambda request: answered(request, 200)
        said("endpoints", "resend", event, endpoint)
        assert "1 sent" in said("endpoints", "send")
        got = receiver.got[-1]
        assert Webhook(secret).verify(got.body, got.headers)["type"] == "endpoint.test"
        rotated = said("endpoints", "rotate", endpoint, "--overlap-hours", "0")
        assert "signs too for 0 hours" in rotated
        assert said("endpoints", "retire", endpoint, "--reason", "moved") == "retired\n"
        assert "retired" in said("endpoints", "retire", endpoint, "--reason", "again", code=2)


def test_what_is_refused(practice: Practice, said: Run) -> None:
    """An address inside and an unknown state end with 2."""
    told = said("endpoints", "add", "https://127.0.0.1/", "--name", "inside", code=2)
    assert "the address is not a public one" in told
    assert "no such state" in said("endpoints", "events", "--state", "lost", code=2)
    assert said("endpoints", "events") == "no events\n"
