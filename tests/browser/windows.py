"""What tests of pages hold: a served practice, what its pages complain of, the check of WCAG.

Owns these. The fixtures that make them are in ``conftest.py``.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from conftest import FixedClock
from playwright.sync_api import BrowserContext, ConsoleMessage, Page
from practice import Practice
from signing_in import Person

from rpm.demo.server import HOST, serving, taken_address
from rpm.settings import Settings

AtWork = Callable[[Callable[[Practice], object]], object]
"""Does something in the practice by its real actions, in a transaction that ends at once."""
NewContext = Callable[[], BrowserContext]
"""Makes a browser context: a machine of its own, with its own cookies."""
MakePerson = Callable[..., Person]
"""``person("clinical_staff")`` makes somebody who can sign in."""
Machine = Callable[[Person], BrowserContext]
"""A machine on which a person is signed in; its pages are windows."""
PageOf = Callable[[str], Page]
"""A page that is signed in as a new person of a role."""


@dataclass
class Complaints:
    """What pages complained of, less what the test provokes."""

    provoked: list[re.Pattern[str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    provoked_heard: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """From now on complaints that hold this pattern are what the test is about."""
        self.provoked.append(re.compile(pattern))

    def listen(self, page: Page) -> None:
        """Hear what a page complains of."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._hear(f"thrown: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._hear(f"console: {message.text} ({message.location.get('url', '')})")

    def _hear(self, text: str) -> None:
        if "/favicon.ico" in text:  # asked for by the browser itself where a page names no icon
            return
        provoked = any(pattern.search(text) for pattern in self.provoked)
        (self.provoked_heard if provoked else self.heard).append(text)


class Served:
    """A practice on a server of its own, at one address also after a restart."""

    def __init__(self, settings: Settings, clock: FixedClock) -> None:
        self.settings, self.clock = settings, clock
        self._address = taken_address(None)
        self.url = f"http://{HOST}:{self._address.getsockname()[1]}"
        self._running = ExitStack()

    def start(self) -> None:
        """Serve; the address is the same each time."""
        # the server closes what it was given, and the address must stay ours
        self._running.enter_context(serving(self.settings, self._address.dup(), self.clock))

    def stop(self) -> None:
        """End the server as an orderly stop does."""
        self._running.close()

    def restart(self) -> None:
        """Stop and start, as at an upgrade."""
        self.stop()
        self.start()

    def end(self) -> None:
        """Stop and give the address back."""
        self.stop()
        self._address.close()


def no_violations(page: Page) -> None:
    """The page as it stands breaks no rule of WCAG 2.2 AA that a program can check."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, found.generate_report()
