"""The command line: quick help, exit codes, and every command documented."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pydantic import SecretStr
from sqlalchemy.engine import Engine
from sqlmodel import select
from typer.main import get_command

import rpm
from rpm.access import token_hash
from rpm.cli import FAILURE, USAGE, make_app, run
from rpm.jobs.schedule import JOBS
from rpm.settings import Settings
from rpm.store.chain import chain_head
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.migrations import at_head
from rpm.store.tables.people import ApiToken, Organization
from rpm.web.app import create_app

DOCS = Path(__file__).parents[3] / "docs"
CASES = Path(__file__).parents[2] / "cases" / "rpm-cases.csv"
HEAVY = ("pandas", "numpy", "sqlalchemy", "fastapi", "apscheduler", "alembic", "uvicorn")
BOOTSTRAP = [
    "bootstrap",
    *("--name", "Example Family Medicine"),
    *("--npi", "1234567893"),
    *("--timezone", "America/Chicago"),
    *("--admin-name", "Ada Admin"),
    *("--admin-email", "ada@example.org"),
]
CASES_HEADER = (
    "case_id,topic,scope,payer,setting,tz,setup_on,setup_billed,consent_on,established,"
    "episode_end,end_reason,devices,readings,time_log,other_services,flags,policy,as_of,"
    "expect_windows,expect_time,expect_lines,expect_edits\n"
)


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test's database and keys as the command finds them."""
    for name in ("secret_key", "audit_key", "field_key"):
        secret = getattr(settings, name)
        assert isinstance(secret, SecretStr)
        monkeypatch.setenv(f"RPMLEDGER_{name.upper()}", secret.get_secret_value())
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", settings.database_url)
    return settings


def commands() -> dict[str, list[str]]:
    """Every command's name and its options."""
    root = get_command(make_app())
    found: dict[str, list[str]] = {}

    def walk(command: object, words: list[str]) -> None:
        inner = getattr(command, "commands", None)
        if inner:
            for name, one in inner.items():
                walk(one, [*words, name])
            if not getattr(command, "invoke_without_command", False):
                return
        options = [opt for p in command.params for opt in p.opts if opt.startswith("--")]  # type: ignore[attr-defined]  # the walk ends at commands
        found[" ".join(words)] = [opt for opt in options if opt != "--help"]

    walk(root, [])
    return found


