"""Importing files: the same facts as by the API, each once, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from importing import Importer
from sqlalchemy.engine import Engine
from sqlmodel import SQLModel, col, select

from rpm.access import Actor
from rpm.actions.manage_access import AddUser, add_user
from rpm.actions.record_service import ReverseService, reverse_service
from rpm.clock import Clock
from rpm.errors import InvalidRequest, NotAllowed
from rpm.imports.profile import load_profile
from rpm.imports.refusals import FileRefusedError
from rpm.store.engine import reading, transaction
from rpm.store.tables.ledger import InteractionEntry, OtherService
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Consent,
    Device,
    DeviceAssociation,
    DeviceDay,
    Episode,
    EpisodeEnd,
    EpisodeGate,
    Reading,
    ReadingConflict,
)
from rpm.store.tables.people import Coverage, Patient, Payer, User
from rpm.store.tables.security import ImportRun
from rpm.store.verify import verify_chain

T = TypeVar("T", bound=SQLModel)

PATIENTS = "record_number,family_name,given_name,birth_date,sex,timezone"
COVERAGES = "record_number,payer,member_id,from_day,to_day"
EPISODES = (
    "record_number,program,opened_day,setup_day,order_day,ordering_npi,order_device_kind,"
    "diagnosis_codes,consent_day,consent_mode,consent_taken_by,device_vendor,device_id,"
    "device_kind,device_listed,device_automatic,last_day,end_reason,reorder,established_from_day,"
    "prior_auth_from_day,prior_auth_reference"
)
READINGS = (
    "record_number,device_id,kind,measured_at,entry_method,reading_id,"
    "systolic,diastolic,pulse,value,unit"
)
ENTRIES = "record_number,actor,role,work,mode,activity,started_at,day,duration_minutes,entry_id"
SERVICES = "record_number,code,service_day,own,practitioner_npi,note"

ANA = "P-1,Ames,Ana,1941-02-03,F,America/Chicago"
BO = "P-2,Bond,Bo,1950-12-24,M,"
ORDERED = "2025-11-03,1234567893,bp,I10"
CONSENTED = "2025-11-03,verbal,Nora Nurse"
CUFF = "generic-file,CUFF-1,bp,yes,yes"
ANA_ENROLLED = f"P-1,RPM,2025-11-03,2025-11-03,{ORDERED},{CONSENTED},{CUFF},,,,,,"


@pytest.fixture
def importer(engine: Engine, actor: Actor, clock: Clock, tmp_path: Path) -> Importer:
    """Someone who imports into a new practice in New York on 2026-01-15."""
    return Importer(engine, actor, clock.now(), tmp_path)


def kept(importer: Importer, table: type[T]) -> list[T]:
    """Every row of a table, in the order they were recorded where they have ids."""
    with reading(importer.engine) as db:
        statement = select(table)
        if "id" in table.model_fields:
            statement = statement.order_by(col(table.id))  # type: ignore[attr-defined]  # checked
        return list(db.exec(statement))


def enrolled(importer: Importer) -> None:
    """Two patients, the first with an episode and a cuff."""
    assert importer.rows("patients", PATIENTS, ANA, BO) == (2, 0, 0)
    assert importer.rows("episodes", EPISODES, ANA_ENROLLED) == (1, 0, 0)


def pressure(day: str, reading_id: str, **changes: str) -> str:
    """A reading of Ana's cuff, sent by itself."""
    cells = {
        "record_number": "P-1",
        "device_id": "CUFF-1",
        "kind": "bp",
        "measured_at": f"{day}T08:00:00-06:00",
        "entry_method": "device",
        "reading_id": reading_id,
        "systolic": "128",
        "diastolic": "82",
    } | changes
    return ",".join(cells.get(name, "") for name in READINGS.split(","))


def test_patients_are_registered_once(importer: Importer) -> None:
    """New patients are registered; the same rows again are known and write nothing at all."""
    assert importer.rows("patients", PATIENTS, ANA, BO) == (2, 0, 0)
    before = importer.stored()
    assert importer.rows("patients", PATIENTS, ANA, BO) == (0, 2, 0)
    assert importer.stored() == before
    ana, bo = kept(importer, Patient)
    assert (ana.record_number, ana.birth_date, ana.sex) == ("P-1", date(1941, 2, 3), "F")
    assert (ana.timezone, bo.timezone) == ("America/Chicago", "America/New_York")


