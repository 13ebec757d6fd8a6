"""Random patient stories, hostile ones among them: the same seed tells the same story.

Owns what a story may contain. Does not own what follows from it.
"""

from datetime import date, timedelta
from random import Random

from billing.ledger.case_facts import CaseFacts, DeviceUse, TimeEntry
from billing.rules.profile import Anchor, Profile, SupplyServiceDay

DAY = timedelta(days=1)
PAYERS = (
    *("MEDICARE_B",) * 12,
    "MA_UNITEDHEALTHCARE",
    "COM_UNITEDHEALTHCARE",
    "MCD_UNITEDHEALTHCARE",
    "MA_GENERIC",
    "MCD_FL",
    "MCD_NY",
    "MCD_NY",
    "MCD_TX",
    "MCD_CA",
    "MCD_NC",
    "COM_BCBS_MS",
    "COM_CIGNA",
    "COM_ANTHEM",
    "COM_AETNA",
    "COM_GENERIC",
    "COM_GENERIC_PRE2026_CODESET",
)
ERAS = (
    (date(2019, 8, 20), 120),  # the add-on code begins in 2020
    (date(2020, 1, 20), 60),  # the emergency begins on 2020-03-01
    (date(2023, 3, 10), 80),  # and ends on 2023-05-11
    (date(2023, 10, 20), 100),  # rural clinics bundle from 2024
    (date(2024, 10, 20), 100),  # and report the codes themselves from 2025
    (date(2025, 10, 20), 80),  # the codes of 2026
    (date(2026, 1, 1), 200),
)
KINDS = ("bp",) * 3 + ("glucose",) * 6 + ("scale", "pulseox", "thermometer", "spirometer")
PEOPLE = (
    ("li", "qhp"),
    ("ko", "qhp"),
    ("ana", "rn"),
    ("bea", "lpn"),
    ("cy", "ma"),
    ("di", "admin"),
)
WORK = (*("RPM",) * 9, "CCM", "EM", "PCM", "TCM", "BHI", "APCM", "RTM")
MODES = ("live", "live", "async", "text", "voicemail")
LENGTHS_SECONDS = (1, 299, 599, 600, 601, 900, 1199, 1200, 1201, 1800, 2399, 2400, 4799, 4800, 6000)
SERVICE_CODES = (
    *("99453", "99454", "99445", "99457", "99458", "99470", "99091"),
    *("98975", "98976", "98977", "98979", "98980", "98981", "98984", "98985"),
    *("95249", "95250", "95251", "95250", "99091", "99091", "99490", "99214", "99473"),
)
MANY_DAYS_LATER = date(2027, 6, 1)


def random_story(seed: int) -> CaseFacts:
    """One patient's story."""
    draw = Random(seed)
    first_day, spread = draw.choice(ERAS)
    setup_on = first_day + draw.randrange(spread) * DAY
    episode_end, end_reason = _end(draw, setup_on)
    reenrolled_on = None
    if end_reason not in ("", "death") and episode_end is not None and draw.random() < 0.5:
        reenrolled_on = episode_end + draw.randint(1, 45) * DAY
    payer = draw.choice(PAYERS)
    entries = tuple(_entry(draw, setup_on, episode_end) for _ in range(draw.randrange(9)))
    return CaseFacts(
        payer=payer,
        setting="OFFICE" if payer == "MCD_TX" else draw.choice(("OFFICE",) * 5 + ("RHC", "FQHC")),
        profile=Profile(
            "random",
            draw.choice((Anchor.FIRST_READING, Anchor.FIRST_READING, Anchor.PREVIOUS_SERVICE_DAY)),
            draw.choice(tuple(SupplyServiceDay)),
        ),
        setup_on=setup_on,
        setup_billed=draw.random() < 0.4,
        consent_on=_consent(draw, setup_on),
        established=draw.random() < 0.9,
        ordered=draw.random() < 0.96,
        authorized=draw.random() < 0.8,
        covid=draw.random() < 0.25,
        episode_end=episode_end,
        end_reason=end_reason,
        reenrolled_on=reenrolled_on,
        reorder=reenrolled_on is not None and draw.random() < 0.5,
        as_of=_as_of(draw, setup_on),
        uses=tuple(_uses(draw, setup_on)),
        entries=entries,
        services=tuple(_service(draw, setup_on) for _ in range(draw.choice((0, 0, 0, 1, 1, 2)))),
        visits=_visits(draw, entries),
    )