def test_help_loads_nothing_heavy() -> None:
    """--help comes without the database, web and table libraries, so that it is quick."""
    program = (
        "import sys; from rpm.cli import run; code = run(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "serve" in done.stdout


@pytest.mark.parametrize("words", sorted(commands()))
def test_every_command_is_documented(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/commands.md has a section for each command that names each of its options."""
    sections = (DOCS / "commands.md").read_text(encoding="utf-8").split("\n## ")
    (section,) = [text for text in sections if text.startswith(f"`rpm-ledger {words}`")]
    for option in commands()[words]:
        assert f"`{option}" in section, option
    assert run([*words.split(), "--help"]) == 0
    assert len(capsys.readouterr().out) > 100


def test_documented_commands_exist() -> None:
    """docs/commands.md names no command that is gone."""
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    named = {line.split("`")[1].removeprefix("rpm-ledger ") for line in text.split("\n## ")[1:]}
    assert named == set(commands())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """--version tells the version."""
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"rpm-ledger {rpm.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["nothing"], ["serve", "--port", "0"], ["rules", "show"], ["migrate", "--nothing"]],
)
def test_wrong_use_is_2(arguments: list[str]) -> None:
    """Unknown commands and wrong options end with 2."""
    assert run(arguments) == USAGE


def test_a_wrong_setting_is_2_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong variable is named without its value."""
    monkeypatch.setenv("RPMLEDGER_PORT", "Planted")
    assert run(["migrate"]) == USAGE
    told = capsys.readouterr().err
    assert "RPMLEDGER_PORT" in told
    assert "Planted" not in told


def test_a_failure_tells_places_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected failure ends with 70 and tells where, not its text."""

    def broken() -> typer.Typer:
        raise ValueError("Zebulon Planted")

    monkeypatch.setattr("rpm.cli.make_app", broken)
    assert run([]) == FAILURE
    told = capsys.readouterr().err
    assert "test_cli.py" in told
    assert "Planted" not in told


def test_migrate_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty database is behind, migrate brings it up, and then the check is good."""
    url = f"sqlite:///{tmp_path}/new.db"
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", url)
    assert run(["migrate", "--check"]) == 1
    assert run(["migrate"]) == 0
    assert run(["migrate", "--check"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "not at this version"
    engine = make_engine(Settings(database_url=url))
    assert at_head(engine)
    engine.dispose()


def test_grants(
    environment: Settings,
    owner_settings: Settings,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """--grant-to gives a PostgreSQL role what the service needs; SQLite has no roles: 2."""
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", owner_settings.database_url)
    if engine.dialect.name == "sqlite":
        assert run(["migrate", "--grant-to", "anyone"]) == USAGE
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "DO $$ BEGIN CREATE ROLE granted_by_test; EXCEPTION WHEN OTHERS THEN END $$"
        )
    assert run(["migrate", "--grant-to", "granted_by_test"]) == 0
    with engine.begin() as connection:
        allowed = connection.exec_driver_sql(
            "SELECT has_table_privilege('granted_by_test', 'reading', 'INSERT'),"
            " has_table_privilege('granted_by_test', 'reading', 'UPDATE')"
        ).one()
        connection.exec_driver_sql("DROP OWNED BY granted_by_test")
    assert tuple(allowed) == (True, False)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_serve_refuses_a_database_behind(
    environment: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """On PostgreSQL nothing starts while the database is behind, and the reason is told."""
    with transaction(engine) as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    for command in ("serve", "scheduler", "verify"):
        assert run([command]) == USAGE
        assert "rpm-ledger migrate" in capsys.readouterr().err


def test_bootstrap_once(
    environment: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first token is printed once and only its hash kept; a second time is refused."""
    assert run(BOOTSTRAP) == 0
    token = capsys.readouterr().out.splitlines()[-1]
    with reading(engine) as session:
        assert session.exec(select(Organization.name)).all() == ["Example Family Medicine"]
        assert session.exec(select(ApiToken.token_hash)).all() == [token_hash(token)]
    assert run(BOOTSTRAP) == USAGE
    assert "NPI" in capsys.readouterr().err


def test_bootstrap_names_wrong_options(
    environment: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong NPI is refused by name."""
    assert run([word.replace("1234567893", "1234567890") for word in BOOTSTRAP]) == USAGE
    told = capsys.readouterr().err
    assert "npi" in told
    assert "1234567890" not in told


def test_verify(environment: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """A record that fits ends with 0, a changed one with 1 and where, no organization with 2."""
    assert run(["verify"]) == USAGE
    assert run(BOOTSTRAP) == 0
    assert run(["verify"]) == 0
    assert run(["verify", "--organization", "1234567893"]) == 0
    assert run(["verify", "--organization", "Nobody"]) == USAGE
    with transaction(engine) as session:
        session.connection().exec_driver_sql("UPDATE organization_head SET last_number = 7")
    capsys.readouterr()
    assert run(["verify"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert " E_CHAIN" in told[0]
    assert told[-1].endswith("does not fit")


def test_verify_against_a_manifest(
    environment: Settings, engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A chain head that an export kept must be in the record; a file that has none is 2."""
    assert run(BOOTSTRAP) == 0
    with reading(engine) as session:
        organization_id = session.exec(select(Organization.id)).one()
        head = chain_head(session, organization_id)
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"chain_anchor": head.as_json()}), encoding="utf-8")
    assert run(["verify", "--manifest", str(file)]) == 0
    later = {"number": head.number + 1, "hmac": "0" * 64}
    file.write_text(json.dumps({"chain_anchor": later}), encoding="utf-8")
    assert run(["verify", "--manifest", str(file)]) == 1
    file.write_text("{}", encoding="utf-8")
    assert run(["verify", "--manifest", str(file)]) == USAGE


def test_scheduler_once(environment: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """`scheduler --once` does what is due and tells it; a second time nothing is due."""
    assert run(["scheduler", "--once"]) == 0
    first = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in first] == [job.name for job in JOBS]
    assert run(["scheduler", "--once"]) == 0
    assert {line.split(": ")[1] for line in capsys.readouterr().out.splitlines()} == {"nothing due"}


def test_rules_list_show_check(capsys: pytest.CaptureFixture[str]) -> None:
    """The pages are listed, shown with status and source, and checked; an unknown one is 2."""
    assert run(["rules", "list"]) == 0
    assert "medicare-b-2026" in capsys.readouterr().out
    assert run(["rules", "show", "medicare-b-2026"]) == 0
    assert "99457" in capsys.readouterr().out
    assert run(["rules", "show", "telehealth-payers"]) == 0
    assert "BCBSM  2025-07-01 to now, known from 2025-07-01  [C] S58" in capsys.readouterr().out
    assert run(["rules", "check"]) in {0, 1}  # 1 once a source was not read for 180 days
    assert capsys.readouterr().out.splitlines()[-1].endswith("findings")
    assert run(["rules", "show", "no-such-page"]) == USAGE


def test_rules_try(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not in the format is 2; one without cases passes with a count."""
    file = tmp_path / "cases.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    assert run(["rules", "try", str(file)]) == USAGE
    assert "case file" in capsys.readouterr().err
    file.write_text(CASES_HEADER, encoding="utf-8")
    assert run(["rules", "try", str(file)]) == 0
    assert capsys.readouterr().out == "0 passed, 0 failed\n"
    assert run(["rules", "try", str(tmp_path / "missing.csv")]) == USAGE


def test_rules_try_counts_mismatches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A case that comes out otherwise is told by its id and column, and the exit code is 1."""
    lines = CASES.read_text(encoding="utf-8").splitlines()[:3]
    file = tmp_path / "cases.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert run(["rules", "try", str(file)]) == 0
    assert capsys.readouterr().out == "2 passed, 0 failed\n"
    file.write_text("\n".join(lines).replace(":16:closed", ":17:closed"), encoding="utf-8")
    assert run(["rules", "try", str(file)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("RD01: expect_windows: expected 2025-03-03..2025-04-01:17:closed")
    assert told[-1] == "1 passed, 1 failed"


def test_openapi_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`openapi` prints the application's own description, without a database."""
    assert run(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == create_app(Settings()).openapi()
