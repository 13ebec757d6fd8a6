"""ImportProfile: which column of a file is what, read from a TOML page.

Owns the shape of a page, its refusals and the options a person adds on the command line
(``{name}`` in a page). Does not own reading files (``rows``) nor the fields of each kind
(``fields``).
"""

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from rpm.imports.fields import FIELDS
from rpm.imports.refusals import ProfileError

KindOfFile = Literal["patients", "coverages", "episodes", "readings", "entries", "services"]
Format = Literal["csv", "xlsx", "json", "jsonl"]
TimeForm = Literal["text", "epoch-seconds", "epoch-milliseconds", "epoch-seconds-wall"]

_OPTION = re.compile(r"\{([a-z_]+)\}")
_SHIPPED = re.compile(r"[a-z0-9-]+")


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Header(_Page):
    """Where the column names stand: a row number, or the first row that holds these names."""

    row: int | None = None
    contains: list[str] = []

    @model_validator(mode="after")
    def _one_rule(self) -> "Header":
        if (self.row is None) == (not self.contains):
            raise ValueError("say either row or contains")
        if self.row is not None and self.row < 1:
            raise ValueError("rows count from 1")
        return self


class Keep(_Page):
    """A row is read only if this column holds one of these texts, or none of those."""

    column: str
    one_of: list[str] = []
    none_of: list[str] = []

    @model_validator(mode="after")
    def _one_rule(self) -> "Keep":
        if bool(self.one_of) == bool(self.none_of):
            raise ValueError("say either one_of or none_of")
        return self

    def holds(self, text: str) -> bool:
        """Whether a row with this text in the column is read."""
        return text in self.one_of if self.one_of else text not in self.none_of


class Value(_Page):
    """A column with a number, and its unit: fixed, or from a column."""

    column: str
    unit: str | None = None
    unit_column: str | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> "Value":
        if (self.unit is None) == (self.unit_column is None):
            raise ValueError("say either unit or unit_column")
        return self


class Component(_Page):
    """One quantity of a reading: the first of these columns that is not empty.

    ``name`` is a quantity of ``devices.kinds``; ``main`` stands for the one a kind requires.
    """

    name: str
    values: list[Value]


class ImportProfile(_Page):
    """One page. ``columns`` maps our field to column names, the first non-empty one wins.

    ``fixed`` stands where no column gives a value, ``words`` translates texts (``unit`` translates
    units), ``optional`` are fields whose columns may be missing, ``no_value`` are texts that mean
    nothing is there. ``zone`` gives the zone of times that carry no offset: ``patient`` (unless
    said otherwise for readings), ``practice`` (for entries) or an IANA name. ``rows`` leads to the
    list of rows inside a JSON file. ``account`` keeps reading ids of different accounts of a vendor
    apart.
    """

    title: str
    kind: KindOfFile
    format: Format
    header: Header = Header(row=1)
    encoding: Literal["utf-8", "utf-16", "cp1252"] = "utf-8"
    delimiter: Literal[",", ";", "\t"] = ","
    sheet: str | None = None
    rows: str = ""
    date_order: str | None = None
    time: TimeForm = "text"
    zone: str | None = None
    vendor: str = "file"
    account: str = ""
    no_value: list[str] = []
    optional: list[str] = []
    columns: dict[str, list[str]] = {}
    fixed: dict[str, str] = {}
    words: dict[str, dict[str, str]] = {}
    keep: list[Keep] = []
    component: list[Component] = []

    @property
    def fields(self) -> frozenset[str]:
        """The fields of our own that this page gives."""
        return frozenset(self.columns) | frozenset(self.fixed)

    def options(self) -> frozenset[str]:
        """Names of the options (``{name}``) that a person must give."""
        return frozenset(_OPTION.findall(self.model_dump_json()))

    def with_options(self, given: Mapping[str, str]) -> "ImportProfile":
        """The page with every ``{name}`` filled in; ProfileError for one missing or unknown."""
        wanted = self.options()
        if missing := sorted(wanted - given.keys()):
            raise ProfileError(self.title, f"needs the options {', '.join(missing)}")
        if unknown := sorted(given.keys() - wanted):
            raise ProfileError(self.title, f"has no options {', '.join(unknown)}")
        return _checked(self.title, _filled(self.model_dump(exclude_unset=True), given))


