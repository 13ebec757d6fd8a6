"""Signatures: known answers, rotation, the time window, and headers of any kind."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from devices.delivery import NotAuthentic, Secret, Verified
from devices.signature import verify_standard_webhook

VECTORS = json.loads(
    (Path(__file__).parent.parent / "files/devices/signatures/vectors.json").read_text()
)
SCHEMES = {"standard-webhooks-v1": "webhook", "standard-webhooks-v1a": "webhook", "svix": "svix"}
CASES = [case for case in VECTORS["cases"] if case["scheme"] in SCHEMES]
NOW = datetime.fromtimestamp(VECTORS["now"], UTC)
OLD = Secret("whsec_" + base64.b64encode(b"o" * 32).decode())
NEW = Secret("whsec_" + base64.b64encode(b"n" * 24).decode())
BODY = b'{"id":"r-1"}'


def _signed(secret: Secret, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    return {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret.text).sign("msg_1", at, body.decode()),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['scheme']}-{case.get('note', '')}")
def test_known_answers(case: dict[str, Any]) -> None:
    """Every case of the schemes we speak gives the answer that stands with it."""
    secret = Secret(case.get("secret") or case["public_key"])
    outcome = verify_standard_webhook(
        case["headers"], case["body"].encode(), [secret], now=NOW, prefix=SCHEMES[case["scheme"]]
    )
    assert isinstance(outcome, Verified if case["valid"] else NotAuthentic)


def test_all_known_answers_of_our_schemes_are_there() -> None:
    """Both bodies bring seven cases each: five of v1, one of svix, one of v1a."""
    assert len(CASES) == 14


def test_verified_tells_message_and_time() -> None:
    """An authentic delivery tells the sender's message id and the second it was signed."""
    assert verify_standard_webhook(_signed(OLD), BODY, [OLD], now=NOW) == Verified("msg_1", NOW)


@pytest.mark.parametrize("secrets", [[OLD, NEW], [NEW, OLD]])
def test_rotation_accepts_either_secret(secrets: list[Secret]) -> None:
    """While two secrets are active either signs, and without the right one neither does."""
    assert isinstance(verify_standard_webhook(_signed(OLD), BODY, secrets, now=NOW), Verified)
    assert isinstance(verify_standard_webhook(_signed(NEW), BODY, secrets, now=NOW), Verified)
    assert verify_standard_webhook(_signed(NEW), BODY, [OLD], now=NOW) == NotAuthentic(
        "no signature fits"
    )


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [(-301, NotAuthentic), (-300, Verified), (300, Verified), (301, NotAuthentic)],
)
def test_the_window_is_five_minutes_either_side(seconds: int, outcome: type) -> None:
    """A message signed more than five minutes before or after now is not authentic."""
    headers = _signed(OLD, at=NOW + timedelta(seconds=seconds))
    assert isinstance(verify_standard_webhook(headers, BODY, [OLD], now=NOW), outcome)


def test_the_window_can_be_wider() -> None:
    """A connection whose sender repeats its first timestamp may be given a wider window."""
    headers = _signed(OLD, at=NOW - timedelta(hours=3))
    outcome = verify_standard_webhook(headers, BODY, [OLD], now=NOW, tolerance=timedelta(hours=4))
    assert isinstance(outcome, Verified)


def test_a_changed_body_is_not_authentic() -> None:
    """A blank more in the body and the signature no longer fits."""
    assert isinstance(
        verify_standard_webhook(_signed(OLD), BODY + b" ", [OLD], now=NOW), NotAuthentic
    )


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_***", "whpk_", "whpk_AAAA", "whsec_é", "not base64"]
)
def test_an_unusable_secret_lets_nothing_in(secret: str) -> None:
    """A secret that is no key refuses every message, also one signed with the empty key."""
    headers = _signed(OLD)
    headers["Webhook-Signature"] += " v1, v1a, v1,AAAA"
    assert isinstance(
        verify_standard_webhook(headers, BODY, [Secret(secret)], now=NOW), NotAuthentic
    )
    assert isinstance(verify_standard_webhook(headers, BODY, [], now=NOW), NotAuthentic)


def test_secrets_do_not_show() -> None:
    """A secret's text is not in its repr, where logs would find it."""
    assert OLD.text not in repr(OLD)


@given(
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
        st.text(max_size=60) | st.sampled_from(["1795430400", "v1,é", "v1a,", "msg_1", "v1"]),
    ),
    body=st.binary(max_size=40),
    public=st.booleans(),
)
def test_no_header_raises(headers: dict[str, str], body: bytes, *, public: bool) -> None:
    """Headers of any content give NotAuthentic, with a reason that holds nothing sent."""
    secret = Secret("whpk_Z+bBowgcQhRI3y1Ju03CzFUFkko4rf7JJj/Q0GeC+9o=") if public else OLD
    outcome = verify_standard_webhook(headers, body, [secret], now=NOW)
    assert isinstance(outcome, NotAuthentic)
    assert outcome.reason.isascii()


@given(st.binary(max_size=60))
def test_bytes_of_any_encoding_can_be_signed(body: bytes) -> None:
    """The signature is over the bytes received, whether or not they are text."""
    key = base64.b64decode(OLD.text.removeprefix("whsec_"))
    seconds = str(int(NOW.timestamp()))
    signature = hmac.new(key, b"msg_1." + seconds.encode() + b"." + body, "sha256").digest()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    assert isinstance(verify_standard_webhook(headers, body, [OLD], now=NOW), Verified)
