"""Exporting a close: complete files, the same bytes every time, whole or absent."""

import csv
import hashlib
import io
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.export_close import ExportClose, ExportedClose, export_close
from rpm.actions.whole_files import write_whole
from rpm.clock import Clock
from rpm.errors import NotFound
from rpm.store.engine import reading, transaction
from rpm.store.verify import verify_chain

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def closed(practice: Practice, now: datetime = FEBRUARY) -> UUID:
    """Close January 2026; the close's id."""
    with transaction(practice.engine) as db:
        return close_month(db, practice.actor, now, CloseMonth(month="2026-01")).close.id


def exported(practice: Practice, close_id: UUID) -> ExportedClose:
    """Export a close."""
    with transaction(practice.engine) as db:
        return export_close(db, practice.actor, FEBRUARY, ExportClose(close_id=close_id))


def table(export: ExportedClose) -> list[dict[str, str]]:
    """The rows of the service-line table."""
    text = export.files["service-lines.csv"].decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_export_holds_each_line_with_its_parties_and_the_reasons_of_what_was_held(
    practice: Practice,
) -> None:
    """Lines carry patient, payer, order, amount and evidence; held periods come with their why."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 300)
    export = exported(practice, closed(practice))
    rows = table(export)
    assert [row["procedure"] for row in rows] == ["99453", "99454"]
    supply = rows[1]
    assert supply["charge"] == "52.11"
    assert supply["units"] == "1"
    assert supply["dos_from"] == supply["dos_to"] == "2026-01-30"
    assert supply["subscriber_id"] == "0012345"
    assert supply["payer_id"] == "MEDICARE_B"
    assert supply["pos"] == "11"
    assert supply["dx1"] == "I10"
    assert supply["dx_pointers"] == "1"
    assert supply["frequency"] == "1"
    assert supply["referring_npi"] == supply["billing_npi"] == "1234567893"
    assert supply["evidence_ref"] == f"episode.{episode_id.hex}.99454.2026-01-01"
    text = export.files["summary.txt"].decode()
    assert "E_TIME_BELOW_MIN" in text
    assert "Total of known amounts: 73.82." in text
    assert export.lines == 2
    assert export.amount_cents == 7382


def test_the_manifest_vouches_for_every_file_and_names_the_chain(practice: Practice) -> None:
    """Digests, counts, total and the chain's head at the close stand in the manifest."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    export = exported(practice, closed(practice))
    manifest = json.loads(export.files["manifest.json"])
    assert list(export.files)[-1] == "manifest.json"
    for name, about in manifest["files"].items():
        assert about["sha256"] == hashlib.sha256(export.files[name]).hexdigest()
        assert about["bytes"] == len(export.files[name])
    assert manifest["lines"] == 2
    assert manifest["amount"] == "73.82"
    with reading(practice.engine) as db:
        assert verify_chain(db, practice.actor.organization_id) == []
    assert manifest == export.export.manifest


def test_later_facts_do_not_change_an_exported_close(practice: Practice) -> None:
    """After late facts, another close and changed papers the first export has the same bytes."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    first_id = closed(practice)
    first = exported(practice, first_id)
    practice.exclude(rows[0])
    practice.record(*practice.coverage_ends(patient_id, date(2025, 12, 31)))
    closed(practice)
    again = exported(practice, first_id)
    assert again.files == first.files
    assert again.export.id != first.export.id


def test_a_difference_is_exported_as_reversal_and_replacement(practice: Practice) -> None:
    """A reversed line has negative units and no frequency; its successor names what it replaces."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    first = table(exported(practice, closed(practice)))
    practice.exclude(rows[3])
    export = exported(practice, closed(practice))
    reversal, issue = table(export)
    assert (reversal["procedure"], reversal["units"], reversal["charge"]) == (
        "99454",
        "-1",
        "-52.11",
    )
    assert issue["procedure"] == "99445"
    assert reversal["frequency"] == issue["frequency"] == ""
    line_id = next(row["line_id"] for row in first if row["procedure"] == "99454")
    assert line_id in reversal["note"]
    assert line_id in issue["note"]
    assert export.amount_cents == 0


def test_a_window_that_moves_is_replaced_as_a_whole(practice: Practice) -> None:
    """Without its first reading the window begins a day later: each line replaces its old one."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    rows = practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 17))
    closed(practice)
    practice.exclude(rows[0])
    lines = table(exported(practice, closed(practice)))
    assert [(row["procedure"], row["units"]) for row in lines] == [
        ("99453", "-1"),
        ("99454", "-1"),
        ("99453", "1"),
        ("99454", "1"),
    ]
    for old, new in zip(lines[:2], lines[2:], strict=True):
        line_id = old["note"].split()[3]
        assert new["note"] == f"Takes the place of line {line_id}: replace its claim"


def test_an_unknown_amount_is_an_empty_charge(practice: Practice) -> None:
    """A code whose amount no schedule gives has an empty charge, not zero."""
    patient_id, episode_id = practice.enrolled(
        opened_day=date(2026, 1, 1), program="RTM-CBT", setup_billed=True
    )
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16), kind="adherence")
    export = exported(practice, closed(practice))
    (row,) = table(export)
    assert row["procedure"] == "98978"
    assert row["charge"] == ""
    assert export.export.manifest["amounts_unknown"] == 1
    assert "amount unknown" in export.files["summary.html"].decode()


def test_a_close_of_another_organization_is_not_found(practice: Practice) -> None:
    """An unknown close and a foreign one are the same answer."""
    close_id = closed(practice)
    stranger = Practice.opened(practice.engine, practice.now)
    for wanted in (close_id, uuid4()):
        with pytest.raises(NotFound):
            exported(stranger, wanted)


WRITER = """
import sys
from pathlib import Path
from rpm.actions.whole_files import write_whole
step = 0
while True:
    step += 1
    content = bytes([step % 251]) * 400_000
    write_whole(Path(sys.argv[1]), {"service-lines.csv": content, "manifest.json": content})
    print(step, flush=True)
"""


@pytest.mark.parametrize("moment", [0.0, 0.004, 0.011, 0.017])
def test_a_killed_export_never_leaves_a_torn_file(tmp_path: Path, moment: float) -> None:
    """Killed at any moment, each visible file is one complete version, and no other is seen."""
    folder = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline()
        time.sleep(moment)
        writer.send_signal(signal.SIGKILL)
    for name in ("service-lines.csv", "manifest.json"):
        content = (folder / name).read_bytes()
        assert len(content) == 400_000
        assert len(set(content)) == 1
    write_whole(folder, {"service-lines.csv": b"whole", "manifest.json": b"{}"})
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "service-lines.csv"]