def test_refused_rows_stand_in_the_rejects_file_in_their_order(importer: Importer) -> None:
    """Rows that cannot be read and rows that an action refuses stand there with line and reason."""
    importer.rows("patients", PATIENTS, ANA)
    other_ana = "P-1,Ames,Anna,1941-02-03,F,America/Chicago"
    unborn = "P-4,Dole,Di,2026-01-16,F,"
    counts = importer.rows("patients", PATIENTS, unborn, "P-3,Cole,Cy,soon,M,", BO, other_ana)
    assert counts == (1, 0, 3)
    assert importer.rejected("patients") == [
        (2, "birth_date: this day has not come yet"),
        (3, "birth_date: not a date"),
        (5, "row: another patient has this record number"),
    ]
    assert [patient.record_number for patient in kept(importer, Patient)] == ["P-1", "P-2"]


def test_an_import_run_tells_which_file_gave_what(importer: Importer) -> None:
    """The fact holds digest, profile, the lines of the chunk and what came of them."""
    importer.rows("patients", PATIENTS, ANA, "P-3,Cole,Cy,soon,M,", BO)
    (run,) = kept(importer, ImportRun)
    assert (run.kind, run.profile, len(run.file_digest)) == ("patients", "a-profile", 64)
    assert run.counts == {
        "first_line": 2,
        "last_line": 4,
        "new": 2,
        "known": 0,
        "refused": 0,
        "remarks": {},
        "file": {"rows": 2, "unreadable": 1, "left_out": 0},
    }


def test_a_long_file_is_recorded_in_chunks(importer: Importer) -> None:
    """Each chunk has its import run, progress is told after each, and all rows are recorded."""
    path = importer.folder / "patients.csv"
    lines = [PATIENTS, *(f"P-{number},Ames,Ana,1941-02-03,F," for number in range(450))]
    path.write_text("\n".join(lines), encoding="utf-8")
    told: list[tuple[int, int]] = []
    profile = load_profile("generic-patients")
    done = importer.profiled(path, profile, progress=lambda *at: told.append(at))
    assert (done.new, done.rejected) == (450, 0)
    assert told == [(200, 450), (400, 450), (450, 450)]
    assert [run.counts["new"] for run in kept(importer, ImportRun)] == [200, 200, 50]


def test_a_refused_file_gives_nothing(importer: Importer) -> None:
    """A date against the declared order in the last row refuses every row before it."""
    before = importer.stored()
    rows = [f"P-{number},Ames,Ana,1941-02-03,F," for number in range(300)]
    with pytest.raises(FileRefusedError, match=r"line 302: .* YMD"):
        importer.rows("patients", PATIENTS, *rows, "P-300,Ames,Ana,02/03/1941,F,")
    assert importer.stored() == before
    assert [path.name for path in importer.folder.iterdir()] == ["patients.csv"]


def test_a_dry_run_records_nothing(importer: Importer) -> None:
    """A dry run tells what would be and writes the rejects file only."""
    path = importer.folder / "patients.csv"
    path.write_text(f"{PATIENTS}\n{ANA}\nP-3,Cole,Cy,soon,M,\n", encoding="utf-8")
    before = importer.stored()
    done = importer.profiled(path, load_profile("generic-patients"), dry_run=True)
    assert (done.new, done.known, done.rejected) == (1, 0, 1)
    assert importer.stored() == before
    assert importer.rejected("patients") == [(3, "birth_date: not a date")]


