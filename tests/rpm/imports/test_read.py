"""Files of every kind and format: rows, refused rows and refused files."""

import csv
import hashlib
import io
import json
import re
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from whole_file import Imported, read_import

from rpm.imports.fields import FIELDS
from rpm.imports.profile import ImportProfile, load_profile, read_profile
from rpm.imports.read import survey
from rpm.imports.records import (
    CoverageRow,
    EntryRow,
    EpisodeRow,
    PatientRow,
    ReadingRow,
    ServiceRow,
)
from rpm.imports.refusals import FileRefusedError
from rpm.imports.rejects import writing_rejects
from rpm.imports.zones import Zones

ZONES = Zones("America/New_York")
PATIENTS = "record_number,family_name,given_name,birth_date,sex,timezone\n"
ENTRIES = "record_number,actor,role,work,mode,activity,day,start_time,end_time,duration_minutes\n"


def read(kind: str, text: str) -> Imported:
    """CSV text through the generic profile of a kind."""
    return read_import(text.encode(), load_profile(f"generic-{kind}"), ZONES)


def reasons(result: Imported) -> list[str]:
    """Where and why rows were refused."""
    return [f"{reject.finding.where}: {reject.finding.message}" for reject in result.rejects]


def variant(name: str, **changes: object) -> ImportProfile:
    """A shipped profile with some keys changed."""
    return load_profile(name).model_copy(update=changes)


def test_patients_are_read() -> None:
    """Names keep their letters, an empty zone stays unknown and sex becomes one letter."""
    result = read("patients", PATIENTS + "P-1,Núñez,Ana,1941-02-03,female,\n")
    assert result.rows == (PatientRow(2, "P-1", "Núñez", "Ana", date(1941, 2, 3), "F", None),)
    assert result.rejects == ()


def test_coverages_are_read() -> None:
    """A coverage without an end is open; one that ends before it starts is refused."""
    header = "record_number,payer,member_id,from_day,to_day\n"
    result = read(
        "coverages",
        header + "P-1,MEDICARE_B,1EG4TE5MK73,2025-01-01,\nP-2,UHC,9,2025-02-01,2025-01-01\n",
    )
    first = CoverageRow(2, "P-1", "MEDICARE_B", None, "1EG4TE5MK73", date(2025, 1, 1), None)
    assert result.rows == (first,)
    assert reasons(result) == ["line 3, to_day: lies before from_day"]


def test_episodes_are_read_with_what_is_known_at_enrollment() -> None:
    """Order, consent, set-up and device stand in one row; what is not told has its default."""
    header = (
        "record_number,program,opened_day,setup_day,order_day,ordering_npi,diagnosis_codes,"
        "consent_day,consent_mode,device_vendor,device_id,device_kind,device_listed\n"
    )
    row = (
        "P-1,rpm,2026-01-02,2026-01-02,2026-01-01,1234567893,I10; E11.9,"
        "2026-01-02,Verbal,generic,CUFF-1,bp,yes\n"
    )
    (episode,) = read("episodes", header + row).rows
    assert isinstance(episode, EpisodeRow)
    assert (episode.program, episode.setting, episode.pos) == ("RPM", "OFFICE", 11)
    assert episode.diagnosis_codes == ("I10", "E11.9")
    assert (episode.consent_day, episode.consent_mode) == (date(2026, 1, 2), "verbal")
    assert (episode.device_id, episode.device_kind, episode.device_listed) == ("CUFF-1", "bp", True)
    assert (episode.device_automatic, episode.last_day, episode.setup_billed) == (
        False,
        None,
        False,
    )


def test_services_are_read() -> None:
    """A service is ours unless the file says another practice's."""
    header = "record_number,code,service_day,own\n"
    result = read(
        "services",
        header + "P-1,99214,2026-01-05,\nP-1,g0511,2026-01-06,no\nP-1,9921,2026-01-07,\n",
    )
    assert [(row.code, row.own) for row in result.rows if isinstance(row, ServiceRow)] == [
        ("99214", True),
        ("G0511", False),
    ]
    assert reasons(result) == ["line 4, code: does not have the shape of a CPT or HCPCS code"]


