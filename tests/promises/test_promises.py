"""The list of promises and the tests that prove them name each other."""

import re
import tomllib
from pathlib import Path

from promised import PROMISES

HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent / "simulation", HERE.parent / "browser")


def test_every_promise_listed_has_a_test_and_every_test_a_listed_promise() -> None:
    """No promise stands in the list without a test, and no test proves one that is not listed."""
    listed = set(tomllib.loads(PROMISES.read_text(encoding="utf-8")))
    marked = {
        number
        for folder in FOLDERS
        for path in folder.glob("test_*.py")
        for number in re.findall(r'mark\.promise\("(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert listed == marked