def test_the_rejects_file_never_replaces_the_imported_one(importer: Importer) -> None:
    """An import refuses to write its rejects over the file it reads."""
    path = importer.folder / "patients.csv"
    path.write_text(f"{PATIENTS}\n{ANA}\n", encoding="utf-8")
    link = importer.folder / "patients.csv.rejects.csv"
    link.symlink_to(path)
    with pytest.raises(InvalidRequest):
        importer.profiled(path, load_profile("generic-patients"))
    assert ANA in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "permission", "lines"),
    [
        ("patients", "patients:write", (PATIENTS, "P-9,Ames,Ana,1941-02-03,F,")),
        ("coverages", "patients:write", (COVERAGES, "P-1,MEDICARE_B,1EG4,2025-01-01,")),
        ("episodes", "episodes:write", (EPISODES, "P-2,RPM,2025-11-03" + "," * 19)),
        ("readings", "readings:write", (READINGS, pressure("2026-01-05", "a"))),
        ("entries", "entries:write", (ENTRIES, "P-1,N,rn,RPM,live,call,,2026-01-05,10,")),
        ("services", "services:write", (SERVICES, "P-1,99214,2026-01-05,,,")),
    ],
)
def test_an_import_needs_the_permission_of_its_action(
    importer: Importer, kind: str, permission: str, lines: tuple[str, ...]
) -> None:
    """Without the permission nothing is recorded and the import stops."""
    enrolled(importer)
    before = importer.stored()
    importer.actor = replace(importer.actor, permissions=importer.actor.permissions - {permission})
    with pytest.raises(NotAllowed):
        importer.rows(kind, *lines)
    assert importer.stored() == before


def test_patients_of_another_practice_are_unknown(importer: Importer, other_actor: Actor) -> None:
    """Rows about a record number of another organization are rejected, readings too."""
    enrolled(importer)
    stranger = Importer(importer.engine, other_actor, importer.now, importer.folder)
    unknown = [(2, "record_number: there is no patient of this record number")]
    for kind, lines in {
        "coverages": (COVERAGES, "P-1,MEDICARE_B,1EG4,2025-01-01,"),
        "episodes": (EPISODES, ANA_ENROLLED),
        "readings": (READINGS, pressure("2026-01-05", "a")),
        "entries": (ENTRIES, "P-1,N,rn,RPM,live,call,,2026-01-05,10,"),
        "services": (SERVICES, "P-1,99214,2026-01-05,,,"),
    }.items():
        assert stranger.rows(kind, *lines) == (0, 0, 1)
        assert stranger.rejected(kind) == unknown


def test_coverages_bring_their_payer(importer: Importer) -> None:
    """A payer of the rule book is added at its first coverage; coverages are recorded once."""
    importer.rows("patients", PATIENTS, ANA, BO)
    lines = (COVERAGES, "P-1,MEDICARE_B,1EG4,2025-01-01,", "P-2,MEDICARE_B,2AB5,2025-01-01,")
    assert importer.rows("coverages", *lines) == (2, 0, 0)
    assert importer.rows("coverages", *lines) == (0, 2, 0)
    assert [payer.key for payer in kept(importer, Payer)] == ["MEDICARE_B"]
    assert [row.member_id for row in kept(importer, Coverage)] == ["1EG4", "2AB5"]


def test_refused_coverages_leave_no_payer_behind(importer: Importer) -> None:
    """An unknown payer is named; a payer added for a row that is then refused is not kept."""
    importer.rows("patients", PATIENTS, ANA)
    counts = importer.rows(
        "coverages",
        COVERAGES,
        "P-1,NOBODY,1,2025-01-01,",
        "P-1,MEDICARE_B,1EG4,2025-01-01,",
        "P-1,COM_AETNA,2,2025-06-01,",
    )
    assert counts == (1, 0, 2)
    assert importer.rejected("coverages") == [
        (2, "key: no rule page, shipped or of the practice, is for payer NOBODY"),
        (4, "row: the patient has another coverage on these days; end it first"),
    ]
    assert [payer.key for payer in kept(importer, Payer)] == ["MEDICARE_B"]