def test_generic_readings_take_pressure_and_single_values() -> None:
    """Pressure has columns of its own, every other kind a value and a unit."""
    header = (
        "reading_id,record_number,device_id,kind,measured_at,entry_method,"
        "systolic,diastolic,pulse,value,unit\n"
    )
    result = read(
        "readings",
        header
        + "a,P-1,CUFF,bp,2026-01-05T08:15:00-05:00,device,128,82,71,,\n"
        + "b,P-1,SCALE,weight,2026-01-05 08:20,device,,,,180.5,lb\n"
        + "c,P-1,SCALE,weight,2026-01-05 08:20,device,,,,180.5,stone\n"
        + "d,P-1,CUFF,bp,2026-01-05 08:20,device,128,,,,\n"
        + "e,P-1,CUFF,bp,2026-01-05,device,128,82,,,\n",
    )
    pressure, weight = (row.reading for row in result.rows if isinstance(row, ReadingRow))
    assert (pressure.offset_minutes, pressure.offset_origin) == (-300, "vendor")
    assert [str(part.value) for part in pressure.components] == ["128", "82", "71"]
    assert weight.components[0].ucum == "kg"
    assert weight.measured_at == datetime(2026, 1, 5, 13, 20, tzinfo=UTC)
    assert reasons(result) == [
        "line 4, main: unit cannot be converted to kg",
        "line 5, diastolic: is empty",
        "line 6, measured_at: no time of day",
    ]


@pytest.mark.parametrize(
    ("cells", "start_second", "duration_seconds"),
    [
        ("2026-01-05,08:00,08:20,", 8 * 3600, 1200),
        ("2026-01-05,08:00,,7.5", 8 * 3600, 450),
        ("2026-01-05,,,18", None, 1080),
        ("2026-01-05,8:00 PM,8:20 PM,20", 20 * 3600, 1200),
    ],
)
def test_entries_tell_their_length_in_several_ways(
    cells: str, start_second: int | None, duration_seconds: int
) -> None:
    """Start and end, start and length, or a day and a length give whole seconds."""
    result = read("entries", ENTRIES + f"P-1,ana@example.org,rn,RPM,live,call,{cells}\n")
    (entry,) = result.rows
    assert isinstance(entry, EntryRow)
    assert (entry.local_day, entry.zone) == (date(2026, 1, 5), "America/New_York")
    assert (entry.start_second, entry.duration_seconds) == (start_second, duration_seconds)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("2026-01-05,08:20,08:00,", "duration_seconds: ends before it starts, or is empty"),
        ("2026-01-05,,,1441", "duration_seconds: longer than 24 hours"),
        ("2026-01-05,08:00,08:20,21", "duration_seconds: lengths disagree"),
        ("2026-01-05,,,", "duration_seconds: neither a length nor start and end are given"),
        (",,,20", "day: neither a day nor a start is given"),
        ("2026-01-05,,,0.001", "duration_minutes: not a whole number of seconds"),
        ("2026-01-05,,,NaN", "duration_minutes: not a number"),
        ("2026-01-05,,,twenty", "duration_minutes: not a number"),
    ],
)
def test_an_entry_without_a_sound_length_is_refused(cells: str, reason: str) -> None:
    """No length is guessed and none is cut."""
    result = read("entries", ENTRIES + f"P-1,ana@example.org,rn,RPM,live,call,{cells}\n")
    assert (result.rows, reasons(result)) == ((), [f"line 2, {reason}"])


def test_an_entry_in_another_zone_falls_on_the_practices_day() -> None:
    """An instant late in the evening UTC lies on the practice's own local day."""
    header = "record_number,actor,role,work,mode,activity,started_at,ended_at\n"
    row = "P-1,ana,rn,RPM,live,call,2026-01-06T03:50:00Z,2026-01-06T04:10:00Z\n"
    (entry,) = read("entries", header + row).rows
    assert isinstance(entry, EntryRow)
    assert (entry.local_day, entry.start_second) == (date(2026, 1, 5), 22 * 3600 + 50 * 60)
    assert entry.started_at == datetime(2026, 1, 6, 3, 50, tzinfo=UTC)


