"""S15: whatever is put where files are read and written, nothing changes outside their folder."""

import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from hostile_files import GOOD, HEADER, Case, Ground, cases
from promised import Promised

from rpm.cli import run

KEYS = {
    "RPMLEDGER_SECRET_KEY": "a secret key of this test, long enough for it",
    "RPMLEDGER_AUDIT_KEY": "an audit key of this test, long enough for it",
    "RPMLEDGER_FIELD_KEY": "a field key of this test, long enough for it",
}
PROFILE = """title = "workbook"
kind = "patients"
format = "xlsx"
date_order = "YMD"
[columns]
record_number = "record_number"
family_name = "family_name"
given_name = "given_name"
birth_date = "birth_date"
"""
WORK = Path("work")


def _ground(root: Path) -> Ground:
    work = root / WORK
    return Ground(
        work / "inbox", work / "out", root / "outside", work / "backup", work / "book.toml"
    )


def _ran(*words: object) -> None:
    assert run([str(word) for word in words]) == 0


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A practice with a closed month, its export and a backup, beside what nobody may touch."""
    root = tmp_path / "template"
    ground = _ground(root)
    for folder in (ground.inbox, ground.out, ground.outside / "folder", root / "home", root / "db"):
        folder.mkdir(parents=True)
    ground.victim.write_text("secret")
    (ground.outside / "people.csv").write_text(HEADER + GOOD)
    ground.profile.write_text(PROFILE)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    _use(root, monkeypatch)
    _ran("bootstrap", "--name", "Example", "--npi", "1234567893", "--timezone", "America/Chicago",
         "--admin-name", "Ada Admin", "--admin-email", "ada@example.org")  # fmt: skip
    _ran("close", "--month", "2026-01")
    _ran("export", "2026-01", "--out", ground.out)
    _ran("backup", "--out", ground.backup)
    return root


def _use(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", f"sqlite:///{root / 'db' / 'ledger.db'}")
    monkeypatch.chdir(root / "home")


def _tree(root: Path, may_change: tuple[Path, ...]) -> dict[str, tuple[object, ...]]:
    """Every file, folder and link that is not to change, with its content and attributes."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if here / name not in may_change]
        for name in [*folders, *files]:
            path = here / name
            told = path.lstat()
            content = ""
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = sha256(path.read_bytes()).hexdigest()
            # names that are put into a folder are seen by themselves
            written_at = 0 if path.is_dir() else told.st_mtime_ns
            found[str(path)] = (told.st_mode, content, written_at)
    return found


def _changes(case: Case, root: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What a command changed where it may not; it ends as commands end, whatever it met."""
    ground = _ground(root)
    _use(root, monkeypatch)
    words = case.prepare(ground)
    may_change = (root / "db", *(root / WORK / name for name in case.may_change))
    before = _tree(root, may_change)
    code = run(words)
    after = _tree(root, may_change)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return changed if code in {0, 1, 2} else {*changed, f"ended with {code}"}


@pytest.mark.promise("S15")
def test_files_stay_in_their_folder(
    template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    promised: Promised,
) -> None:
    """Names, links and archives lead no command to change anything outside of where it works."""
    escaped = Path("/tmp/rpm-ledger-x.csv")  # where an archive would like to write
    all_cases = list(cases())
    assert len({case.name for case in all_cases}) == len(all_cases) >= 100
    tried = all_cases[:: promised.count(1, 5)]
    wrong: dict[str, set[str]] = {}
    for number, case in enumerate(tried):
        root = tmp_path / f"case-{number}"
        shutil.copytree(template, root, symlinks=True)
        changed = _changes(case, root, monkeypatch)
        if changed or escaped.exists():
            wrong[case.name] = changed
        shutil.rmtree(root)
    assert wrong == {}
    capsys.readouterr()
    promised.reached(
        f"{len(tried)} hostile names, links and archives against import, export, evidence, backup "
        "and restore: 0 changes outside"
    )


def test_a_change_outside_is_seen(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison itself: a command that writes elsewhere is told, by what it changed."""
    root = tmp_path / "case"
    shutil.copytree(template, root)

    def prepare(ground: Ground) -> list[str]:
        return ["export", "2026-01", "--out", str(ground.outside)]

    changed = _changes(Case("writes elsewhere", prepare, ("out",)), root, monkeypatch)
    assert any(path.endswith("manifest.json") for path in changed)
