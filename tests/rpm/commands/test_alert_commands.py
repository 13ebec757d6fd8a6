"""``rpm-ledger limits`` and ``rpm-ledger alerts``: adopt, look, list and answer."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from ledger_practice import Practice

from devices.alerts import NOTICE

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Run = Callable[..., str]


def measured(practice: Practice, systolic: str) -> None:
    """A new patient measures."""
    patient_id, episode_id = practice.enrolled()
    at = practice.now - timedelta(minutes=5)
    practice.record(
        practice.reading(
            patient_id,
            episode_id,
            at.date(),
            measure="bp",
            components=[{"loinc": "8480-6", "value": systolic, "ucum": "mm[Hg]"}],
            measured_at=at,
            received_at=practice.now,
        )
    )


def test_from_no_limit_to_a_closed_alert(practice: Practice, said: Run) -> None:
    """A practice adopts a point, an alert opens, and a named person answers it."""
    measured(practice, "250")
    empty = said("limits", "show")
    assert NOTICE in empty
    assert "no limit is set: no reading raises an alert" in empty
    assert "not a recommendation" in said("limits", "points")
    adopted = said(
        "limits", "adopt", "clinic-systolic-high", "--reason", "decided", "--by", "ada@example.org"
    )
    assert "bp.systolic.high.red of practice: above 180 mm[Hg]" in adopted
    assert "by Ada Admin from published-2026-11:clinic-systolic-high: decided" in adopted
    assert said("alerts", "evaluate") == "0 opened, 0 escalated\n"  # it came before the limit
    measured(practice, "191")
    assert said("alerts", "evaluate") == "1 opened, 0 escalated\n"
    listed = said("alerts", "list", code=1)
    assert NOTICE in listed
    found = re.search(
        r"^(\S{36})  open alert, bp.systolic.high.red: 191 > 180", listed, re.MULTILINE
    )
    assert found is not None
    by = ("--by", "ada@example.org")
    assert "acknowledged by Ada Admin" in said("alerts", "acknowledge", found[1], *by)
    assert "acted by Ada Admin: called" in said("alerts", "act", found[1], *by, "--note", "called")
    said("alerts", "close", found[1], *by, "--note", "well")
    assert said("alerts", "list", "--state", "open").endswith("no alerts\n")
    assert "1 alerts" in said("alerts", "list")


def test_a_patients_own_limit(practice: Practice, said: Run) -> None:
    """Set for one record number with its run and quiet hours, and ended again."""
    practice.patient(record_number="MRN-7")
    said(
        "limits",
        "set",
        "8",
        "--quantity",
        "glucose.glucose",
        "--unit",
        "mmol/L",
        "--band",
        "amber",
        "--comparison",
        "at_least",
        "--in-a-row",
        "2",
        "--quiet",
        "22:00-07:00",
        "--reason",
        "ordered",
        "--patient",
        "MRN-7",
    )
    told = said("limits", "show", "--patient", "MRN-7")
    assert "at least 144.12472 mg/dL, 2 in a row" in told
    assert "quiet from 22:00 to 07:00" in told
    said("limits", "end", "glucose.glucose.high.amber", "--reason", "over", "--patient", "MRN-7")
    assert "no limit is set" in said("limits", "show")


def test_what_is_refused(practice: Practice, said: Run) -> None:
    """Wrong words end with 2 and name the option, without a value."""
    assert "no such quantity" in said(
        "limits", "set", "8", "--quantity", "bp.height", "--band", "red", "--reason", "x", code=2
    )
    assert "no such state" in said("alerts", "list", "--state", "loud", code=2)
    nobody = "019a4a41-d620-732b-b5bf-cbf07fae0169"
    assert "no such alert" in said(
        "alerts", "acknowledge", nobody, "--by", "ada@example.org", code=2
    )
    assert "no such user" in said("alerts", "acknowledge", nobody, "--by", "bo@example.org", code=2)
