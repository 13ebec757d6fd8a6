"""The command behind ``make screenshots``: walks a month in the browser and draws its pages."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from browsing import chromium
from demo_process import ROOT, demo_process
from playwright.sync_api import expect, sync_playwright

from screenshots.album import Album
from screenshots.month import STEPS, Walk

PICTURES = ROOT / "docs" / "guide" / "pictures"
_PATIENCE_MILLISECONDS = 15_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a demo, walk, draw; AssertionError when a step does not end as it should."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PICTURES, help="where the pictures go")
    parser.add_argument("--port", type=int, default=8_765)
    options = parser.parse_args(arguments)
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    _say("playing the demo until the end of February, about a minute")
    with (
        TemporaryDirectory() as folder,
        demo_process(Path(folder), "--port", str(options.port)) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        walk = Walk(demo, browser, Album(options.folder))
        for step in STEPS:
            _say(step.__doc__ or step.__name__)
            step(walk)
        browser.close()
    _say(f"drawn into {options.folder}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