def test_an_episode_comes_with_its_papers_and_device(importer: Importer) -> None:
    """Order, consent, gates, set-up and device of a row are recorded, each once."""
    importer.rows("patients", PATIENTS, ANA)
    row = (
        f"P-1,RPM,2025-11-03,2025-11-03,{ORDERED},{CONSENTED},{CUFF},,,,"
        "2025-09-01,2025-10-01,AUTH-7"
    )
    assert importer.rows("episodes", EPISODES, row) == (1, 0, 0)
    before = importer.stored()
    assert importer.rows("episodes", EPISODES, row) == (0, 1, 0)
    assert importer.stored() == before
    (episode,) = kept(importer, Episode)
    assert (episode.program, episode.setup_day) == ("RPM", date(2025, 11, 3))
    assert (episode.ordering_npi, episode.diagnosis_codes) == ("1234567893", ["I10"])
    (consent,) = kept(importer, Consent)
    assert (consent.consent_day, consent.taken_by) == (date(2025, 11, 3), "Nora Nurse")
    gates = {(gate.gate, gate.from_day, gate.reference) for gate in kept(importer, EpisodeGate)}
    assert gates == {
        ("established", date(2025, 9, 1), None),
        ("prior-auth", date(2025, 10, 1), "AUTH-7"),
    }
    (device,) = kept(importer, Device)
    assert (device.vendor, device.fda_listed, device.automatic) == ("generic-file", True, True)
    (association,) = kept(importer, DeviceAssociation)
    assert association.episode_id == episode.id
    assert association.from_at == datetime(2025, 11, 3, 6, 0, tzinfo=UTC)


def test_what_a_later_file_knows_more_is_added(importer: Importer) -> None:
    """The same episode with a consent and an end that were missing gets them."""
    importer.rows("patients", PATIENTS, ANA)
    bare = f"P-1,RPM,2025-11-03,2025-11-03,{ORDERED},,,,{CUFF},,,,,,"
    ended = f"P-1,RPM,2025-11-03,2025-11-03,{ORDERED},{CONSENTED},{CUFF},2025-12-31,goals_met,,,,"
    assert importer.rows("episodes", EPISODES, bare) == (1, 0, 0)
    assert importer.rows("episodes", EPISODES, ended) == (1, 0, 0)
    assert importer.rows("episodes", EPISODES, ended) == (0, 1, 0)
    assert importer.rows("episodes", EPISODES, bare) == (0, 1, 0)
    assert len(kept(importer, Consent)) == 1
    assert [end.last_day for end in kept(importer, EpisodeEnd)] == [date(2025, 12, 31)]
    (back,) = kept(importer, AssociationEnd)
    assert back.to_at == datetime(2026, 1, 1, 6, 0, tzinfo=UTC)


def test_a_device_goes_on_to_the_next_episode(importer: Importer) -> None:
    """A later episode follows an earlier one whatever their order in the file, with its device."""
    importer.rows("patients", PATIENTS, ANA)
    first = f"P-1,RPM,2025-09-01,2025-09-01,,,,,,,,{CUFF},2025-10-31,patient_request,,,,"
    second = f"P-1,RPM,2025-11-03,2025-11-03,{ORDERED},,,,{CUFF},,,yes,,,"
    assert importer.rows("episodes", EPISODES, second, first) == (2, 0, 0)
    earlier, later = sorted(kept(importer, Episode), key=lambda episode: episode.opened_day)
    assert (earlier.previous_id, later.previous_id) == (None, earlier.id)
    assert later.reorder
    assert len(kept(importer, Device)) == 1
    assert len(kept(importer, DeviceAssociation)) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "P-2,RPM,2025-11-03,,2025-11-03,1234567890,bp,I10" + "," * 14,
            "ordering_npi: not an NPI: ten digits with a right check digit",
        ),
        ("P-2,RPM,2025-11-03,,2025-11-03,,bp,I10" + "," * 14, "ordering_npi: Field required"),
        ("P-2,RPM,2025-11-03,,,,,,2025-11-03,verbal" + "," * 12, "taken_by: Field required"),
        ("P-2,RPM,2026-02-03" + "," * 19, "opened_day: this day has not come yet"),
        (
            f"P-2,RPM,2025-11-03,,,,,,,,,{CUFF},,,,,,",
            "row: the device is with an episode at that time; take it back first",
        ),
        (
            "P-2,RPM,2025-11-03,,,,,,,,,generic-file,CUFF-1,scale,yes,yes,,,,,,",
            "row: the device is recorded with other content",
        ),
        (
            f"P-1,RPM,2025-11-03,2025-11-04,{ORDERED},,,,,,,,,,,,,,",
            "row: the episode is recorded with other content",
        ),
        (
            "P-1,RTM-CBT,2025-11-05" + "," * 19,
            "row: the patient has an episode that stands in the way; end it first",
        ),
        (
            "P-2,RPM,2025-11-03" + "," * 16 + "yes,,,",
            "reorder: a new order needs the previous episode",
        ),
        ("P-2,RPM,2025-11-03" + "," * 14 + "2025-12-31,,,,,", "end_reason: Field required"),
    ],
)
def test_a_refused_episode_leaves_nothing(importer: Importer, row: str, reason: str) -> None:
    """A row is whole or absent: nothing of an episode stays when part of its row is refused."""
    enrolled(importer)
    before = importer.stored()
    assert importer.rows("episodes", EPISODES, row) == (0, 0, 1)
    assert importer.rejected("episodes") == [(2, reason)]
    assert importer.stored() == before


