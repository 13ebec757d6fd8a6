"""The house itself: project files, import contracts, lock lists and decision records."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import rpm

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
SECRET_NAMES = re.compile(r"PASSWORD|KEY|SECRET|TOKEN|DATABASE_URL")
REQUIRED_FROM_ENVIRONMENT = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")


def tracked_files() -> list[Path]:
    """Every file that git tracks, or would track, as a path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def locked(name: str) -> dict[str, str]:
    """Canonical name to version of what one lock list means here, without the list it includes."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r "))]
    return {
        canonicalize_name(pin.name): next(iter(pin.specifier)).version
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def needed(requirements: list[str]) -> dict[str, Requirement]:
    """Every package that the requirements lead to on this interpreter, with one reason for it."""
    found: dict[str, Requirement] = {}
    waiting = [(Requirement(text), "") for text in requirements]
    done: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found[name] = requirement
        for wanted in {"", *requirement.extras} - {extra for seen, extra in done if seen == name}:
            done.add((name, wanted))
            texts = distribution(name).requires or []
            waiting += [(Requirement(text), wanted) for text in texts]
    return found


def test_the_version_is_one() -> None:
    """The distribution, the package and the image carry the same version."""
    assert PROJECT["version"] == rpm.__version__
    assert SERVICES["web"]["image"] == f"rpm-ledger:{rpm.__version__}"


def test_import_contracts_hold() -> None:
    """import-linter finds every contract of pyproject.toml kept."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("lists", "extras"),
    [
        (["requirements.lock"], ["postgres"]),
        (["requirements.lock", "requirements-dev.lock"], ["postgres", "dev"]),
    ],
)
def test_lock_lists_are_in_step_with_pyproject(lists: list[str], extras: list[str]) -> None:
    """A lock list pins exactly the packages that pyproject.toml leads to, within its ranges."""
    pins = {package: version for name in lists for package, version in locked(name).items()}
    optional = PROJECT["optional-dependencies"]
    direct = PROJECT["dependencies"] + [text for extra in extras for text in optional[extra]]
    assert set(pins) == set(needed(direct))
    for requirement in map(Requirement, direct):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), (
            requirement
        )


def test_no_test_tool_is_installed_for_a_run() -> None:
    """The two lists do not overlap, and the second one builds on the first."""
    assert not locked("requirements.lock").keys() & locked("requirements-dev.lock").keys()
    assert "-r requirements.lock" in (ROOT / "requirements-dev.lock").read_text().splitlines()


def test_make_alone_prints_every_target() -> None:
    """make without a target lists each phony target with a line of help."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    # the tests may run under make themselves, which would then tell of its folders
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make"], cwd=ROOT, check=True, capture_output=True, text=True, env=outside
    )
    listed = dict(line.split(maxsplit=1) for line in done.stdout.splitlines()[1:])
    assert set(listed) == set(phony[1].split())
    assert all(len(explanation) > 10 for explanation in listed.values())


def test_ci_script_can_be_run() -> None:
    """.ci/run is executable and valid for bash."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_compose_has_the_processes_of_the_design() -> None:
    """Web, scheduler, one-shot migration and database, in their order of start."""
    assert set(SERVICES) == {"database", "migrate", "web", "scheduler"}
    assert SERVICES["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("web", "scheduler"):
        wanted = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert wanted == "service_completed_successfully"
        assert SERVICES[name]["command"][0] == "rpm-ledger"


def test_compose_uses_postgresql_16_or_newer() -> None:
    """The database image is a PostgreSQL release that the tests cover."""
    image, _, tag = SERVICES["database"]["image"].partition(":")
    assert image == "postgres"
    assert int(tag.split(".")[0].split("-")[0]) >= 16


def test_compose_publishes_the_web_port_only() -> None:
    """No other process can be reached from outside, and the web port only from this machine."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert SERVICES["web"]["ports"] == ["${RPMLEDGER_PUBLISH:-127.0.0.1:8000}:8000"]
    assert not any(
        "network_mode" in service or "expose" in service for service in SERVICES.values()
    )


def test_compose_watches_every_lasting_process() -> None:
    """Each process that stays up has a health check; the one-shot migration has none."""
    for name, service in SERVICES.items():
        check = service["healthcheck"]
        assert ("test" in check) == (name != "migrate"), name


def test_compose_keeps_data_in_named_volumes() -> None:
    """Every mount is a volume that compose names, never a folder of the host."""
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert {mount.split(":")[0] for mount in mounts} == set(COMPOSE["volumes"])


def test_compose_holds_no_secret() -> None:
    """Every secret comes from the environment and has no value to fall back to."""
    seen = 0
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if SECRET_NAMES.search(name):
                seen += 1
                assert REQUIRED_FROM_ENVIRONMENT.search(value), name
                rest = REQUIRED_FROM_ENVIRONMENT.sub("", value)
                assert rest == "" or rest.startswith("postgresql+psycopg://"), name
    assert seen >= 10


def test_service_does_not_sign_in_as_the_owner() -> None:
    """Only the migration signs in to the database as the role that owns the tables."""
    users = {
        name: service["environment"]["RPMLEDGER_DATABASE_URL"].split("//")[1].split(":")[0]
        for name, service in SERVICES.items()
        if name != "database"
    }
    owner = SERVICES["database"]["environment"]["POSTGRES_USER"]
    assert users.pop("migrate") == owner
    assert set(users.values()) == {"rpm_ledger_service"}
    assert "CREATE ROLE rpm_ledger_service" in COMPOSE["configs"]["service-role"]["content"]


def test_image_does_not_run_as_root() -> None:
    """The last stage of the image switches to a numbered user and has a health check."""
    last_stage = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[-1]
    user = re.search(r"^USER (\d+):(\d+)$", last_stage, re.MULTILINE)
    assert user is not None
    assert int(user[1]) > 0
    assert "\nHEALTHCHECK " in last_stage


def test_tracked_files_name_no_machine() -> None:
    """No tracked file names a path of the machine it was written on, nor a package index."""
    foreign = re.compile(
        "|".join(("/" + "work/", "/opt/" + "rl", r"\.\./" + "shared", "index" + "-url")).encode()
    )
    told = [path.relative_to(ROOT) for path in tracked_files() if foreign.search(path.read_bytes())]
    assert told == []


def test_decisions_are_numbered_without_gaps() -> None:
    """Decision records count up from 0001."""
    numbers = [int(path.name.split("-")[0]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_three_parts(path: Path) -> None:
    """A record has Context, Decision and Consequences in this order, on less than a page."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 60


def test_the_documentation_index_is_complete() -> None:
    """Every page under docs stands in its index, and every link of the index leads somewhere."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)#]+)\)", index))
    assert all((ROOT / "docs" / link).exists() for link in links)
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages <= links
