"""``rpm-ledger import`` as a person uses it: the documented files and commands, and exit codes."""

import re
import shlex
from pathlib import Path

import pytest

from rpm.cli import USAGE, run

ROOT = Path(__file__).parents[3]
IMPORTING = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
WELLTORY = ROOT / "tests" / "files" / "profiles" / "welltory.toml"
PRACTICE = (
    'bootstrap --name "Example Family Medicine" --npi 1234567893 --timezone America/Chicago'
    ' --admin-name "Ada Admin" --admin-email ada@example.org'
)
FILE_AND_CONTENT = re.compile(r"^`(\S+\.csv)`\n\n```csv\n(.*?)```$", re.MULTILINE | re.DOTALL)
SESSION = re.compile(r"^```console\n(\$ .*?)```$", re.MULTILINE | re.DOTALL)
PATIENTS = "record_number,family_name,given_name,birth_date\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with an SQLite file that does not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", "sqlite:///ledger.db")
    return tmp_path


@pytest.fixture
def practice(folder: Path) -> Path:
    """The folder, with a practice in the database and one file of patients."""
    assert run(shlex.split(PRACTICE)) == 0
    content = PATIENTS + "P-1,Planted,Zebulon,1951-04-23\n"
    (folder / "patients.csv").write_text(content, encoding="utf-8")
    return folder


def test_the_documented_commands_give_what_is_documented(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new practice from the files in docs/importing.md prints what stands there."""
    files = FILE_AND_CONTENT.findall(IMPORTING)
    for name, content in files:
        (folder / name).write_text(content, encoding="utf-8")
    assert len(files) == 6
    (session,) = SESSION.findall(IMPORTING)
    steps = session.removeprefix("$ rpm-ledger ").split("\n$ rpm-ledger ")
    assert len(steps) == 8
    for step in steps:
        command, _, told = step.partition("\n")
        capsys.readouterr()
        code = run(shlex.split(command))
        if command.startswith("import"):
            assert capsys.readouterr().out.strip() == told.strip()
        assert code == (1 if " 1 rejected" in told else 0)
    rejects = (folder / "patients.csv.rejects.csv").read_text(encoding="utf-8")
    assert f"```csv\n{rejects}```" in IMPORTING.replace("\r\n", "\n")
    assert run(["verify"]) == 0


def test_a_dry_run_says_so_and_records_nothing(
    practice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a dry run the same rows are still new."""
    command = ["import", "patients", "patients.csv", "--profile", "generic-patients"]
    assert run([*command, "--dry-run"]) == 0
    assert "nothing was recorded" in capsys.readouterr().out
    assert run(command) == 0
    assert "1 new, 0 already there, 0 rejected" in capsys.readouterr().out


def test_rejects_go_where_they_are_sent(practice: Path) -> None:
    """--rejects names another place for refused rows; without any there is no file."""
    with (practice / "patients.csv").open("a", encoding="utf-8") as file:
        file.write("P-2,Planted,Zebulon,yesterday\n")
    command = ["import", "patients", "patients.csv", "--profile", "generic-patients"]
    assert run([*command, "--rejects", "bad.csv"]) == 1
    assert "3,birth_date: not a date,P-2" in (practice / "bad.csv").read_text(encoding="utf-8")
    assert not (practice / "patients.csv.rejects.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["patients", "absent.csv", "--profile", "generic-patients"], "cannot be opened"),
        (["patients", ".", "--profile", "generic-patients"], "cannot be opened"),
        (["patients", "patients.csv", "--profile", "generic-services"], "is for services"),
        (["patients", "patients.csv", "--profile", "nothing"], "is not one of"),
        (["patients", "patients.csv", "--profile", "absent.toml"], "cannot be read"),
        (["readings", "patients.csv", "--profile", str(WELLTORY)], "needs the options"),
        (
            ["patients", "patients.csv", "--profile", "generic-patients", "--set", "a=b"],
            "no options a",
        ),
        (["patients", "patients.csv", "--profile", "generic-patients", "--set", "a"], "NAME=VALUE"),
        (["readings", "patients.csv", "--profile", "generic-readings"], "has no column"),
        (
            ["patients", "patients.csv", "--profile", "generic-patients", "--rejects", "no/x.csv"],
            "rejects file cannot be written",
        ),
        (
            ["patients", "patients.csv", "--profile", "generic-patients", "--organization", "X"],
            "no such organization",
        ),
        (["nothing", "patients.csv", "--profile", "generic-patients"], "nothing"),
    ],
)
def test_a_refused_import_is_2_with_the_reason(
    practice: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong use, an unusable profile and an unusable file end with 2 and name no value."""
    assert run(["import", *arguments]) == USAGE
    error = capsys.readouterr().err
    assert told in error
    assert "Planted" not in error
    assert not list(practice.glob("*rejects*"))


def test_errors_in_a_file_never_show_its_values(
    practice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed about refused rows holds counts and places only."""
    content = PATIENTS + "P-2,Planted,Zebulon,Planted\nP-3,Planted,Zebulon,2190-01-01\n"
    (practice / "patients.csv").write_text(content, encoding="utf-8")
    assert run(["import", "patients", "patients.csv", "--profile", "generic-patients"]) == 1
    captured = capsys.readouterr()
    assert "0 new, 0 already there, 2 rejected" in captured.out
    assert "Planted" not in captured.out + captured.err