def shipped_profiles() -> tuple[str, ...]:
    """Names of the profiles that come with the product, sorted."""
    folder = resources.files("rpm.imports") / "profiles"
    return tuple(sorted(page.name[:-5] for page in folder.iterdir() if page.name.endswith(".toml")))


def load_profile(name: str) -> ImportProfile:
    """A shipped profile by name, or a page of the practice by path (it ends in ``.toml``)."""
    if name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ProfileError(name, "cannot be read as a text file") from None
        return read_profile(text, name)
    if not _SHIPPED.fullmatch(name) or name not in shipped_profiles():
        raise ProfileError(name, f"is not one of {', '.join(shipped_profiles())}")
    page = resources.files("rpm.imports") / "profiles" / f"{name}.toml"
    return read_profile(page.read_text(encoding="utf-8"), name)


def read_profile(text: str, name: str) -> ImportProfile:
    """A profile from the text of its page; ProfileError with the place and the reason."""
    try:
        page = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(name, str(error)) from None
    return _checked(name, page)


def _checked(name: str, page: dict[str, Any]) -> ImportProfile:
    columns = page.get("columns")
    if isinstance(columns, dict):
        page = page | {
            "columns": {
                field: [given] if isinstance(given, str) else given
                for field, given in columns.items()
            }
        }
    try:
        profile = ImportProfile.model_validate(page)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "page"
        raise ProfileError(name, f"{place}: {first['msg']}") from None
    for problem in (_wrong_fields(profile), _wrong_times(profile), _wrong_components(profile)):
        if problem:
            raise ProfileError(name, problem)
    return profile


def _wrong_fields(profile: ImportProfile) -> str | None:
    known = FIELDS[profile.kind]
    if unknown := sorted(profile.fields - known.keys()):
        return f"{profile.kind} have no field {', '.join(unknown)}"
    required = {field for field, rule in known.items() if rule.required}
    if missing := sorted(required - profile.fields):
        return f"nothing gives {', '.join(missing)}"
    stray = (set(profile.words) - profile.fields - {"unit"}) | (
        set(profile.optional) - profile.fields
    )
    return f"words or optional name what no column gives: {sorted(stray)}" if stray else None


def _wrong_times(profile: ImportProfile) -> str | None:
    dated = {field for field, rule in FIELDS[profile.kind].items() if rule.dated}
    order = profile.date_order
    if profile.time == "text" and dated & profile.fields:
        if order is None:
            return "date_order is missing (MDY, DMY or YMD): it is never guessed"
        if order not in ("MDY", "DMY", "YMD") and not _OPTION.fullmatch(order):
            return "date_order is not MDY, DMY or YMD"
    if profile.zone == "patient" and profile.kind != "readings":
        return "zone is the patient's only for readings"
    if profile.zone in (None, "patient", "practice") or _OPTION.fullmatch(profile.zone):
        return None
    try:
        ZoneInfo(profile.zone)
    except (KeyError, ValueError, OSError):
        return "zone is not patient, practice or the name of a zone"
    return None


def _wrong_components(profile: ImportProfile) -> str | None:
    if profile.kind == "readings":
        return None if profile.component else "readings need at least one component"
    readings_only = profile.component or profile.time != "text"
    return "component and time belong to readings" if readings_only else None


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _OPTION.sub(lambda found: given[found[1]], value)
    if isinstance(value, list):
        return [_filled(part, given) for part in value]
    if isinstance(value, dict):
        return {key: _filled(part, given) for key, part in value.items()}
    return value
