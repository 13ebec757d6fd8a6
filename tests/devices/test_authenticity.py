"""Authenticity: every scheme's known answers, wrong credentials of any form, source networks."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.authenticity import Scheme, SchemeKind, from_allowed_network, secret_problem, verify
from devices.delivery import Incoming, NotAuthentic, Secret, Verified
from devices.proof import prove
from devices.vendor import VENDORS

VECTORS = json.loads(
    (Path(__file__).parent.parent / "files/devices/signatures/vectors.json").read_text()
)
NOW = datetime.fromtimestamp(VECTORS["now"], UTC)
BODY = b'{"id":"r-1"}'
WORD, OTHER = Secret("a-long-random-word-1"), Secret("a-long-random-word-2")
SIGNING = Secret("whsec_820gbPWk9eIuR45iSD56b/Rdu/rNwf9RgULjB0vq1aw=")
SCHEMES = {
    "header": Scheme("header", name="X-Api-Key"),
    "bearer": Scheme("header", name="Authorization"),
    "basic": Scheme("basic", username="rpm"),
    "query": Scheme("query", name="token"),
    "terra": Scheme("terra"),
    "oura": Scheme("oura"),
    "polar": Scheme("polar"),
    "hub-sha256": Scheme("hub-sha256"),
    "standard-webhooks": Scheme("standard-webhooks"),
    "svix": Scheme("svix"),
}


def _secret(scheme: Scheme) -> Secret:
    return SIGNING if scheme.kind in {"standard-webhooks", "svix"} else WORD


def _incoming(scheme: Scheme, body: bytes = BODY, at: datetime = NOW) -> Incoming:
    proof = prove(scheme, _secret(scheme), "msg-1", at, body)
    return Incoming(proof.headers, body, proof.query)


def _scheme_of(case: dict[str, Any]) -> Scheme:
    if case["scheme"] == "static-header":
        return Scheme("header", name=next(iter(case["headers"])))
    if case["scheme"] == "basic":
        return Scheme("basic", username=case["username"])
    if case["scheme"].startswith("standard-webhooks"):
        return Scheme("standard-webhooks")
    return Scheme(case["scheme"])


def test_known_answers() -> None:
    """All 28 published cases, of every scheme, give the answer that stands with them."""
    for case in VECTORS["cases"]:
        secret = Secret(case.get("secret") or case["public_key"])
        incoming = Incoming(case["headers"], case["body"].encode())
        outcome = verify(_scheme_of(case), incoming, [secret], NOW)
        assert isinstance(outcome, Verified if case["valid"] else NotAuthentic), case
    assert len(VECTORS["cases"]) == 28


def test_every_kind_is_allowed_somewhere_and_once() -> None:
    """Each way of proof is one of a vendor's, and no vendor has a kind twice."""
    kinds = [[scheme.kind for scheme in vendor.schemes] for vendor in VENDORS.values()]
    assert {kind for own in kinds for kind in own} == set(get_args(SchemeKind))
    assert all(len(set(own)) == len(own) for own in kinds)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("order", [1, -1])
def test_either_of_two_secrets_is_enough(scheme: Scheme, order: int) -> None:
    """While a secret is being replaced either proves a delivery; the wrong one alone does not."""
    secrets = [Secret("whsec_" + "A" * 32), OTHER, _secret(scheme)][::order]
    wrong = [secret for secret in secrets if secret != _secret(scheme)]
    assert isinstance(verify(scheme, _incoming(scheme), secrets, NOW), Verified)
    assert isinstance(verify(scheme, _incoming(scheme), wrong, NOW), NotAuthentic)
    assert isinstance(verify(scheme, _incoming(scheme), [], NOW), NotAuthentic)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_nothing_sent_is_not_authentic(scheme: Scheme) -> None:
    """Without header and query nothing is authentic, not even against an empty secret."""
    for secret in (_secret(scheme), Secret("")):
        assert isinstance(verify(scheme, Incoming({}, BODY), [secret], NOW), NotAuthentic)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_header_names_have_no_case(scheme: Scheme) -> None:
    """Header names are compared without case, values exactly."""
    sent = _incoming(scheme)
    loud = Incoming({name.upper(): value for name, value in sent.headers.items()}, BODY, sent.query)
    assert isinstance(verify(scheme, loud, [_secret(scheme)], NOW), Verified)


@pytest.mark.parametrize("kind", ["standard-webhooks", "svix", "terra", "oura"])
def test_the_window_is_the_connections(kind: SchemeKind) -> None:
    """A signature's time may be as far from now as the scheme allows, before or after."""
    scheme = Scheme(kind, tolerance_seconds=60)
    for seconds, outcome in ((60, Verified), (61, NotAuthentic)):
        for sign in (1, -1):
            sent = _incoming(scheme, at=NOW + sign * timedelta(seconds=seconds))
            assert isinstance(verify(scheme, sent, [_secret(scheme)], NOW), outcome)


