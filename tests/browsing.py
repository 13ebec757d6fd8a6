"""The system's Chromium for tests of pages, and the choice to leave those tests out.

Owns the option ``--no-browser`` (``make test BROWSER=no``) and where the browser is. Does not own
what is served nor who is signed in (``browser/conftest.py``).
"""

import os
import shutil
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "browser"
PACKAGE = "chromium"
"""The package of Debian that brings it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of ``make test BROWSER=no``."""
    parser.addoption(
        "--no-browser", action="store_true", help="leave out the tests that need a browser"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without a browser its tests are not even read."""
    if config.getoption("no_browser") and collection_path.is_relative_to(FOLDER):
        return True
    return None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    if config.getoption("no_browser"):
        terminalreporter.write_line("left out: every test that needs a browser (tests/browser)")


def chromium() -> str:
    """The program; ``pytest.UsageError`` naming the package where there is none."""
    found = os.environ.get("RPMLEDGER_TEST_CHROMIUM") or shutil.which(PACKAGE)
    if found is None:
        raise pytest.UsageError(
            f"install the package {PACKAGE}, or leave these tests out: make test BROWSER=no"
        )
    return found
