"""`rpm-ledger rules touched`: the visits that a change of the coding rules touches."""

from datetime import date

import pytest
from ledger_practice import Practice

from rpm.actions.record_visit import RecordVisit, record_visit
from rpm.actions.visit_facts import VisitFacts
from rpm.cli import run
from rpm.store.engine import transaction

DAYS = ["--from", "2025-11-01", "--to", "2025-11-20"]


def test_touched_visits_are_listed(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    """Without visits the exit code is 0; a visit in the lapse is told with both sides, and 1."""
    assert run(["rules", "touched", *DAYS]) == 0
    assert capsys.readouterr().out == "0 visits touched\n"
    facts = VisitFacts(
        payer="MCR",
        state="OH",
        dos=date(2025, 10, 15),
        provider_type="MD",
        provider_site="OFFICE",
        patient_location="HOME",
        modality="AV",
        patient_status="EST",
        level_basis="MDM",
        mdm="MOD",
    )
    command = RecordVisit(patient_id=practice.patient(), practitioner_id=None, facts=facts)
    with transaction(practice.engine) as db:
        visit_id = record_visit(db, practice.actor, practice.now, command).id
    assert run(["rules", "touched", *DAYS]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"2025-10-15  none BLOCK -> 99214@10 CLEAN  {visit_id}",
        "  regime lapse-2025, known from 2025-03-15 -> regime M5, known from 2025-11-12",
        "1 visits touched",
    ]
