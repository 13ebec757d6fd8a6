"""The shipped rules hold the numbers of the reference, copied here by hand as rows."""

import re
from csv import DictReader
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

import billing.ledger
from billing.days import day_number
from billing.rules.book import shipped_book
from billing.rules.references import shipped_references
from billing.rules.ruleset import STATUSES, Ladder, RuleSet
from billing.rules.text import sources_of

NOW = day_number(date(2026, 11, 23))

CODES = """\
code,payable_from,max_units,mai,addon_to
99453,2019-01-01,1,2,
99454,2019-01-01,1,2,
99445,2026-01-01,,,
99457,2019-01-01,1,2,
99458,2020-01-01,3,3,99457
99470,2026-01-01,,,
99091,2018-01-01,1,2,
98975,2022-01-01,1,2,
98976,2022-01-01,1,2,
98977,2022-01-01,1,2,
98978,2023-01-01,1,2,
98984,2026-01-01,,,
98985,2026-01-01,,,
98986,2026-01-01,,,
98979,2026-01-01,,,
98980,2022-01-01,1,2,
98981,2022-01-01,3,3,98980
99473,2020-01-01,1,2,
99474,2020-01-01,1,2,
99490,,1,2,
99439,,2,2,99490
99491,,1,2,
99437,,2,3,99491
99487,,1,2,
99489,,10,3,99487
99424,,1,2,
99425,,2,3,99424
99426,,1,2,
99427,,2,3,99426
99484,,1,2,
99495,,1,2,
99496,,1,2,
G0506,,1,2,
G0556,2025-01-01,,,
G0557,2025-01-01,,,
G0558,2025-01-01,,,
G0568,2026-01-01,,,
G0569,2026-01-01,,,
G0570,2026-01-01,,,
G0511,2024-01-01,8,3,
G2211,2024-01-01,,,
95249,,1,2,
95250,,1,2,
95251,,1,2,
"""

LADDERS = """\
payer,day,ladder,at_least,at_most,lines
MEDICARE_B,2019-06-01,setup,16,,99453
MEDICARE_B,2019-06-01,device-supply,16,30,99454
MEDICARE_B,2019-06-01,management,1200,,99457 99458/1200
MEDICARE_B,2019-06-01,practitioner-review,1800,,99091
MEDICARE_B,2025-06-01,setup,16,,99453
MEDICARE_B,2025-06-01,device-supply,16,30,99454
MEDICARE_B,2025-06-01,management,1200,,99457 99458/1200
MEDICARE_B,2025-06-01,practitioner-review,1800,,99091
MEDICARE_B,2025-06-01,rtm-setup,16,,98975
MEDICARE_B,2025-06-01,rtm-supply-respiratory,16,30,98976
MEDICARE_B,2025-06-01,rtm-supply-musculoskeletal,16,30,98977
MEDICARE_B,2025-06-01,rtm-supply-cbt,16,30,98978
MEDICARE_B,2025-06-01,rtm-management,1200,,98980 98981/1200
MEDICARE_B,2026-06-01,setup,2,,99453
MEDICARE_B,2026-06-01,device-supply,2,15,99445
MEDICARE_B,2026-06-01,device-supply,16,30,99454
MEDICARE_B,2026-06-01,management,600,1199,99470
MEDICARE_B,2026-06-01,management,1200,,99457 99458/1200
MEDICARE_B,2026-06-01,practitioner-review,1800,,99091
MEDICARE_B,2026-06-01,rtm-setup,2,,98975
MEDICARE_B,2026-06-01,rtm-supply-respiratory,2,15,98984
MEDICARE_B,2026-06-01,rtm-supply-respiratory,16,30,98976
MEDICARE_B,2026-06-01,rtm-supply-musculoskeletal,2,15,98985
MEDICARE_B,2026-06-01,rtm-supply-musculoskeletal,16,30,98977
MEDICARE_B,2026-06-01,rtm-supply-cbt,2,15,98986
MEDICARE_B,2026-06-01,rtm-supply-cbt,16,30,98978
MEDICARE_B,2026-06-01,rtm-management,600,1199,98979
MEDICARE_B,2026-06-01,rtm-management,1200,,98980 98981/1200
MCD_NY,2026-06-01,practitioner-review,1800,,99091
"""

REFERENCE_FINDINGS = [
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
]


def page(payer: str, day: str) -> RuleSet:
    """The page in force on a date, as known now."""
    return shipped_book().page(payer, day_number(date.fromisoformat(day)), NOW)


def rows(text: str) -> list[dict[str, str]]:
    """Rows of a table kept in this file."""
    return list(DictReader(StringIO(text)))