def test_an_end_on_another_day_is_refused(importer: Importer) -> None:
    """A file that ends an ended episode on another day changes nothing."""
    enrolled(importer)
    ended = ANA_ENROLLED.replace(f"{CUFF},,", f"{CUFF},2025-12-31,goals_met")
    assert importer.rows("episodes", EPISODES, ended) == (1, 0, 0)
    assert importer.rows("episodes", EPISODES, ended.replace("12-31", "12-30")) == (0, 0, 1)
    message = "row: the episode ended on another day or for another reason"
    assert importer.rejected("episodes") == [(2, message)]


def test_readings_become_device_days(importer: Importer) -> None:
    """Readings of the associated device count their days; typed ones do not, and say so."""
    enrolled(importer)
    lines = (
        READINGS,
        pressure("2026-01-05", "a"),
        pressure("2026-01-06", "b"),
        pressure("2026-01-06", "b2"),
        pressure("2026-01-07", "c", entry_method="manual"),
    )
    path = importer.folder / "readings.csv"
    assert importer.rows("readings", *lines) == (4, 0, 0)
    before = importer.stored()
    done = importer.file(path, "generic-readings")
    assert (done.new, done.known, dict(done.remarks)) == (0, 4, {})
    assert importer.stored() == before
    days = kept(importer, DeviceDay)
    counted = sorted((day.qualifying_count, day.refused_reason) for day in days)
    assert counted == [(0, "manual_entry"), (1, ""), (2, "")]
    (run,) = kept(importer, ImportRun)[-1:]
    assert run.counts["remarks"] == {"manual_entry": 1}
    assert {row.import_id for row in kept(importer, Reading)} == {run.id}


def test_readings_of_an_unknown_device_wait_for_it(importer: Importer) -> None:
    """They are kept and marked, and count once an imported episode brings the device."""
    importer.rows("patients", PATIENTS, ANA)
    done_rows = importer.rows("readings", READINGS, pressure("2026-01-05", "a"))
    assert done_rows == (1, 0, 0)
    assert [row.reason_code for row in kept(importer, Reading)] == ["unknown_device"]
    importer.rows("episodes", EPISODES, ANA_ENROLLED)
    assert [day.qualifying_count for day in kept(importer, DeviceDay)] == [1]


def test_a_reading_of_somebody_elses_device_is_refused(importer: Importer) -> None:
    """A row that names another patient than the one who had the device is not recorded."""
    enrolled(importer)
    rows = (READINGS, pressure("2026-01-05", "a", record_number="P-2"))
    assert importer.rows("readings", *rows) == (0, 0, 1)
    message = "device_id: the device was with another patient at this time"
    assert importer.rejected("readings") == [(2, message)]
    assert kept(importer, Reading) == []


def test_other_content_under_a_known_id_is_kept_beside_it(importer: Importer) -> None:
    """A changed value that the file does not announce as corrected is a conflict, kept once."""
    enrolled(importer)
    importer.rows("readings", READINGS, pressure("2026-01-05", "a"))
    changed = (READINGS, pressure("2026-01-05", "a", systolic="131"))
    assert importer.rows("readings", *changed) == (1, 0, 0)
    assert importer.rows("readings", *changed) == (0, 1, 0)
    assert len(kept(importer, ReadingConflict)) == 1
    assert len(kept(importer, Reading)) == 1