@pytest.mark.parametrize("kind", ["terra", "oura", "polar", "hub-sha256", "svix"])
def test_a_changed_body_is_not_authentic(kind: SchemeKind) -> None:
    """A blank more in the body and the signature no longer fits."""
    sent = _incoming(Scheme(kind))
    changed = Incoming(sent.headers, BODY + b" ")
    assert isinstance(verify(Scheme(kind), changed, [_secret(Scheme(kind))], NOW), NotAuthentic)


def test_a_terra_header_may_hold_several_signatures() -> None:
    """One that fits among several is enough, as while the sender changes its secret."""
    scheme = SCHEMES["terra"]
    value = _incoming(scheme).headers["terra-signature"].replace(",v1=", f",v1={'0' * 64},v1=")
    sent = Incoming({"terra-signature": value}, BODY)
    assert isinstance(verify(scheme, sent, [WORD], NOW), Verified)


@pytest.mark.parametrize(
    "query", [f"token={WORD.text}&token=x", f"Token={WORD.text}", "token=", "&" * 200, "%ff=%ff"]
)
def test_a_query_token_stands_once_under_its_name(query: str) -> None:
    """Given twice, under another name, empty, or among too many parameters, it does not count."""
    sent = Incoming({}, BODY, query)
    assert isinstance(verify(SCHEMES["query"], sent, [WORD], NOW), NotAuthentic)


def test_basic_needs_the_user_too() -> None:
    """The right password of another user is not authentic; the word Basic has no case."""
    other = _incoming(Scheme("basic", username="other"))
    assert isinstance(verify(SCHEMES["basic"], other, [WORD], NOW), NotAuthentic)
    value = _incoming(SCHEMES["basic"]).headers["authorization"].replace("Basic", "basic")
    sent = Incoming({"authorization": value}, BODY)
    assert isinstance(verify(SCHEMES["basic"], sent, [WORD], NOW), Verified)


def test_a_bearer_token_needs_its_word() -> None:
    """In Authorization the secret stands after Bearer; alone or after another word it is none."""
    for value in (WORD.text, f"Basic {WORD.text}", f"Bearer  {WORD.text}"):
        sent = Incoming({"authorization": value}, BODY)
        assert isinstance(verify(SCHEMES["bearer"], sent, [WORD], NOW), NotAuthentic)


@given(
    scheme=st.sampled_from(sorted(SCHEMES)),
    value=st.text(max_size=60) | st.sampled_from(["Basic é", "Basic cnBt", "t=1,v1=", "sha256="]),
    query=st.text(max_size=40),
    body=st.binary(max_size=20),
)
def test_no_request_raises(scheme: str, value: str, query: str, body: bytes) -> None:
    """Headers and queries of any content are refused with a reason that holds nothing sent."""
    names = [name for one in SCHEMES.values() for name in _incoming(one).headers]
    sent = Incoming(dict.fromkeys(names, value), body, query)
    outcome = verify(SCHEMES[scheme], sent, [WORD, SIGNING], NOW)
    assert isinstance(outcome, NotAuthentic)
    assert outcome.reason.isascii()


@pytest.mark.parametrize(
    ("networks", "source", "allowed"),
    [
        ([], None, True),
        (["192.0.2.0/24"], "192.0.2.77", True),
        (["192.0.2.0/24"], "::ffff:192.0.2.77", True),
        (["192.0.2.0/24"], "192.0.3.1", False),
        (["192.0.2.0/24"], "2001:db8::1", False),
        (["192.0.2.0/24", "2001:db8::/32"], "2001:db8::1", True),
        (["192.0.2.0/24"], None, False),
        (["192.0.2.0/24"], "no address", False),
    ],
)
def test_source_networks(networks: Sequence[str], source: str | None, *, allowed: bool) -> None:
    """An address is let in by one of the networks; without networks every sender is."""
    assert from_allowed_network(networks, source) is allowed


@pytest.mark.parametrize(
    ("kind", "text", "usable"),
    [
        ("header", WORD.text, True),
        ("header", "short", False),
        ("header", "a long word with blanks", False),
        ("basic", "é" * 20, False),
        ("query", "x" * 257, False),
        ("svix", SIGNING.text, True),
        ("standard-webhooks", "whpk_Z+bBowgcQhRI3y1Ju03CzFUFkko4rf7JJj/Q0GeC+9o=", True),
        ("standard-webhooks", "whpk_AAAA", False),
        ("standard-webhooks", "whsec_AAAA", False),
        ("standard-webhooks", WORD.text, False),
        ("path", WORD.text, False),
    ],
)
def test_secrets_that_a_sender_chose(kind: SchemeKind, text: str, *, usable: bool) -> None:
    """A sender's own secret is taken where the scheme can use it and it is not too weak."""
    assert (secret_problem(kind, text) is None) is usable


def test_requests_and_proofs_show_no_secret() -> None:
    """Headers, query and body of a request are not in its repr, where logs would find them."""
    sent = _incoming(SCHEMES["query"])
    proof = prove(SCHEMES["header"], WORD, "msg-1", NOW, BODY)
    assert WORD.text not in f"{sent!r}{proof!r}"
    assert "r-1" not in repr(sent)
