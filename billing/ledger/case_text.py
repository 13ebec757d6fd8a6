"""Text of one case: each column's small grammar and its closed word lists.

Owns reading a row into CaseFacts. A value outside the lists is an error of the file, never
ignored (CaseError names the case and the column).
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

from billing.ledger.case_facts import CaseFacts, DeviceUse, TimeEntry
from billing.ledger.facts import END_REASONS, KINDS, ROLES, SETTINGS, WORK
from billing.rules.book import RuleBook
from billing.rules.profile import Anchor, Profile, SupplyServiceDay

LocalDay = Callable[[datetime, str], date]
"""The local date of an aware instant in an IANA zone."""

SCORED_EDITS = frozenset(
    (
        "E_DAYS_BELOW_MIN",
        "E_PERIOD_OPEN",
        "E_TIME_BELOW_MIN",
        "E_NO_INTERACTIVE",
        "E_NO_CONSENT",
        "E_NOT_ESTABLISHED",
        "E_NO_ORDER",
        "E_DEVICE_NOT_QUALIFIED",
        "E_CODE_NOT_EFFECTIVE",
        "E_OTHER_PRACTITIONER_30D",
        "E_RTM_SAME_PERIOD",
        "E_CGM_SAME_PERIOD",
        "E_PAYER_NOT_COVERED",
        "E_PAYER_DIFFERENT_CODES",
        "E_PAYER_PA_REQUIRED",
        "E_PAYER_CODE_NOT_ADOPTED",
        "W_PAYER_POLICY_PENDING",
        "W_PAYER_RULE_RECHECK",
        "W_NONAUTO_EXCLUDED",
        "W_STRADDLE_2026",
        "W_LATE_TRANSMISSION",
        "W_CONSENT_LATE",
        "W_WINDOW_OVERLAP_SHIFTED",
        "W_REENROL_SETUP_REVIEW",
        "W_MUE_CAP",
        "W_99091_HELD",
        "W_TIME_OVERLAP_DEDUPED",
        "W_TIME_OTHER_PROGRAM",
        "W_EM_DAY_TIME_EXCLUDED",
        "W_NONCLINICAL_EXCLUDED",
        "I_SETUP_WAITING",
        "I_CONSIDER_SMBP",
        "I_RHC_NATIONAL_NONFAC_RATE",
        "I_RHC_BUNDLED",
        "W_GLOBAL_PERIOD_REVIEW",
        "W_POS_FACILITY_NA",
    )
)
"""Findings of the case format (rpm-rules section 15); others are shown elsewhere, not scored."""

_ESTABLISHED = {"Y": True, "N": False, "PHE": True}  # R-ELIG-01b
_SUPPLY_DAYS = {word.value.replace("-", "_"): word for word in SupplyServiceDay}
_ANCHORS = {"first_reading": Anchor.FIRST_READING, "ngs": Anchor.PREVIOUS_SERVICE_DAY}
_DURATION = re.compile(r"(\d+):([0-5]\d)")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d)(?:/(\d+))?)?(?:\*(\d+))?")


class CaseError(ValueError):
    """A case that cannot be read: names the case, the column and what is wrong with it."""

    def __init__(self, case_id: str, column: str, problem: str) -> None:
        super().__init__(f"{case_id}: {column}: {problem}")


class _Row:
    """One row, read column by column; every error names its case and column."""

    def __init__(self, row: dict[str, str]) -> None:
        self._row = row
        self._case_id = row["case_id"]

    def text(self, column: str) -> str:
        return self._row[column].strip()

    def items(self, column: str) -> list[str]:
        return [item.strip() for item in self.text(column).split(";") if item.strip()]

    def refuse(self, column: str, problem: str) -> CaseError:
        return CaseError(self._case_id, column, problem)

    def word(self, column: str, value: str, allowed: "tuple[str, ...] | frozenset[str]") -> str:
        if value not in allowed:
            raise self.refuse(column, f"{value!r} is not one of {', '.join(sorted(allowed))}")
        return value

    def day(self, column: str, value: str) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise self.refuse(column, f"{value!r} is not a date YYYY-MM-DD") from None

    def optional_day(self, column: str) -> date | None:
        value = self.text(column)
        return self.day(column, value) if value else None


def read_case(row: dict[str, str], book: RuleBook, local_day: LocalDay) -> CaseFacts:
    """The facts a row tells; CaseError for a value outside the format."""
    read = _Row(row)
    scope = read.word("scope", read.text("scope"), ("device", "time", "both"))
    flags = _flags(read)
    episode_end = read.optional_day("episode_end")
    if (episode_end is None) != (not read.text("end_reason")):
        raise read.refuse("end_reason", "stands exactly where episode_end does")
    if "reenrol" in flags and episode_end is None:
        raise read.refuse("flags", "reenrol needs an episode_end")
    return CaseFacts(
        payer=read.word("payer", read.text("payer"), book.payers),
        setting=read.word("setting", read.text("setting"), SETTINGS),
        profile=_profile(read, book),
        setup_on=read.day("setup_on", read.text("setup_on")),
        setup_billed=read.word("setup_billed", read.text("setup_billed"), ("Y", "N")) == "Y",
        consent_on=read.optional_day("consent_on"),
        established=_ESTABLISHED[
            read.word("established", read.text("established"), tuple(_ESTABLISHED))
        ],
        ordered=flags.get("order") != "N",
        authorized=flags.get("prior_auth") != "N",
        covid="covid" in flags,
        episode_end=episode_end,
        end_reason=read.word("end_reason", read.text("end_reason"), END_REASONS),
        reenrolled_on=read.day("flags", flags["reenrol"]) if "reenrol" in flags else None,
        reorder="reorder" in flags,
        as_of=read.day("as_of", read.text("as_of")),
        uses=() if scope == "time" else tuple(_uses(read, local_day)),
        entries=() if scope == "device" else tuple(_time_log(read, flags.get("contact"))),
        services=tuple(_services(read)),
        visits=tuple(read.day("flags", day) for day in flags.get("em", "").split() if day),
    )


_FLAG_VALUES: dict[str, tuple[str, ...] | None] = {
    "order": ("N",),
    "prior_auth": ("N",),
    "contact": ("patient", "caregiver", "voicemail"),
    "em": None,
    "reenrol": None,
    "dx": None,
}
_BARE_FLAGS = ("covid", "reorder")


def _flags(read: _Row) -> dict[str, str]:
    flags: dict[str, str] = {}
    for item in read.items("flags"):
        name, given, value = item.partition("=")
        if not given:
            flags[read.word("flags", name, _BARE_FLAGS)] = ""
            continue
        read.word("flags", name, tuple(_FLAG_VALUES))
        allowed = _FLAG_VALUES[name]
        if allowed is not None:
            read.word("flags", value, allowed)
        if name == "em" and name in flags:
            value = f"{flags[name]} {value}"
        flags[name] = value
    return flags


def _profile(read: _Row, book: RuleBook) -> Profile:
    """``P0`` or another shipped profile, with single choices replaced by ``+key=value``."""
    name, *choices = read.text("policy").split("+")
    if name not in book.profiles:
        raise read.refuse("policy", f"{name!r} is not a profile")
    base = book.profile(name)
    anchor, supply_day = base.anchor, base.supply_service_day
    for choice in choices:
        key, _, value = choice.partition("=")
        read.word("policy", key, ("device_dos", "anchor"))
        if key == "anchor":
            anchor = _ANCHORS[read.word("policy", value, tuple(_ANCHORS))]
        else:
            supply_day = _SUPPLY_DAYS[read.word("policy", value, tuple(_SUPPLY_DAYS))]
    return Profile(
        read.text("policy"), anchor, supply_day, base.em_day_exclusion, base.mue_cap, base.status
    )


def _uses(read: _Row, local_day: LocalDay) -> list[DeviceUse]:
    devices = {}
    for item in read.items("devices"):
        parts = item.split(":")
        if len(parts) != 4:
            raise read.refuse("devices", f"{item!r} is not id:kind:fda:auto")
        name, kind, fda, upload = parts
        read.word("devices", kind, KINDS)
        read.word("devices", fda, ("fda", "nonfda"))
        read.word("devices", upload, ("auto", "manual"))
        devices[name] = (kind, fda == "fda", upload == "auto")
    uses = []
    for item in read.items("readings"):
        name, _, what = item.partition(":")
        if name not in devices:
            raise read.refuse("readings", f"{name!r} is not one of the devices")
        kind, qualifies, automatic = devices[name]
        days, manual, uploaded_on = _reading_days(read, what, local_day)
        uses += [
            DeviceUse(day, kind, qualifies, automatic and not manual, uploaded_on) for day in days
        ]
    return uses


def _reading_days(
    read: _Row, what: str, local_day: LocalDay
) -> tuple[list[date], bool, date | None]:
    """Local days of one readings item, whether they were keyed by hand, and a late upload day."""
    span, *suffixes = what.split("~")
    manual, uploaded_on = False, None
    for suffix in suffixes:
        name, _, value = suffix.partition("=")
        read.word("readings", name, ("manual", "dup", "late"))
        manual = manual or name == "manual"
        if name == "late":
            uploaded_on = read.day("readings", value)
    if span.startswith("@"):
        return [local_day(_instant(read, span[1:]), read.text("tz"))], manual, uploaded_on
    match = _SPAN.fullmatch(span)
    if match is None:
        raise read.refuse("readings", f"{what!r} is not a date, a span or an instant")
    first = read.day("readings", match[1])
    last = read.day("readings", match[2]) if match[2] else first
    step = int(match[3] or 1)
    if last < first or step < 1 or match[4] == "0":
        raise read.refuse("readings", f"{what!r} names no day")
    return (
        [first + timedelta(days=n) for n in range(0, (last - first).days + 1, step)],
        manual,
        uploaded_on,
    )


def _instant(read: _Row, value: str) -> datetime:
    if not value.endswith("Z"):
        raise read.refuse("readings", f"{value!r} is not an instant in UTC, ending in Z")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise read.refuse("readings", f"{value!r} is not an ISO instant") from None


def _time_log(read: _Row, contact: str | None) -> list[TimeEntry]:
    entries = []
    for item in read.items("time_log"):
        parts = [part.strip() for part in item.split("|")]
        if len(parts) not in (6, 7):
            raise read.refuse("time_log", f"{item!r} has not six or seven fields")
        day, actor, role, work, length, mode = parts[:6]
        read.word("time_log", mode, ("live", "async", "text"))
        duration = _DURATION.fullmatch(length)
        if duration is None:
            raise read.refuse("time_log", f"{length!r} is not mm:ss")
        entries.append(
            TimeEntry(
                day=read.day("time_log", day),
                actor=actor.rpartition(":")[2],
                role=read.word("time_log", role, ROLES),
                work=read.word("time_log", work, WORK),
                mode="voicemail" if contact == "voicemail" and mode == "live" else mode,
                start_second=_start_second(read, parts[6]) if len(parts) == 7 else None,
                seconds=int(duration[1]) * 60 + int(duration[2]),
            )
        )
    return entries


def _start_second(read: _Row, value: str) -> int:
    match = _CLOCK.fullmatch(value)
    if match is None:
        raise read.refuse("time_log", f"{value!r} is not HH:MM:SS")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])


def _services(read: _Row) -> list[tuple[str, date, bool]]:
    services = []
    for item in read.items("other_services"):
        parts = item.split("|")
        if len(parts) != 3:
            raise read.refuse("other_services", f"{item!r} is not code|date|who")
        code, day, who = parts
        own = read.word("other_services", who, ("A", "B")) == "A"
        services.append((code, read.day("other_services", day), own))
    return services