@pytest.mark.parametrize(
    ("zone", "reason", "days"),
    [(None, "time_suspect", 0), ("America/Chicago", "", 1), ("patient", "", 1)],
)
def test_a_late_evening_counts_where_the_profile_states_the_zone(
    importer: Importer, zone: str | None, reason: str, days: int
) -> None:
    """A time without zone at 23:30 is suspect, unless the profile says in which zone it is."""
    enrolled(importer)
    path = importer.folder / "evening.csv"
    row = pressure("2026-01-05", "a", measured_at="2026-01-05 23:30")
    path.write_text(f"{READINGS}\n{row}\n", encoding="utf-8")
    profile = load_profile("generic-readings").model_copy(update={"zone": zone})
    assert importer.profiled(path, profile).new == 1
    (stored,) = kept(importer, Reading)
    assert (stored.local_day, stored.reason_code) == (date(2026, 1, 5), reason)
    assert sum(day.qualifying_count for day in kept(importer, DeviceDay)) == days


def test_a_file_that_only_repeats_itself_is_recorded_once(importer: Importer) -> None:
    """More equal readings than a chunk holds are one reading."""
    enrolled(importer)
    rows = [pressure("2026-01-05", "a")] * 1_500
    assert importer.rows("readings", READINGS, *rows) == (1, 1_499, 0)


def test_two_imports_at_once_record_each_reading_once(importer: Importer) -> None:
    """Two people who import the same file at the same time share its rows between them."""
    enrolled(importer)
    path = importer.folder / "readings.csv"
    rows = [pressure(f"2026-01-{1 + number % 14:02}", f"r{number}") for number in range(1_200)]
    path.write_text("\n".join([READINGS, *rows]), encoding="utf-8")
    profile = load_profile("generic-readings")
    folders = [importer.folder / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    people = [Importer(importer.engine, importer.actor, importer.now, at) for at in folders]
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda person: person.profiled(path, profile), people)
    assert (one.new + two.new, one.known + two.known) == (1_200, 1_200)
    assert len(kept(importer, Reading)) == 1_200
    assert len(kept(importer, DeviceDay)) == 14
    with reading(importer.engine) as db:
        assert verify_chain(db, importer.actor.organization_id) == []


def test_entries_know_their_worker_by_address_or_name(importer: Importer) -> None:
    """An e-mail address or a name leads to the user; someone without account goes by name."""
    enrolled(importer)
    counts = importer.rows(
        "entries",
        ENTRIES,
        "P-1,ADA@example.org,rn,RPM,live,call,2026-01-05 09:00,,10,",
        "P-1,ada admin,rn,RPM,live,call,2026-01-06 09:00,,10,",
        "P-1,Nora Nurse,rn,RPM,async,review,,2026-01-07,5,",
    )
    assert counts == (3, 0, 0)
    entries = kept(importer, InteractionEntry)
    ada = importer.actor.user_id
    assert [(row.actor_user_id, row.actor_name) for row in entries] == [
        (ada, "Ada Admin"),
        (ada, "Ada Admin"),
        (None, "Nora Nurse"),
    ]
    assert entries[0].started_at == datetime(2026, 1, 5, 14, 0, tzinfo=UTC)
    assert {(row.origin, row.duration_seconds) for row in entries} == {
        ("imported", 600),
        ("imported", 300),
    }


def test_entries_are_logged_once(importer: Importer) -> None:
    """Equal rows are as many entries; again, also after a user came, they are known."""
    enrolled(importer)
    lines = (
        ENTRIES,
        "P-1,Nora Nurse,rn,RPM,async,review,,2026-01-07,5,",
        "P-1,Nora Nurse,rn,RPM,async,review,,2026-01-07,5,",
        "P-1,ada@example.org,rn,RPM,live,call,2026-01-05 23:55,,10,E-17",
    )
    assert importer.rows("entries", *lines) == (3, 0, 0)
    assert len(kept(importer, InteractionEntry)) == 4
    with transaction(importer.engine) as db:
        command = AddUser(name="Nora Nurse", email="nora@example.org", role="clinical_staff")
        add_user(db, importer.actor, importer.now, command)
    before = importer.stored()
    assert importer.rows("entries", *lines) == (0, 3, 0)
    assert importer.stored() == before


