"""Templates: where they are, and how instants, days, money and minutes are written.

Owns the environment and its filters. Does not own any template's content. Everything that is put
into a page is escaped; ``Markup`` is for what the server drew itself.
"""

import hashlib
from datetime import date, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from rpm.clock import zone
from rpm.written import dollars, us_day, us_month, with_us_days

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
HTMX_PACKAGE = "django-js-lib-htmx"
_SECONDS_OF_MINUTE = 60


def day(value: date | None) -> Markup:
    """``Nov 24, 2026`` as a time element; a dash for none."""
    if value is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), us_day(value))


def instant(value: datetime | None, zone_name: str) -> Markup:
    """``Nov 24, 2026, 3:05 PM`` by a zone's wall clock, as a time element; a dash for none."""
    if value is None:
        return Markup("–")
    local = value.astimezone(zone(zone_name))
    hour = local.hour % 12 or 12
    half = "AM" if local.hour < 12 else "PM"
    shown = f"{local:%b} {local.day}, {local.year}, {hour}:{local:%M} {half}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), shown)


def minutes(seconds: int) -> str:
    """Whole minutes, downwards: ``18 min``."""
    return f"{seconds // _SECONDS_OF_MINUTE} min"


def clock(seconds: int) -> str:
    """A length to the second: ``12 min 30 s``, ``45 s``; a script writes it alike."""
    whole, rest = divmod(seconds, _SECONDS_OF_MINUTE)
    return f"{whole} min {rest:02d} s" if whole else f"{rest} s"


def words(code: str) -> str:
    """A code of ours as words: ``practice_admin`` becomes ``practice admin``."""
    return code.replace("_", " ").replace(":", " ")


def static(name: str) -> str:
    """Address of a file beside the templates; it changes with the file, so it may be kept long."""
    return f"/static/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    path = STATIC / name
    if not path.is_file():
        return version(HTMX_PACKAGE)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@cache
def environment() -> Environment:
    """The one environment: everything escaped, and a name that is not there is an error."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters.update(money=dollars, day=day, month=us_month, us_days=with_us_days)
    found.filters.update(instant=instant, minutes=minutes, clock=clock, words=words)
    found.globals.update(static=static)
    return found