def test_the_same_entries_have_the_same_ids_in_every_import() -> None:
    """A second import gives the same ids; two rows that say the same stay two entries."""
    row = "P-1,ana@example.org,rn,RPM,live,call,2026-01-05,,,5\n"
    first, second = (read("entries", ENTRIES + row + row) for _ in range(2))
    ids = [entry.client_id for entry in first.rows if isinstance(entry, EntryRow)]
    again = [entry.client_id for entry in second.rows if isinstance(entry, EntryRow)]
    assert ids == again
    assert len(set(ids)) == 2


def test_an_entrys_own_id_outlives_a_correction_of_its_text() -> None:
    """Where the file has an id, the entry is known by it whatever else the row says."""
    header = "entry_id,record_number,actor,role,work,mode,activity,day,duration_minutes\n"
    first, second = (
        read("entries", header + f"e-1,P-1,ana,rn,RPM,live,{activity},2026-01-05,5\n").rows[0]
        for activity in ("call", "calls")
    )
    assert isinstance(first, EntryRow)
    assert isinstance(second, EntryRow)
    assert first.client_id == second.client_id


def test_bad_rows_are_refused_with_line_and_reason_and_the_rest_is_taken() -> None:
    """No refusal repeats the value that was found."""
    result = read(
        "patients",
        PATIENTS
        + "P-1,Ames,Bo,1941-02-03,M,America/Chicago\n"
        + ",Ames,Cy,1941-02-03,M,\n"
        + "P-3,Ames,Di,1941-02-30,M,\n"
        + "P-4,Ames,Ed,1941-02-03,man,\n"
        + "P-5,Ames,Fy,1941-02-03,M,America/Springfield\n"
        + "P-6,Ames,Gil,1941-02-03,M,,extra\n"
        + "\n"
        + "P-8,Ames,Hal,1941-02-03\n",
    )
    assert [row.line for row in result.rows] == [2, 9]
    assert reasons(result) == [
        "line 3, record_number: is empty",
        "line 4, birth_date: not a date of the calendar",
        "line 5, sex: not one of F, M, U",
        "line 6, timezone: not the name of a zone, such as America/Chicago",
        "line 7, row: has more cells than the header",
    ]


def test_the_rejects_file_holds_line_reason_and_the_cells(tmp_path: Path) -> None:
    """Refused rows can be mended in place; a cell that would run as a formula cannot."""
    result = read(
        "patients",
        PATIENTS + '=cmd(),"Ames, Jr",Bo,yesterday,M,\nP-2,-5,+1,x,@M,,more\n',
    )
    path = tmp_path / "rejects.csv"
    with writing_rejects(path, result.header) as rejects:
        for reject in result.rejects:
            rejects.add(reject)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["line", "reason", *result.header]
    assert rows[1] == [
        "2",
        "birth_date: not a date",
        "'=cmd()",
        "Ames, Jr",
        "Bo",
        "yesterday",
        "M",
        "",
    ]
    assert rows[2] == [
        "3",
        "row: has more cells than the header",
        "P-2",
        "-5",
        "+1",
        "x",
        "'@M",
        "",
        "more",
    ]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=6, max_size=6))
