"""`rpm-ledger code`: visits of a file are coded, the others refused with their reasons."""

import csv
from pathlib import Path

import pytest

from rpm.cli import USAGE, run

CASES = Path(__file__).parents[2] / "cases" / "telehealth-cases.csv"
UP_TO = "fields"


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    """The CODE cases of the reference, in the columns of a batch."""
    with CASES.open(encoding="utf-8", newline="") as source:
        rows = [row for row in csv.DictReader(source) if row["task"] == "CODE"]
    names = list(rows[0])[: list(rows[0]).index(UP_TO) + 1]
    file = tmp_path / "visits.csv"
    with file.open("w", encoding="utf-8", newline="") as target:
        written = csv.DictWriter(target, names, extrasaction="ignore")
        written.writeheader()
        written.writerows(rows)
    return file


def read(file: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def test_a_batch_adds_lines_edits_status_and_amount(
    visits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each visit keeps its columns and gets its lines; nothing refused leaves no rejects file."""
    out = tmp_path / "coded.csv"
    assert run(["code", str(visits), "--out", str(out)]) == 0
    assert capsys.readouterr().out == "31 coded, 0 rejected\n"
    rows = read(out)
    assert list(rows[0])[-5:] == ["fields", "lines", "edits", "status", "amount"]
    assert [row["case_id"] for row in rows] == [row["case_id"] for row in read(visits)]
    first = rows[0]
    assert (first["lines"], first["edits"], first["status"]) == ("99214@10", "", "CLEAN")
    assert first["amount"] == ""
    assert not (tmp_path / "visits.csv.rejects.csv").exists()


def test_a_row_that_cannot_be_read_is_kept_with_its_reasons(
    visits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused rows go to the rejects file with line and reasons; the others are coded; exit 1."""
    lines = visits.read_text(encoding="utf-8").splitlines()
    bad = lines[1].replace("2026-03-10", "soon").replace("consent=documented", "consent=maybe")
    visits.write_text("\n".join([*lines, bad, "too,short"]) + "\n", encoding="utf-8")
    out, rejects = tmp_path / "coded.csv", tmp_path / "no.csv"
    assert run(["code", str(visits), "--out", str(out), "--rejects", str(rejects)]) == 1
    assert "31 coded, 2 rejected" in capsys.readouterr().out
    refused = read(rejects)
    assert [row["line"] for row in refused] == ["33", "34"]
    assert refused[0]["reason"].startswith("dos: not a date YYYY-MM-DD; fields consent: not one of")
    assert refused[1]["reason"] == "row: more or fewer cells than the header"
    assert len(read(out)) == 31


def test_a_known_day_judges_the_whole_file(visits: Path, tmp_path: Path) -> None:
    """--known codes by the rules as known on that day instead of each row's own."""
    lines = visits.read_text(encoding="utf-8").splitlines()
    visits.write_text(
        "\n".join([lines[0], lines[1].replace("2026-03-10", "2025-10-15")]) + "\n", encoding="utf-8"
    )
    out = tmp_path / "coded.csv"
    told = {}
    for known in ("2025-11-01", "2025-11-20"):
        assert run(["code", str(visits), "--out", str(out), "--known", known]) == 0
        told[known] = read(out)[0]
    assert (told["2025-11-01"]["lines"], told["2025-11-01"]["edits"]) == ("none", "TH-COV-04")
    assert (told["2025-11-20"]["lines"], told["2025-11-20"]["status"]) == ("99214@10", "CLEAN")


def test_lines_to_judge_may_follow(visits: Path, tmp_path: Path) -> None:
    """A row of the task SCRUB has its submitted lines judged and repaired."""
    header, first, *_ = visits.read_text(encoding="utf-8").splitlines()
    row = first.replace(",CODE,", ",SCRUB,") + ",99214-GT@10"
    visits.write_text(f"{header},submitted\n{row}\n", encoding="utf-8")
    out = tmp_path / "coded.csv"
    assert run(["code", str(visits), "--out", str(out)]) == 0
    coded = read(out)[0]
    assert (coded["lines"], coded["status"]) == ("99214@10", "FIX")
    assert "TH-MOD-04" in coded["edits"].split(";")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "case_id is missing"),
        ("case_id,task\n", "payer is missing"),
        ("{header},color\n", "column 18 is not known"),
        ('{header}\n"open\n', "a quote that is not closed"),
    ],
)
def test_a_file_that_is_no_batch_is_refused_whole(
    visits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    """Without the columns nothing is coded, nothing written, and the exit code is 2."""
    header = visits.read_text(encoding="utf-8").splitlines()[0]
    visits.write_text(text.replace("{header}", header), encoding="utf-8")
    out = tmp_path / "coded.csv"
    assert run(["code", str(visits), "--out", str(out)]) == USAGE
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_a_cell_that_a_spreadsheet_would_run_is_made_inert(visits: Path, tmp_path: Path) -> None:
    """Free text goes out with an apostrophe before a formula."""
    header, first, *_ = visits.read_text(encoding="utf-8").splitlines()
    row = first.replace("consent on file; clinician in office", "=1+1")
    visits.write_text(f"{header}\n{row}\n", encoding="utf-8")
    out = tmp_path / "coded.csv"
    assert run(["code", str(visits), "--out", str(out)]) == 0
    assert read(out)[0]["facts"] == "'=1+1"
