"""S23: known weaknesses stay out: a linter's security rules, rules of the house, an audit.

A line that a rule of the house forbids may stand with ``# safe:`` and the reason on it; one that
the linter forbids with its ``noqa`` and the reason.
"""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from promised import Promised

ROOT = Path(__file__).parents[2]
PRODUCT = ("rpm", "devices", "billing")
FILES = tuple(path for name in PRODUCT for path in sorted((ROOT / name).rglob("*.py")))
REASONED = re.compile(r"#\s*(safe:|noqa: [A-Z0-9, ]+ -)\s*\S.{9,}")
STATEMENT_TAKERS = {"text", "execute", "exec_driver_sql", "executescript", "SQL", "DDL"}
CALLS_OUT = {
    *(
        "httpx",
        "httpx2",
        "httpcore2",
        "requests",
        "aiohttp",
        "websockets",
        "socket",
        "smtplib",
        "ftplib",
    ),
    *("urllib.request", "urllib3", "http.client", "telnetlib", "paramiko"),
}
RUNS_CONTENT = {"pickle", "marshal", "shelve", "dill", "yaml", "code", "codeop"}
UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|could not be audited|Failed to resolve|"
    r"Max retries|ServiceError|HTTPError",
)
AUDIT_SECONDS = 300


def weaknesses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and rule of everything that the house forbids."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, rule) for rule in _of_call(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, rule) for rule in _of_import(node))


def _of_call(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    if name in STATEMENT_TAKERS and call.args and _is_pieced(call.args[0]):
        yield "a statement made of pieces"
    if isinstance(call.func, ast.Name) and name in ("eval", "exec", "compile", "__import__"):
        yield "content that is run"
    if name in ("system", "popen", "mktemp", "_create_unverified_context"):
        yield f"a call of {name}"
    for keyword in call.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if (keyword.arg, value) in (("shell", True), ("verify", False), ("check_hostname", False)):
            yield f"{keyword.arg}={value}"


def _is_pieced(statement: ast.expr) -> bool:
    """Text put together from values: f-string, format, ``%`` or ``+``."""
    if isinstance(statement, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in statement.values)
    if isinstance(statement, ast.Call):
        return isinstance(statement.func, ast.Attribute) and statement.func.attr == "format"
    return isinstance(statement, ast.BinOp)


def _of_import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{one}" for one in names] + [str(node.module)]
    for name in names:
        if name in CALLS_OUT or name.split(".")[0] in CALLS_OUT:
            yield "a way to call somebody"
        if name.split(".")[0] in RUNS_CONTENT:
            yield "a format that runs content"


@pytest.mark.parametrize(
    "source",
    [
        'db.execute(text(f"SELECT * FROM patient WHERE name = {name}"))',
        'cursor.execute("SELECT * FROM patient WHERE id = %s" % row_id)',
        'connection.exec_driver_sql("DROP TABLE {}".format(name))',
        'connection.execute("SELECT " + column)',
        "subprocess.run(command, shell=True)",
        "os.system(command)",
        "import pickle",
        "from yaml import load",
        "eval(expression)",
        "client.get(url, verify=False)",
        "from urllib.request import urlopen",
        "import requests",
    ],
)
def test_the_rules_see_a_weakness(source: str) -> None:
    """Each kind of weakness is seen in its usual form."""
    assert list(weaknesses(ast.parse(source)))


@pytest.mark.promise("S23")
def test_the_house_rules_find_nothing(promised: Promised) -> None:
    """No statement of pieces, shell, run content, unverified or outgoing call without a reason."""
    allowed = 0
    for path in FILES:
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        for line, rule in weaknesses(ast.parse(source)):
            place = f"{path.relative_to(ROOT)}:{line}"
            assert REASONED.search(lines[line - 1]), f"{place}: {rule}"
            allowed += 1
    promised.reached(f"house rules on {len(FILES)} files: 0 findings, {allowed} with their reason")


def linted(*options: str) -> list[dict[str, object]]:
    """What ruff's security rules find in the product, whatever the project's settings allow."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--exit-zero"),
            *("--select", "S", "--target-version", "py311", "--output-format", "json"),
            *(*options, *PRODUCT),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.promise("S23")
def test_the_linters_security_rules_find_nothing(promised: Promised) -> None:
    """Nothing is found, and each line that is excepted says why."""
    assert linted() == []
    excepted = linted("--ignore-noqa")
    for one in excepted:
        row = one["location"]
        assert isinstance(row, dict)
        path = Path(str(one["filename"]))
        line = path.read_text(encoding="utf-8").splitlines()[row["row"] - 1]
        assert REASONED.search(line), f"{path.relative_to(ROOT)}:{row['row']}: {one['code']}"
    promised.reached(
        f"ruff's S rules (flake8-bandit): 0 findings, {len(excepted)} lines with their reason"
    )


@pytest.mark.promise("S23")
def test_no_dependency_has_a_known_weakness(promised: Promised, tmp_path: Path) -> None:
    """pip-audit in strict mode over the locked packages; told as not run where it cannot be."""
    if not promised.full:
        pytest.skip("asks an advisory service: done in the full run only (make promises)")
    if importlib.util.find_spec("pip_audit") is None:
        promised.reached("dependency audit NOT RUN here: pip-audit is not installed")
        return
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip_audit", "--strict", "--no-deps", "--disable-pip"),
            *("--progress-spinner", "off", "--format", "json", "--cache-dir", str(tmp_path)),
            *("--requirement", str(ROOT / "requirements.lock")),
        ],
        check=False,
        capture_output=True,
        text=True,
        timeout=AUDIT_SECONDS,
    )
    if not done.stdout.strip():
        assert UNREACHABLE.search(done.stderr), done.stderr
        promised.reached("dependency audit NOT RUN here: advisories cannot be reached")
        return
    packages = json.loads(done.stdout)["dependencies"]
    assert [one["name"] for one in packages if one.get("vulns")] == []
    promised.reached(f"dependency audit of {len(packages)} packages in strict mode: 0 advisories")
