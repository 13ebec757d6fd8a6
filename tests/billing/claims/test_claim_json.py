"""A claim is kept as JSON and comes back as it was."""

import json
from random import Random

import pytest
from claims_made import ADJUDICATED, CLAIM, EVERYTHING, VOIDED, hostile_claim
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.claim import Claim
from billing.claims.claim_json import claim_to_json, json_to_claim

TEXT = st.text(max_size=8)


@given(st.integers(0, 10_000))
def test_a_claim_comes_back_as_it_was(seed: int) -> None:
    """Any claim, through the text of JSON too."""
    claim = hostile_claim(seed, Random(seed))
    assert json_to_claim(json.loads(json.dumps(claim_to_json(claim)))) == claim


@given(st.builds(Claim))
def test_every_field_of_every_shape_is_kept(claim: Claim) -> None:
    """Values drawn from the types of the fields, whether they make sense or not."""
    assert json_to_claim(json.loads(json.dumps(claim_to_json(claim)))) == claim


@pytest.mark.parametrize("claim", [CLAIM, EVERYTHING, VOIDED])
def test_what_is_empty_takes_no_room(claim: Claim) -> None:
    """Defaults are left out, and a remark of another payer is kept to the cent."""
    content = claim_to_json(claim)
    assert ("dependent" in content) is (claim.dependent is not None)
    assert "adjudications" not in content["lines"][0]
    assert json_to_claim(content) == claim


def test_cents_of_nothing_are_not_unknown_cents() -> None:
    """A payer that paid zero stays apart from one of whom nothing is known."""
    (paid,) = ADJUDICATED.adjudications
    assert paid.paid_cents == 4_400
    other = EVERYTHING.others[0]
    content = claim_to_json(EVERYTHING)
    content["others"][0]["paid_cents"] = 0
    assert json_to_claim(content).others[0].paid_cents == 0
    del content["others"][0]["paid_cents"]
    assert json_to_claim(content).others[0].paid_cents is None
    assert other.paid_cents == 4_400


def test_a_field_that_is_not_known_is_refused() -> None:
    """Content of a later version is not read by half."""
    with pytest.raises(ValueError, match="not known"):
        json_to_claim(claim_to_json(CLAIM) | {"color": "red"})