def _end(draw: Random, setup_on: date) -> tuple[date | None, str]:
    if draw.random() < 0.6:
        return None, ""
    reason = draw.choice(("goals_met", "program_discharge", "patient_request", "death"))
    return setup_on + draw.randrange(75) * DAY, reason


def _consent(draw: Random, setup_on: date) -> date | None:
    shape = draw.random()
    if shape < 0.05:
        return None
    if shape < 0.75:
        return setup_on
    return setup_on + draw.randint(-10, 25) * DAY


def _as_of(draw: Random, setup_on: date) -> date:
    as_of = setup_on + draw.randrange(110) * DAY
    is_near = draw.random() < 0.4
    # the rules of these years became known on their first day: a December before it still has the
    # rules of its own year for a window that ends in January
    is_before_new_rules = as_of.month > 10 and as_of.year in (2019, 2021, 2023, 2024)
    return as_of if is_near and not is_before_new_rules else MANY_DAYS_LATER


def _uses(draw: Random, setup_on: date) -> list[DeviceUse]:
    uses: list[DeviceUse] = []
    for _ in range(draw.choice((0, 1, 1, 2, 2, 3, 4))):
        kind, qualifies = draw.choice(KINDS), draw.random() < 0.93
        automatic = draw.random() < 0.85
        start = setup_on + draw.randint(-4, 80) * DAY
        if draw.random() < 0.5:
            start = setup_on + draw.choice((0, 0, 1, 2, 29, 30, 31)) * DAY
        length, step = draw.choice((1, 2, 3, 9, 15, 16, 17, 30, 45)), draw.choice((1, 1, 1, 2, 3))
        days = [start + n * DAY for n in range(0, length, step)]
        late = draw.random() < 0.15
        arrived = days[-1] + draw.randrange(45) * DAY if late else None
        uses += [DeviceUse(day, kind, qualifies, automatic, arrived) for day in days]
        if draw.random() < 0.2:
            uses += [DeviceUse(day, kind, qualifies, automatic, None) for day in days[:3]]
    draw.shuffle(uses)
    return uses


def _entry(draw: Random, setup_on: date, last_day: date | None) -> TimeEntry:
    actor, role = draw.choice(PEOPLE)
    day = setup_on + draw.choice((draw.randint(-6, 90), 10, 11, 11)) * DAY
    if draw.random() < 0.15:
        day = (setup_on.replace(day=1) + 62 * DAY).replace(day=1) - DAY
    if last_day is not None and draw.random() < 0.3:
        day = last_day
    start = draw.choice(
        (None, 32_400 + draw.randrange(1200), 36_000, 85_000 + draw.randrange(1400))
    )
    seconds = draw.choice((draw.choice(LENGTHS_SECONDS), draw.randrange(1, 2000)))
    if draw.random() < 0.03:
        seconds = draw.randrange(1, 86_401)
    return TimeEntry(day, actor, role, draw.choice(WORK), draw.choice(MODES), start, seconds)


def _service(draw: Random, setup_on: date) -> tuple[str, date, bool]:
    return (
        draw.choice(SERVICE_CODES),
        setup_on + draw.randint(-25, 95) * DAY,
        draw.random() < 0.5,
    )


def _visits(draw: Random, entries: tuple[TimeEntry, ...]) -> tuple[date, ...]:
    days = [entry.day for entry in entries]
    return (draw.choice(days),) if days and draw.random() < 0.15 else ()
