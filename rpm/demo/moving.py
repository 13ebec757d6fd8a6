"""What a served demo hands its application, so that a page can move the clock.

Owns the hand-over. Does not own the page (``rpm.web.pages.demo_clock``) nor the story (``play``).
"""

from datetime import date, datetime

from rpm.demo.play import Demo, play
from rpm.demo.practice import LAST_DAY
from rpm.demo.sign_ins import give_sign_ins
from rpm.web.pages.demo_clock import MoveDemo
from rpm.web.pages.long_work import Progress


def moving(demo: Demo, url: str) -> MoveDemo:
    """Plays the demo's story on through the service at the URL."""

    def on(day: date, tell: Progress) -> list[str]:
        def shown(_now: datetime, done: int, due: int) -> None:
            tell(done, due)

        unexpected = play(demo, url, day, shown)
        give_sign_ins(demo)
        return unexpected

    return MoveDemo(LAST_DAY, on)