def test_any_cells_are_a_row_or_a_refusal(cells: list[str]) -> None:
    """Whatever stands in a row, it is taken or refused, and nothing else happens."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    try:
        result = read("patients", PATIENTS + text.getvalue())
    except FileRefusedError:
        assert re.search(r"\d", cells[3]), "only a date can speak against the whole file"
    else:
        assert len(result.rows) + len(result.rejects) == any(cell.strip() for cell in cells)


def test_a_date_against_the_order_refuses_the_whole_file() -> None:
    """One date that proves the order wrong makes every other date doubtful."""
    profile = variant("generic-patients", date_order="MDY")
    text = PATIENTS + "P-1,Ames,Bo,02/03/1941,M,\nP-2,Ames,Cy,13/02/1941,M,\n"
    with pytest.raises(FileRefusedError, match=r"line 3: a date contradicts .* MDY"):
        read_import(text.encode(), profile, ZONES)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"record_number,family_name\nP-1,Ames\n", "has no column given_name"),
        (PATIENTS.replace("sex", "given_name").encode(), "more than one column given_name"),
        (PATIENTS.encode() + b"P-1,N\xfa\xf1ez,Ana,1941-02-03,F,\n", "line 2: is not encoded as"),
        (PATIENTS.encode() + b'P-1,"Ames,Bo,1941-02-03,F,\n', "is not a CSV file"),
        (b"", "no row with the column names"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(data: bytes, reason: str) -> None:
    """Columns that are missing or doubled, another encoding and broken quotes stop the import."""
    with pytest.raises(FileRefusedError, match=reason):
        read_import(data, load_profile("generic-patients"), ZONES)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A path that cannot be opened is a refusal like any other."""
    with pytest.raises(FileRefusedError, match="cannot be opened"):
        read_import(tmp_path / "none.csv", load_profile("generic-patients"), ZONES)


def test_a_workbook_is_read_with_its_dates(tmp_path: Path) -> None:
    """Cells that are dates or numbers need no order and keep no decimal point."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["record_number", "family_name", "given_name", "birth_date", "sex"])
    sheet.append([1001, "Ames", "Bo", datetime(1941, 12, 3), "M"])  # noqa: DTZ001  as Excel keeps it
    sheet.append([1002.0, "Ames", "Cy", date(1950, 1, 31), "F"])
    sheet.append([None, None, None, None, None])
    sheet.append(["", "Ames", "Di", "12/03/1941", "F"])
    book.save(tmp_path / "patients.xlsx")
    profile = variant("generic-patients", format="xlsx", date_order="MDY")
    result = read_import(tmp_path / "patients.xlsx", profile, ZONES)
    assert [
        (row.line, row.record_number, row.birth_date)
        for row in result.rows
        if isinstance(row, PatientRow)
    ] == [(2, "1001", date(1941, 12, 3)), (3, "1002", date(1950, 1, 31))]
    assert reasons(result) == ["line 5, record_number: is empty"]


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    """A text file, a cut workbook and a missing sheet are refusals."""
    book = openpyxl.Workbook()
    book.save(tmp_path / "book.xlsx")
    whole = (tmp_path / "book.xlsx").read_bytes()
    profile = variant("generic-patients", format="xlsx", sheet="Patients")
    for data in (PATIENTS.encode(), whole[: len(whole) // 2], whole):
        with pytest.raises(FileRefusedError, match=r"not an XLSX|no sheet"):
            read_import(data, profile, ZONES)


def test_a_workbook_without_cells_is_refused() -> None:
    """A workbook that holds a chart and no sheet of cells is no file of patients."""
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.create_chartsheet()
    book.remove(book.worksheets[0])
    book.save(file)
    with pytest.raises(FileRefusedError, match=r"not an XLSX|no sheet"):
        read_import(file.getvalue(), variant("generic-patients", format="xlsx"), ZONES)


def test_json_rows_and_lines_give_the_same() -> None:
    """A list of objects and one object a line are read alike, numbers as they were written."""
    item = {
        "record_number": 7,
        "family_name": "Ames",
        "given_name": "Bo",
        "birth_date": "1941-02-03",
        "sex": None,
    }
    listed = json.dumps([item, "no object"]).encode()
    lined = (json.dumps(item) + "\n\n").encode()
    first = read_import(listed, variant("generic-patients", format="json"), ZONES)
    second = read_import(lined, variant("generic-patients", format="jsonl"), ZONES)
    assert first.rows == second.rows
    assert first.rows == (PatientRow(1, "7", "Ames", "Bo", date(1941, 2, 3), "U", None),)
    assert reasons(first) == ["line 2, record_number: is empty"]


@pytest.mark.parametrize("data", [b"{", b'{"a": 1}', b'{"a": 1, "a": 2}', b"[NaN]", b"\xff"])
def test_what_is_no_list_of_rows_is_refused(data: bytes) -> None:
    """JSON that is broken, ambiguous or of another shape is refused whole."""
    with pytest.raises(FileRefusedError):
        read_import(data, variant("generic-patients", format="json"), ZONES)


def test_a_nested_value_is_a_column_with_a_dotted_name() -> None:
    """Values inside objects are reached by their path."""
    profile = read_profile(
        'title = "x"\nkind = "services"\nformat = "json"\nrows = "a.b"\ndate_order = "YMD"\n'
        '[columns]\nrecord_number = "^unit"\ncode = "c.d"\nservice_day = "e"\n',
        "x",
    )
    data = b'{"a": {"unit": "P-1", "b": [{"c": {"d": "99214"}, "e": "2026-01-05"}]}}'
    (row,) = read_import(data, profile, ZONES).rows
    assert isinstance(row, ServiceRow)
    assert (row.record_number, row.code) == ("P-1", "99214")


def test_a_word_list_translates_and_refuses_the_rest() -> None:
    """A practice's words become ours; a word that the profile does not list is refused."""
    profile = variant("generic-patients", words={"sex": {"Frau": "F"}})
    text = PATIENTS + "P-1,Ames,Bo,1941-02-03,frau,\nP-2,Ames,Cy,1941-02-03,F,\n"
    result = read_import(text.encode(), profile, ZONES)
    assert len(result.rows) == 1
    assert reasons(result) == ["line 3, sex: a word that the profile does not list"]


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("patients", PatientRow),
        ("coverages", CoverageRow),
        ("episodes", EpisodeRow),
        ("services", ServiceRow),
    ],
)
def test_records_and_field_tables_agree(kind: str, record: type) -> None:
    """Every field of a record is a field of its kind, and the other way round."""
    assert {field.name for field in fields(record)} == set(FIELDS[kind]) | {"line"}