def test_refused_entries_and_findings(importer: Importer) -> None:
    """Overlaps are kept and told; what the action refuses is rejected with its reason."""
    enrolled(importer)
    with transaction(importer.engine) as db:
        for number in (1, 2):
            command = AddUser(
                name="Nora Nurse", email=f"nora{number}@example.org", role="clinical_staff"
            )
            add_user(db, importer.actor, importer.now, command)
    path = importer.folder / "entries.csv"
    lines = (
        ENTRIES,
        "P-1,ada@example.org,rn,RPM,live,call,2026-01-05 09:00,,10,",
        "P-1,ada@example.org,rn,RPM,live,call,2026-01-05 09:05,,10,E-1",
        "P-1,Nora Nurse,rn,RPM,live,call,2026-01-05 11:00,,10,",
        "P-1,nora1@example.org,qhp,RPM,live,call,2026-01-05 11:00,,10,",
        "P-1,nora1@example.org,rn,RPM,live,call,2026-01-15 09:55,,10,",
        "P-2,nora1@example.org,rn,RPM,live,call,2026-01-05 12:00,,10,",
        "P-1,ada@example.org,rn,RPM,live,another call,2026-01-05 09:05,,10,E-1",
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    done = importer.file(path, "generic-entries")
    assert (done.new, done.rejected) == (2, 5)
    assert dict(done.remarks) == {"W_TIME_OVERLAP_DEDUPED": 1}
    assert importer.rejected("entries") == [
        (4, "actor: several users have this name; give the e-mail address"),
        (5, "role: the user cannot have worked in this role"),
        (6, "started_at: this work is not over yet"),
        (7, "episode_id: the patient has no episode of this work's program"),
        (8, "row: the client_id was used for an entry with other content"),
    ]


def test_services_are_recorded_once(importer: Importer) -> None:
    """Equal rows are as many services; again they are known, also one that was taken back."""
    enrolled(importer)
    lines = (
        SERVICES,
        "P-1,99214,2026-01-05,,,",
        "P-1,99473,2026-01-05,,,education",
        "P-1,99473,2026-01-05,,,education",
        "P-1,99457,2026-01-06,no,,",
    )
    assert importer.rows("services", *lines) == (4, 0, 0)
    first = kept(importer, OtherService)[0]
    with transaction(importer.engine) as db:
        command = ReverseService(service_id=first.id, reason="canceled")
        reverse_service(db, importer.actor, importer.now, command)
    before = importer.stored()
    assert importer.rows("services", *lines) == (0, 4, 0)
    assert importer.stored() == before
    own = [row.own for row in kept(importer, OtherService)]
    assert own == [True, True, True, False, True]


def test_a_service_names_a_practitioner_of_the_practice(importer: Importer) -> None:
    """An NPI that is none of the practice's, and a code of no known shape, are refused."""
    enrolled(importer)
    rows = ("P-1,99214,2026-01-05,,1245319599,", "P-1,X9999,2026-01-05,,,")
    assert importer.rows("services", SERVICES, *rows) == (0, 0, 2)
    assert importer.rejected("services") == [
        (2, "practitioner_npi: the practice has no practitioner of this NPI"),
        (3, "code: not the shape of a CPT or HCPCS code"),
    ]


def test_the_record_of_imports_verifies(importer: Importer) -> None:
    """Imported facts stand in the chain of audit events like all others."""
    enrolled(importer)
    importer.rows("coverages", COVERAGES, "P-1,MEDICARE_B,1EG4,2025-01-01,")
    importer.rows("readings", READINGS, pressure("2026-01-05", "a"))
    importer.rows("entries", ENTRIES, "P-1,Nora,rn,RPM,async,review,,2026-01-07,5,")
    importer.rows("services", SERVICES, "P-1,99214,2026-01-05,,,")
    with reading(importer.engine) as db:
        assert verify_chain(db, importer.actor.organization_id) == []
    assert len(kept(importer, ImportRun)) == 6
    assert len(kept(importer, User)) == 1
