"""The commands that make claims, decide on them and write them, from facts to a file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from claims_practice import JANUARY
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.manage_clearinghouse import AddClearinghouse, add_clearinghouse
from rpm.keys import key_ring
from rpm.store.engine import transaction
from rpm.store.tables.people import Practitioner

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Run = Callable[..., str]

FACTS = """
[practice]
name = "LAKESIDE MEDICAL GROUP"
street = "100 MAIN ST"
city = "SPRINGFIELD"
state = "IL"
postal_code = "62701-0001"
tax_id = "37-1234567"
contact_name = "BILLING OFFICE"
contact_phone = "(217) 555-0100"
submitter_id = "LAKESIDE"

[[payers]]
key = "MEDICARE_B"
edi_payer_id = "06102"
filing_code = "MB"

[[practitioners]]
npi = "1234567893"
last = "GREEN"
first = "ALICE"

[[patients]]
record_number = "R1"
street = "22 ELM ST"
city = "SPRINGFIELD"
state = "IL"
postal_code = "62704"

[[coverages]]
record_number = "R1"
rank = "P"
group_number = "G7"
"""
CHARGES = "procedure,modifier,fee\n99453,,25.00\n99454,,65.00\n99457,,oops\n"


@pytest.fixture
def closed(practice: Practice) -> Practice:
    """January closed, with a supply line of one patient."""
    patient_id = practice.patient(record_number="R1", sex="F")
    episode_id = practice.episode(patient_id, opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 16))
    practice.record(
        Practitioner(name="Dr. Green", npi="1234567893", taxonomy="207R00000X", credential="MD")
    )
    with transaction(practice.engine) as db:
        close_month(db, practice.actor, practice.now, CloseMonth(month="2026-01"))
        told = AddClearinghouse(
            key="house",
            shipped="folder",
            sender_id="LAKESIDE",
            receiver_id="CLEARHOUSE",
            receiver_name="CLEARHOUSE",
            usage="P",
            reason="agreed",
        )
        add_clearinghouse(db, practice.actor, practice.now, key_ring("00" * 32), told)
    return practice


def test_from_facts_to_a_file(closed: Practice, said: Run, actor: Actor, tmp_path: Path) -> None:
    """Held until facts and charges are there; then made, released by a person, and written."""
    by = str(actor.user_id)
    held = said("claims", "assemble", "2026-01", code=1)
    assert "0 claims" in held
    assert "E_CLAIM_LACKS" in held or "E_NO_CHARGE" in held
    facts, charges = tmp_path / "facts.toml", tmp_path / "fees.csv"
    facts.write_text(FACTS)
    charges.write_text(CHARGES)
    assert "patients: 1 recorded" in said("claims", "facts", str(facts), "--reason", "new")
    assert "coverages: 0 recorded" in said("claims", "facts", str(facts), "--reason", "again")
    loaded = said(
        "claims", "charges", str(charges), "--from", "2026-01-01", "--reason", "schedule", code=1
    )
    assert "2 charges recorded" in loaded
    assert "line 4, fee" in loaded
    assert "would be made" in said("claims", "assemble", "2026-01", "--preview")
    assert "1 claims with 2 lines made, charges 90.00" in said("claims", "assemble", "2026-01")
    assert "assembled: 1 claims, charges 90.00" in said("claims", "list", "--month", "2026-01")
    told = said("claims", "hold", "RL000000001", "--by", by, "--reason", "ask first")
    assert "1 held" in told
    assert "1 released" in said("claims", "release", "RL000000001", "--by", by)
    assert "1 claims" in said("claims", "write", "--by", by)
    assert "I_NOTHING_RELEASED" in said("claims", "write", "--by", by, code=1)
    assert "written: 1 claims" in said("claims", "list")


def test_a_file_of_facts_is_taken_whole_or_not_at_all(
    closed: Practice, said: Run, tmp_path: Path, engine: Engine
) -> None:
    """Every wrong row is told by its place, and nothing of the file is recorded."""
    facts = tmp_path / "facts.toml"
    facts.write_text(FACTS.replace('"62701-0001"', '"62701"').replace('"R1"\nrank', '"R9"\nrank'))
    told = said("claims", "facts", str(facts), "--reason", "new", code=2)
    assert "practice, postal_code" in told
    assert "coverages 1" in told
    with engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM practice_billing").scalar_one()
    assert count == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("assemble",),
        ("assemble", "2026-01", "--close", "x"),
        ("assemble", "2025-03"),
        ("release", "--by", "nobody"),
        ("release", "RL9", "--by", "nobody@example.org"),
        ("list", "--month", "January"),
    ],
)
def test_wrong_requests_are_usage_errors(
    closed: Practice, said: Run, arguments: tuple[str, ...]
) -> None:
    """Exit 2, and never a trace of the program."""
    told = said("claims", *arguments, code=2)
    assert "Traceback" not in told
