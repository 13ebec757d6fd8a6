"""Facts of one case: the story's words turned into the frames that the calculation reads.

Owns how a story's second episode, late uploads and midnight are understood. Does not own the text
format (``cases``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from billing.days import FAR_DAY, NO_DAY, day_number
from billing.ledger.facts import (
    COVERAGE_COLUMNS,
    DEVICE_DAY_COLUMNS,
    END_REASONS,
    ENTRY_COLUMNS,
    EPISODE_COLUMNS,
    GATE_COLUMNS,
    GATES,
    KINDS,
    MODES,
    OTHER_COLUMNS,
    REFUSED,
    ROLES,
    SETTINGS,
    WORK,
    Facts,
    frame,
)
from billing.rules.profile import Profile

_SECONDS_A_DAY = 86_400
Rows = dict[str, list[int]]


@dataclass(frozen=True)
class DeviceUse:
    """Readings of one device on one local day."""

    day: date
    kind: str
    qualifies: bool  # meets FDCA 201(h)
    automatic: bool
    uploaded_on: date | None


@dataclass(frozen=True)
class TimeEntry:
    """One line of a story's time log; ``start_second`` is None when only a length is told."""

    day: date
    actor: str
    role: str
    work: str
    mode: str
    start_second: int | None
    seconds: int


@dataclass(frozen=True)
class CaseFacts:
    """A story as read: one patient, one or two episodes."""

    payer: str
    setting: str
    profile: Profile
    setup_on: date
    setup_billed: bool
    consent_on: date | None
    established: bool
    ordered: bool
    authorized: bool
    covid: bool
    episode_end: date | None
    end_reason: str
    reenrolled_on: date | None
    reorder: bool
    as_of: date
    uses: tuple[DeviceUse, ...] = ()
    entries: tuple[TimeEntry, ...] = ()
    services: tuple[tuple[str, date, bool], ...] = ()  # code, day, ours
    visits: tuple[date, ...] = field(default=())  # days of an E/M visit by the log's practitioners


def facts_of_case(case: CaseFacts) -> Facts:
    """The frames of one story, as they were known on its ``as_of``."""
    codes = sorted({code for code, _, _ in case.services} | ({"EM"} if case.visits else set()))
    actors = sorted({entry.actor for entry in case.entries})
    return Facts(
        episodes=frame(EPISODE_COLUMNS, _episodes(case)),
        device_days=frame(DEVICE_DAY_COLUMNS, _device_days(case)),
        entries=frame(ENTRY_COLUMNS, _entries(case, actors)),
        gates=frame(GATE_COLUMNS, _gates(case)),
        coverages=frame(
            COVERAGE_COLUMNS,
            {"patient": [0], "payer": [0], "from_day": [NO_DAY], "to_day": [FAR_DAY]},
        ),
        others=frame(OTHER_COLUMNS, _others(case, codes, actors)),
        payers=(case.payer,),
        profiles=(case.profile,),
        codes=tuple(codes),
    )


def _blank(columns: Mapping[str, type]) -> Rows:
    return {name: [] for name in columns}


def _put(rows: Rows, **values: int) -> None:
    for name, value in values.items():
        rows[name].append(value)


def _episodes(case: CaseFacts) -> Rows:
    rows = _blank(EPISODE_COLUMNS)
    common = {
        "patient": 0,
        "program": 0,
        "setting": SETTINGS.index(case.setting),
        "pos": 11,
        "profile": 0,
    }
    closed = FAR_DAY if case.episode_end is None else day_number(case.episode_end)
    _put(
        rows,
        episode=0,
        setup_day=day_number(case.setup_on),
        opened_day=day_number(case.setup_on),
        closed_day=closed,
        end_reason=END_REASONS.index(case.end_reason),
        setup_billed=case.setup_billed,
        previous=-1,
        reorder=False,
        **common,
    )
    if case.reenrolled_on is not None:
        again = day_number(case.reenrolled_on)
        _put(
            rows,
            episode=1,
            setup_day=again if case.reorder else day_number(case.setup_on),
            opened_day=again,
            closed_day=FAR_DAY,
            end_reason=0,
            setup_billed=False,
            previous=0,
            reorder=case.reorder,
            **common,
        )
    return rows


def _episode_of(case: CaseFacts, day: date) -> int:
    return int(case.reenrolled_on is not None and day >= case.reenrolled_on)


def _gates(case: CaseFacts) -> Rows:
    rows = _blank(GATE_COLUMNS)

    def hold(episode: int, gate: str, from_day: int) -> None:
        _put(rows, episode=episode, gate=GATES.index(gate), from_day=from_day, to_day=FAR_DAY)

    for episode in range(1 if case.reenrolled_on is None else 2):
        consented = case.reenrolled_on if episode else case.consent_on
        if consented is not None:
            hold(episode, "consent", day_number(consented))
        for gate, on_file in (
            ("order", case.ordered),
            ("established", case.established),
            ("prior-auth", case.authorized),
            ("covid", case.covid),
        ):
            if on_file:
                hold(episode, gate, NO_DAY)
    return rows


def _device_days(case: CaseFacts) -> Rows:
    rows = _blank(DEVICE_DAY_COLUMNS)
    for use in case.uses:
        uploaded = use.day if use.uploaded_on is None else use.uploaded_on
        if uploaded > case.as_of:
            continue
        reasons = [
            word
            for word, refused in (
                ("device_not_qualified", not use.qualifies),
                ("manual_entry", not use.automatic),
            )
            if refused
        ]
        for reason in reasons or [""]:
            _put(
                rows,
                episode=_episode_of(case, use.day),
                day=day_number(use.day),
                kind=KINDS.index(use.kind),
                qualifying_count=int(not reason),
                refused_count=int(bool(reason)),
                refused_reason=REFUSED.index(reason),
                first_received_day=day_number(uploaded),
            )
    return rows


def _entries(case: CaseFacts, actors: list[str]) -> Rows:
    rows = _blank(ENTRY_COLUMNS)
    for number, entry in enumerate(case.entries):
        for day, start, seconds in _by_midnight(entry):
            _put(
                rows,
                entry=number,
                reverses=-1,
                episode=_episode_of(case, entry.day),
                patient=0,
                actor=actors.index(entry.actor),
                role=ROLES.index(entry.role),
                work=WORK.index(entry.work),
                mode=MODES.index(entry.mode),
                day=day,
                start_second=start,
                seconds=seconds,
                shared=False,
            )
    return rows


def _by_midnight(entry: TimeEntry) -> list[tuple[int, int, int]]:
    """(day, start second or -1, seconds); one with a start is split at midnight (R-TIME-11)."""
    day = day_number(entry.day)
    if entry.start_second is None:
        return [(day, -1, entry.seconds)]
    pieces = []
    start, left = entry.start_second, entry.seconds
    while left > 0:
        here = min(left, _SECONDS_A_DAY - start)
        pieces.append((day, start, here))
        day, start, left = day + 1, 0, left - here
    return pieces


def _others(case: CaseFacts, codes: list[str], actors: list[str]) -> Rows:
    rows = _blank(OTHER_COLUMNS)
    for code, day, own in case.services:
        _put(
            rows,
            patient=0,
            code=codes.index(code),
            service_day=day_number(day),
            own=own,
            actor=-1,
        )
    practitioners = sorted({entry.actor for entry in case.entries if entry.role == "qhp"})
    for day in case.visits:
        for actor in practitioners:
            _put(
                rows,
                patient=0,
                code=codes.index("EM"),
                service_day=day_number(day),
                own=True,
                actor=actors.index(actor),
            )
    return rows
