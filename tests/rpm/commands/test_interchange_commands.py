"""What other systems are given, from the command line."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import uuid4

import hl7
import pytest
from answered_practice import TOLD, AnsweredPractice
from claims_practice import BilledPractice
from fhir_checked import problems
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from rpm.actions.manage_clearinghouse import AddClearinghouse, add_clearinghouse
from rpm.cli import USAGE
from rpm.keys import key_ring
from rpm.store.engine import transaction
from rpm.store.tables.claims import ClaimEventRecord, ClaimRecord

Run = Callable[..., str]


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite alone: the statements are those of the actions' tests."""
    path = tmp_path / "test.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


def test_resources_are_written_and_counted(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A file for each type with anything in it, or one bundle; all of it valid."""
    practice.patient(sex="F", family_name="=O'BRIEN")
    out = tmp_path / "out"
    told = said("export", "fhir", "--out", str(out))
    assert told.splitlines()[-1] == f"export fhir: {out} files=3 resources=4"
    lines = [line for path in sorted(out.iterdir()) for line in path.read_text().splitlines()]
    assert [problems(line) for line in lines] == [[]] * 4
    said("export", "fhir", "--out", str(out), "--bundle", "--type", "Patient")
    held = (out / "bundle.json").read_text()
    assert problems(held) == []
    assert json.loads(held)["entry"][0]["resource"]["name"][0]["family"] == "=O'BRIEN"


def test_wrong_types_are_wrong_use(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A type that is not given ends with 2, and nothing is written."""
    said("export", "fhir", "--out", str(tmp_path / "out"), "--type", "Nothing", code=USAGE)
    assert not (tmp_path / "out").exists()


def test_released_claims_become_charges_and_a_table(
    engine: Engine, practice: Practice, said: Run, tmp_path: Path
) -> None:
    """Sent claims of the month are in both files; a held one stays and is counted."""
    sent = AnsweredPractice(engine, practice.actor, ["C000001"])
    held = ClaimRecord(
        id=uuid4(), patient_id=sent.patient_id, payer_id=sent.payer_id, control_number="C000009",
        rendering_npi="1245319599", from_day=date(2026, 10, 2), to_day=date(2026, 10, 2),
        charge_cents=1, content=TOLD,
    )  # fmt: skip
    sent.record(
        held, ClaimEventRecord(claim_id=held.id, key="a", kind="assembled", on_day=held.from_day)
    )
    told = said("export", "dft", "2026-10", "--out", str(tmp_path), "--receiver", "E|HR", "--test")
    path = tmp_path / "charges-2026-10.hl7"
    assert told.splitlines() == [
        "1 claims of the month stay: not released",
        f"export dft: {path} claims=1",
    ]
    (batch,) = hl7.parse_file(path.read_bytes().decode())
    (message,) = batch
    assert str(message.segment("MSH")[11]) == "T"
    assert len(list(message.segments("FT1"))) == 3
    own = tmp_path / "own.toml"
    own.write_text('[[column]]\nname = "Acct"\nfrom = "patient_id"\n')
    said("export", "claims", "2026-10", "--out", str(tmp_path), "--profile", str(own))
    lines = (tmp_path / "claims-2026-10.csv").read_text().splitlines()
    assert lines[0] == "Acct"
    assert len(lines) == 4
    said("export", "claims", "2026-9x", "--out", str(tmp_path), code=USAGE)
    own.write_text("color = 1")
    said("export", "claims", "2026-10", "--out", str(tmp_path), "--profile", str(own), code=USAGE)


def test_payers_are_asked_and_their_answers_taken(
    engine: Engine, practice: Practice, said: Run, tmp_path: Path
) -> None:
    """A file about who can be asked about, who cannot is named; answers and repeats are counted."""
    billed = BilledPractice(engine, practice.actor)
    billed.identity()
    billed.resident()
    assert "no clearinghouse" in said("eligibility", "ask", code=USAGE)
    keyed = key_ring("00" * 32)
    agreement = AddClearinghouse(
        key="house", shipped="folder", sender_id="LAKESIDE", receiver_id="HOUSE",
        receiver_name="HOUSE", usage="P", reason="agreement",
    )  # fmt: skip
    with transaction(engine) as db:
        add_clearinghouse(db, billed.actor, billed.now, keyed, agreement)
    told = said("eligibility", "ask", "--out", str(tmp_path))
    assert told.splitlines()[-1].endswith("asked=1 left_out=0")
    assert (tmp_path / "000000001.270").read_bytes().startswith(b"ISA*")
    sample = Path("tests/files/answers/270-271/subscriber-health-benefit-check.271")
    told = said("eligibility", "read", str(sample), code=1)
    assert "answer 1: It answers no inquiry" in told
    assert told.splitlines()[-1] == "eligibility read: files=1 answers=1 unmatched=1"
    assert "came before" in said("eligibility", "read", str(sample), code=1)


def test_messages_are_received_and_platforms_kept(
    practice: Practice, said: Run, tmp_path: Path
) -> None:
    """Messages are told apart by content and counted; platforms are added, listed and retired."""
    adt, odd = tmp_path / "a.hl7", tmp_path / "odd.txt"
    adt.write_bytes(
        b"MSH|^~\\&|E|F|R|F|20260101||ADT^A04|17|P|2.5.1\rPID|1||00042||Doe^Ann||19500102|F\r"
    )
    odd.write_bytes(b"Planted")
    patient = Path("tests/files/interchange/hl7-patient-example.json")
    told = said("receive", str(adt), str(patient), str(odd), code=1)
    assert told.splitlines()[-1] == "receive: files=3 proposals=2 unread=1"
    assert "Planted" not in told
    assert "came before" in said("receive", str(adt))
    made = said("platforms", "add", "Video").splitlines()
    assert made[2].startswith("/visit-events/")
    platform_id = made[0].removeprefix("platform: ")
    said("platforms", "retire", platform_id, "--reason", "moved")
    assert "Video, retired 2026-02-02" in said("platforms", "list")
    assert "name the networks" in said("mllp", "--host", "0.0.0.0", code=USAGE)