def ladder_rows(payer: str, day: str) -> list[tuple[str, str, str, str]]:
    """The bands of a shipped page in the form of the table above."""
    return [
        (
            ladder.name,
            str(band.at_least),
            "" if band.at_most is None else str(band.at_most),
            " ".join(f"{one.code}/{one.every}" if one.every else one.code for one in band.lines),
        )
        for ladder in page(payer, day).ladders
        for band in ladder.bands
    ]


@pytest.mark.parametrize("row", rows(CODES), ids=lambda row: row["code"])
def test_a_code_has_the_days_and_limits_of_the_reference(row):
    """First payable day, unit limit, its indicator and the parent code are as printed."""
    code = page("MEDICARE_B", "2026-06-01").codes[row["code"]]
    assert {
        "code": code.code,
        "payable_from": str(code.payable_from or ""),
        "max_units": str(code.max_units or ""),
        "mai": str(code.mai or ""),
        "addon_to": code.addon_to or "",
    } == row


def test_no_code_is_shipped_that_the_reference_does_not_list():
    """The code table is exactly the one of sections 1 and 2."""
    assert set(shipped_references().codes) == {row["code"] for row in rows(CODES)}


@pytest.mark.parametrize(
    ("payer", "day"), sorted({(row["payer"], row["day"]) for row in rows(LADDERS)})
)
def test_a_page_has_the_thresholds_of_the_reference(payer, day):
    """Every band of the page, and no other, stands in the table with its lines."""
    expected = [
        (row["ladder"], row["at_least"], row["at_most"], row["lines"])
        for row in rows(LADDERS)
        if (row["payer"], row["day"]) == (payer, day)
    ]
    assert ladder_rows(payer, day) == expected


def test_no_page_before_2026_knows_the_short_codes():
    """Ten days or fifteen minutes in 2025 are below the minimum, not a code of a later year."""
    for day in ("2019-06-01", "2021-06-01", "2023-06-01", "2024-06-01", "2025-12-31"):
        earned = " ".join(row[3] for row in ladder_rows("MEDICARE_B", day))
        assert not {"99445", "99470", "98979", "98984", "98985", "98986"} & set(earned.split())


def test_therapeutic_monitoring_begins_in_2022():
    """RTM ladders stand on pages from 2022 on, and count data the patient entered."""
    before, after = page("MEDICARE_B", "2021-12-31"), page("MEDICARE_B", "2022-01-01")
    assert not [one for one in before.ladders if one.name.startswith("rtm")]
    rtm = [one for one in after.ladders if one.name.startswith("rtm")]
    assert len(rtm) == 5
    for one in rtm:
        assert "established" not in one.needs
        assert (one.also_counts == ("manual_entry",)) == (one.role != "management")


def test_the_standing_of_disputed_numbers_is_shown():
    """Set-up in 2026 is a conflict, New York is not verified, the straddle is derived."""
    medicare = page("MEDICARE_B", "2026-06-01")
    setup = next(one for one in medicare.ladders if one.name == "setup")
    assert setup.bands[0].status == "CONFLICT"
    assert page("MCD_NY", "2026-06-01").ladders[0].bands[0].status == "UNVERIFIED"
    assert [(one.status, one.at_least, one.at_most) for one in medicare.boundaries] == [
        ("DERIVED", 2, 15)
    ]


def test_emergency_exceptions_have_the_days_of_the_reference():
    """Two days suffice with COVID-19, and the established rule is waived, for the same days."""
    medicare = page("MEDICARE_B", "2022-06-01")
    relaxation, waiver = medicare.relaxations[0], medicare.waivers[0]
    days = (date(2020, 3, 1), date(2023, 5, 11))
    assert (relaxation.from_day, relaxation.to_day) == days
    assert (relaxation.codes, relaxation.needs, relaxation.at_least) == (
        ("99453", "99454"),
        "covid",
        2,
    )
    assert (waiver.gate, waiver.from_day, waiver.to_day) == ("established", *days)


def test_clinics_are_stopped_bundled_and_priced_by_year():
    """Before 2024 nothing leaves, in 2024 the bundle does, from 2025 the individual codes."""
    stop = page("MEDICARE_B", "2023-12-31").stops[0]
    assert (stop.settings, stop.to_day) == (("RHC", "FQHC"), date(2023, 12, 31))
    bundled = page("MEDICARE_B", "2024-06-01").replacements
    assert [(one.codes, one.by) for one in bundled] == [
        (("99454", "99457"), "G0511"),
        (("99453", "99458"), None),
    ]
    assert {(one.from_day, one.to_day) for one in bundled} == {
        (date(2024, 1, 1), date(2024, 12, 31))
    }
    priced = page("MEDICARE_B", "2026-06-01").notices[-1]
    assert (priced.finding, priced.from_day) == ("I_RHC_NATIONAL_NONFAC_RATE", date(2025, 1, 1))