@pytest.mark.parametrize(
    ("zone", "known", "quality"),
    [
        (None, "America/Chicago", "estimated"),
        ("America/Denver", None, "exact"),
        ("practice", None, "exact"),
        ("patient", "America/Chicago", "exact"),
        ("patient", None, "estimated"),
    ],
)
def test_a_profile_that_states_the_zone_answers_for_times_near_midnight(
    zone: str | None, known: str | None, quality: str
) -> None:
    """Late in the evening a time is sure if the profile says its zone and that zone is known."""
    profile = variant("generic-readings", zone=zone)
    header = (
        "record_number,device_id,kind,measured_at,entry_method,"
        "systolic,diastolic,pulse,value,unit\n"
    )
    row = "P-1,SCALE,weight,2026-01-05 23:20,device,,,,180.5,lb\n"
    zones = Zones("America/New_York", lambda _: known)
    (read_row,) = read_import((header + row).encode(), profile, zones).rows
    assert isinstance(read_row, ReadingRow)
    assert read_row.reading.time_quality == quality


def test_a_survey_counts_rows_without_keeping_them() -> None:
    """A survey tells how many rows there are, and the digest of the file's bytes."""
    text = (PATIENTS + "P-1,Ames,Ana,1941-02-03,F,\nP-2,Ames,Bo,yesterday,M,\n").encode()
    found = survey(text, load_profile("generic-patients"), ZONES)
    assert (found.rows, found.rejects, found.left_out) == (1, 1, 0)
    assert found.digest == hashlib.sha256(text).hexdigest()


def test_without_refused_rows_there_is_no_rejects_file(tmp_path: Path) -> None:
    """The rejects file of an earlier import goes when nothing is refused any more."""
    path = tmp_path / "patients.csv.rejects.csv"
    path.write_text("of an earlier import")
    with writing_rejects(path, ("record_number",)):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", ["1e999999999", "1e9", "NaN", "Infinity", "9" * 30, "0.0001"])
def test_a_length_is_a_plain_number(length: str) -> None:
    """Exponents, words and lengths beyond all measure refuse their row, and nothing else."""
    row = f"P-1,ana@example.org,rn,RPM,live,call,2026-01-05,,,{length}\n"
    (reject,) = read("entries", ENTRIES + row).rejects
    assert reject.finding.where == "line 2, duration_minutes"
