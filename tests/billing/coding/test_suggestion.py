"""A model's suggestion is judged by the rules; none is asked unless somebody gives an adapter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.coding.code_visit import code_visit
from billing.coding.encounter import Encounter
from billing.coding.lines import lines_text
from billing.coding.rules_read import shipped_coding_rules
from billing.coding.suggestion import (
    MOST_TEXT,
    Asked,
    Judged,
    Suggestion,
    Verdict,
    judge,
    suggested,
)

VISIT: Mapping[str, Any] = {
    "payer": "MCR",
    "state": "OH",
    "dos": date(2026, 3, 10),
    "provider_type": "MD",
    "provider_site": "OFFICE",
    "patient_location": "HOME",
    "modality": "AV",
    "patient_status": "EST",
    "level_basis": "MDM",
    "mdm": "MOD",
}
RULES = shipped_coding_rules()


@dataclass(frozen=True)
class ByHand:
    """An adapter that answers what a person wrote down."""

    lines: str
    reason: str = "moderate decision making, live video at home"
    name: str = "by hand 1"

    def suggest(self, asked: Asked) -> Suggestion | None:
        """The same answer to everything but an empty one."""
        assert asked.encounter.payer
        return Suggestion(self.lines, self.reason) if self.lines else None


@dataclass(frozen=True)
class Failing:
    """An adapter whose model is not there."""

    name: str = "failing 1"

    def suggest(self, asked: Asked) -> Suggestion | None:
        """Never answers."""
        raise TimeoutError(f"no answer for {asked.encounter.payer}")


def ask(lines: str, reason: str = "because", **facts: object) -> Judged:
    """The verdict on some lines."""
    visit = Encounter(**{**VISIT, **facts})
    found = suggested(Asked(visit), RULES, visit.known_day, suggester=ByHand(lines, reason))
    assert found is not None
    return found


def test_without_an_adapter_nothing_is_suggested() -> None:
    """The default is off, and an adapter may have no suggestion."""
    visit = Encounter(**VISIT)
    assert suggested(Asked(visit), RULES, visit.known_day) is None
    assert suggested(Asked(visit), RULES, visit.known_day, suggester=ByHand("")) is None


def test_what_the_rules_come_to_themselves_is_accepted() -> None:
    """The same lines from the same facts, with the reason that was given and who gave it."""
    found = ask("99214@10", "moderate decision making")
    assert found.verdict is Verdict.ACCEPTED
    assert (found.suggester, found.reason) == ("by hand 1", "moderate decision making")
    assert lines_text(found.lines) == lines_text(found.of_rules) == "99214@10"


@pytest.mark.parametrize(
    ("lines", "finding"),
    [
        ("99214@11", "TH-POS-01"),  # the wrong place for a patient at home: it would be repaired
        ("98001@10", "TH-CODE-01"),  # a code that Medicare does not take
        ("99214-95-95@10", "E_SUGGESTION_UNREADABLE"),
        ("level four visit", "E_SUGGESTION_UNREADABLE"),
        ("none", "E_SUGGESTION_UNREADABLE"),
    ],
)
def test_what_an_edit_would_hold_or_change_is_refused(lines: str, finding: str) -> None:
    """It is never repaired into something that may leave: what was suggested stays as it was."""
    found = ask(lines)
    assert found.verdict is Verdict.REFUSED
    assert finding in {one.code for one in found.findings}
    assert lines_text(found.of_rules) == "99214@10"


def test_a_higher_level_than_the_facts_give_is_not_accepted() -> None:
    """The rules say what they come to; a person looks."""
    found = ask("99215@10", "complex patient")
    assert found.verdict is not Verdict.ACCEPTED
    assert any("99214@10" in one.message for one in found.findings)


def test_a_suggestion_without_a_reason_or_without_end_is_refused() -> None:
    """Nobody can weigh it."""
    assert ask("99214@10", "  ").verdict is Verdict.REFUSED
    assert ask("99214@10", "x" * MOST_TEXT).verdict is Verdict.REFUSED


def test_an_adapter_that_fails_stops_nothing() -> None:
    """The rules' own lines are there; the failure is told without what it says."""
    visit = Encounter(**VISIT)
    found = suggested(Asked(visit), RULES, visit.known_day, suggester=Failing())
    assert found is not None
    assert found.verdict is Verdict.REFUSED
    (finding,) = found.findings
    assert "TimeoutError" in finding.message
    assert "MCR" not in finding.message
    assert lines_text(found.of_rules) == "99214@10"


@given(
    lines=st.text(max_size=40) | st.sampled_from(["99213@10", "99214-93@10", "99457@11;99214@10"]),
    reason=st.text(max_size=20),
    mdm=st.sampled_from(["SF", "LOW", "MOD", "HIGH", None]),
    modality=st.sampled_from(["AV", "AUDIO", "IN_PERSON"]),
)
def test_whatever_is_suggested_the_rules_stay_as_they_are(
    lines: str, reason: str, mdm: str | None, modality: str
) -> None:
    """No text raises; an accepted suggestion is one that the rules code clean as it stands."""
    visit = Encounter(**{**VISIT, "mdm": mdm, "modality": modality})
    found = judge("any", Suggestion(lines, reason), visit, RULES, visit.known_day)
    assert found.of_rules == code_visit(visit, RULES, visit.known_day).lines
    if found.verdict is Verdict.ACCEPTED:
        tried = code_visit(visit, RULES, visit.known_day, submitted=found.lines)
        assert (tried.lines, tried.status) == (found.lines, "CLEAN")