@pytest.mark.parametrize(
    ("payer", "findings"),
    [
        ("MCD_FL", ["E_PAYER_NOT_COVERED"]),
        ("MCD_TX", ["E_PAYER_DIFFERENT_CODES", "E_PAYER_DIFFERENT_CODES"]),
        ("COM_BCBS_MS", ["E_PAYER_PA_REQUIRED"]),
        ("COM_CIGNA", ["W_PAYER_RULE_RECHECK"]),
        ("COM_ANTHEM", ["W_PAYER_RULE_RECHECK"]),
        ("COM_AETNA", ["W_PAYER_RULE_RECHECK"]),
        ("MCD_CA", ["W_PAYER_RULE_RECHECK"]),
        ("MCD_NC", ["W_PAYER_RULE_RECHECK"]),
        ("MA_UNITEDHEALTHCARE", ["W_PAYER_POLICY_PENDING"]),
        ("COM_UNITEDHEALTHCARE", ["W_PAYER_POLICY_PENDING"]),
        ("MCD_UNITEDHEALTHCARE", ["W_PAYER_POLICY_PENDING"]),
        ("MA_GENERIC", []),
        ("COM_GENERIC", []),
        ("COM_GENERIC_PRE2026_CODESET", []),
    ],
)
def test_a_payer_adds_to_medicare_what_the_reference_says(payer, findings):
    """Beyond the Medicare page a payer has just its own stops and notices."""
    medicare, own = page("MEDICARE_B", "2026-06-01"), page(payer, "2026-06-01")
    added = (*own.stops[len(medicare.stops) :], *own.notices[len(medicare.notices) :])
    assert [one.finding for one in added] == findings
    assert own.ladders == medicare.ladders
    pre_2026 = payer == "COM_GENERIC_PRE2026_CODESET"
    assert own.not_adopted == (("99445", "99470") if pre_2026 else ())


def test_new_york_pays_one_code_by_the_calendar_month():
    """The page stands alone: one ladder, practitioner's minutes, and always its warning."""
    new_york = page("MCD_NY", "2026-06-01")
    (ladder,) = new_york.ladders
    assert (ladder.period, ladder.measure, ladder.work) == (
        "calendar-month",
        "practitioner_seconds",
        ("RPM", "99091"),
    )
    assert [(one.finding, one.always) for one in new_york.notices] == [
        ("W_PAYER_RULE_RECHECK", True)
    ]


def joined_pages() -> list[RuleSet]:
    """Every shipped page, joined, once."""
    book = shipped_book()
    first = day_number(date(2019, 1, 1))
    return [page for payer in book.payers for _, _, page in book.pages_for(payer, first, NOW, NOW)]


def test_every_number_has_a_source_and_a_status():
    """No ladder, band, code, clause or page is without known sources and a known status."""
    known = set(shipped_references().sources)
    for one in joined_pages():
        parts: list[object] = [one, *one.ladders, *one.codes.values(), *one.boundaries]
        parts += [band for ladder in one.ladders for band in ladder.bands]
        parts += [*one.relaxations, *one.waivers, *one.exclusions, *one.stops]
        parts += [*one.notices, *one.replacements]
        for part in parts:
            assert part.status in STATUSES
            assert part.source.ids
        sources = list(sources_of(one))
        assert len(sources) == len(parts)
        assert all(set(source.ids) <= known and source.note for source in sources)


def test_a_derived_code_is_dated():
    """Every code a ladder or a replacement can let leave has a first payable day."""
    for one in joined_pages():
        earned = [line.code for ladder in one.ladders for line in _lines(ladder)]
        earned += [replacement.by for replacement in one.replacements if replacement.by]
        assert all(one.codes[code].payable_from for code in earned)


def _lines(ladder: Ladder):
    return [line for band in ladder.bands for line in band.lines]


def test_every_finding_of_the_reference_has_words():
    """Title, message, fix and who can do it stand for each code of section 15."""
    findings = shipped_references().findings
    assert set(REFERENCE_FINDINGS) <= set(findings)
    for one in findings.values():
        assert all((one.title, one.message, one.fix, one.who))


def test_the_sources_are_those_of_the_reference():
    """All 65 ids, from S01 to S44e, with title, place and day."""
    sources = shipped_references().sources
    assert len(sources) == 65
    assert {"S01", "S12b", "S15b", "S19a", "S31m", "S32t", "S39y", "S40c", "S44e"} <= set(sources)
    assert {one.checked_on for one in sources.values()} == {date(2026, 11, 23)}


def test_every_finding_of_the_calculation_has_words():
    """No code that the ledger's source names is without words for a biller."""
    folder = Path(billing.ledger.__file__).parent
    named = {
        code
        for file in folder.glob("*.py")
        for code in re.findall(r'"([EWI]_[A-Z0-9_]+)"', file.read_text("utf-8"))
    }
    assert named
    assert named <= set(shipped_references().findings)
