"""A rule page is read whole, or refused with file, line and reason."""

import pytest

from billing.rules.fields import RuleError
from billing.rules.read import read_page
from billing.rules.references import shipped_references
from billing.rules.ruleset import Line, Measure, Period, Role

PAGE = """\
id = "plan-2026"
title = "A plan"
payer = "PLAN"
effective_from = 2026-01-01
effective_to = 2026-12-31
known_from = 2025-12-01
status = "SETTLED"
source = ["S01", "OWN1"]
note = "example"
not_adopted = ["99470"]
not_adopted_finding = "E_PAYER_CODE_NOT_ADOPTED"
em_codes = ["EM", "99213"]

[sources.OWN1]
title = "Letter of the plan"
where = "our files"
checked_on = 2026-01-02

[[ladder]]
name = "device-supply"
role = "supply"
programs = ["RPM"]
period = "device-supply-30"
measure = "device_days"
needs = ["consent"]
status = "SETTLED"
source = ["S01"]

[[ladder.band]]
at_least = 2
at_most = 15
lines = [{ code = "99445" }]
status = "SETTLED"
source = ["S01"]

[[ladder.band]]
at_least = 16
at_most = 30
lines = [{ code = "99454" }]
status = "CONFLICT"
source = ["S01"]

[[ladder]]
name = "management"
role = "management"
programs = ["RPM"]
period = "calendar-month"
measure = "seconds"
work = ["RPM"]
needs = ["live-contact"]
status = "SETTLED"
source = ["S01"]

[[ladder.band]]
at_least = 1200
lines = [{ code = "99457" }, { code = "99458", every = 1200 }]
status = "SETTLED"
source = ["OWN1"]

[[exclusion]]
finding = "E_RTM_SAME_PERIOD"
applies_to = ["99454"]
blocked_by = ["98977"]
who = "any"
within = "period"
status = "SECONDARY"
source = ["S12"]

[[notice]]
finding = "W_PAYER_RULE_RECHECK"
always = true
from_day = 2026-02-01
to_day = 2026-03-01
status = "SECONDARY"
source = ["S12"]
"""


def read(text: str):
    """The page in a text."""
    return read_page(text, "plan.toml", shipped_references())


def changed(old: str, new: str, count: int = 1) -> str:
    """The example page with one passage changed."""
    assert old in PAGE
    return PAGE.replace(old, new, count)


def test_a_page_is_read_with_its_bands_words_and_days():
    """What the text says stands in the page, and the page has a digest."""
    page = read(PAGE)
    supply, management = page.ladders
    assert (supply.role, supply.period, supply.measure) == (
        Role.SUPPLY,
        Period.DEVICE_SUPPLY_30,
        Measure.DEVICE_DAYS,
    )
    assert [(band.at_least, band.at_most) for band in supply.bands] == [(2, 15), (16, 30)]
    assert management.bands[0].lines == (Line("99457"), Line("99458", 1200))
    assert page.not_adopted == ("99470",)
    assert page.codes["99458"].max_units == 3
    assert len(page.digest) == 64


def test_a_source_is_as_old_as_its_oldest_id():
    """The day of re-reading is the earliest one among the ids named, own sources included."""
    page = read(PAGE)
    assert str(page.source.checked_on) == "2026-01-02"
    assert page.ladders[1].bands[0].source.ids == ("OWN1",)


def test_the_digest_follows_the_content_and_not_the_layout():
    """Comments and blank lines leave the digest alone, a changed number does not."""
    assert read("# a remark\n\n" + PAGE).digest == read(PAGE).digest
    assert read(changed("every = 1200", "every = 1201")).digest != read(PAGE).digest


def test_an_announced_gap_is_taken_and_earns_nothing():
    """A band without lines announces a range that earns nothing and is not kept as a band."""
    text = changed("at_most = 15", "at_most = 13") + (
        '\n[[ladder]]\nname = "third"\nrole = "supply"\nprograms = ["RPM"]\n'
        'period = "device-supply-30"\nmeasure = "device_days"\nstatus = "SETTLED"\n'
        'source = ["S01"]\n'
    )
    gap = (
        '\n[[ladder.band]]\nat_least = 14\nat_most = 15\nlines = []\nstatus = "SETTLED"\n'
        'source = ["S01"]\n'
    )
    with pytest.raises(RuleError, match="14 to 15 without a band"):
        read(changed("at_most = 15", "at_most = 13"))
    with pytest.raises(RuleError, match="has no bands"):
        read(text.replace("at_most = 13", "at_most = 15"))
    head, tail = changed("at_most = 15", "at_most = 13").split('\n[[ladder]]\nname = "management"')
    page = read(head + gap + '\n[[ladder]]\nname = "management"' + tail)
    assert [(band.at_least, band.at_most) for band in page.ladders[0].bands] == [(2, 13), (16, 30)]


SUPPLY_BAND = 'lines = [{ code = "99445" }]\nstatus = "SETTLED"\nsource = ["S01"]'

REFUSALS = {
    "overlapping bands": ("at_most = 15", "at_most = 16", 37, "overlaps"),
    "an open band below another": ("at_most = 15\n", "", 36, "overlaps"),
    "a gap nobody announced": ("at_least = 16", "at_least = 20", 37, "16 to 19 without a band"),
    "a band turned round": ("at_most = 30", "at_most = 3", 38, "lies below at_least"),
    "a band from zero": ("at_least = 2\n", "at_least = 0\n", 30, "must be 1 or more"),
    "an every of zero": ("every = 1200", "every = 0", 56, "every must be"),
    "an unknown key": ('title = "A plan"', 'title = "A plan"\ncolor = 1', 3, "not a known key"),
    "an unknown key in a band": ("at_most = 15", "at_most = 15\nper = 1", 32, "not a known key"),
    "an unknown program": ('programs = ["RPM"]', 'programs = ["RPX"]', 22, "not a known word"),
    "no program": ('programs = ["RPM"]\n', "", 19, "is missing"),
    "an unknown gate": ('needs = ["consent"]', 'needs = ["consnt"]', 25, "not a known word"),
    "an unknown measure": ('"device_days"', '"device_hours"', 24, "not a known word"),
    "an unknown period": ('"calendar-month"', '"month"', 47, "not a known word"),
    "an unknown role": ('role = "supply"', 'role = "supplies"', 21, "not a known word"),
    "unknown work": ('work = ["RPM"]', 'work = ["RPN"]', 49, "not a known word"),
    "seconds without work": ('work = ["RPM"]\n', "", 43, "goes with a measure of seconds"),
    "work with days": (
        'needs = ["consent"]',
        'work = ["RPM"]',
        25,
        "goes with a measure of seconds",
    ),
    "an unknown strategy": ('who = "any"', 'who = "some"', 64, "not a known word"),
    "an unknown reach": ('within = "period"', 'within = "week"', 65, "not a known word"),
    "an unknown status": ('"CONFLICT"', '"SURE"', 40, "not a known word"),
    "an unknown finding": ('"E_RTM_SAME_PERIOD"', '"E_NEW"', 61, "not a known word"),
    "an unknown source": ('source = ["OWN1"]', 'source = ["S99"]', 58, "list of sources"),
    "a band without a source": (
        SUPPLY_BAND,
        SUPPLY_BAND.replace('\nsource = ["S01"]', ""),
        29,
        "is missing",
    ),
    "a band without a status": (
        SUPPLY_BAND,
        SUPPLY_BAND.replace('\nstatus = "SETTLED"', ""),
        29,
        "is missing",
    ),
    "an exclusion without a status": ('status = "SECONDARY"\n', "", 60, "is missing"),
    "a code outside the table": ('code = "99445"', 'code = "99999"', 32, "code table"),
    "an excluding code outside the table": ('["98977"]', '["90000"]', 63, "not a known word"),
    "an exclusion without codes": ('applies_to = ["99454"]\n', "", 60, "names no code"),
    "a visit that is no code": ('"99213"', '"visit"', 12, "not a code"),
    "an end before the start": ("2026-12-31", "2025-12-31", 5, "lies before"),
    "a notice that ends before it starts": ("2026-03-01", "2026-01-01", 73, "lies before"),
    "text for a date": ("known_from = 2025-12-01", 'known_from = "then"', 6, "must be a date"),
    "a date with a time": ("2025-12-01", "2025-12-01T00:00:00", 6, "must be a date"),
    "text for a truth": ("always = true", 'always = "yes"', 71, "must be true or false"),
    "a truth for a number": ("at_most = 15", "at_most = true", 31, "must be a whole number"),
    "no id": ('id = "plan-2026"\n', "", 1, "is missing"),
    "an id in capitals": ('"plan-2026"', '"PLAN-2026"', 1, "expected form"),
    "a payer in small letters": ('payer = "PLAN"', 'payer = "plan"', 3, "expected form"),
    "an empty title": ('"A plan"', '" "', 2, "is empty"),
    "a ladder named twice": ('name = "management"', 'name = "device-supply"', 44, "stands twice"),
    "a word twice": ('["EM", "99213"]', '["EM", "EM"]', 12, "twice"),
    "codes not adopted without their finding": (
        'not_adopted_finding = "E_PAYER_CODE_NOT_ADOPTED"\n',
        "",
        1,
        "is missing",
    ),
    "a page that extends itself": (
        'payer = "PLAN"',
        'payer = "PLAN"\nextends = "plan-2026"',
        4,
        "cannot extend itself",
    ),
    "a source named as a shipped one": ("[sources.OWN1]", "[sources.S02]", 14, "shipped source"),
    "a source without a day": ("checked_on = 2026-01-02\n", "", 14, "is missing"),
    "something that is not TOML": ("at_most = 15", "at_most == 15", 31, "not readable as TOML"),
    "a key twice": ('title = "A plan"', 'title = "A"\ntitle = "B"', 3, "not readable as TOML"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_wrong_page_is_refused_with_file_line_and_reason(name):
    """Each kind of error names the file, the line it lies on, and what is wrong."""
    old, new, line, reason = REFUSALS[name]
    with pytest.raises(RuleError) as refused:
        read(changed(old, new))
    assert refused.value.file == "plan.toml"
    assert reason in refused.value.reason
    assert refused.value.line == line


def test_a_page_may_add_a_code_and_use_it():
    """A code of the page's own is known on that page, and only there."""
    own = (
        '\n[[code]]\ncode = "S9110"\nlabel = "Home telemonitoring"\npayable_from = 2020-01-01\n'
        'max_units = 1\nstatus = "SETTLED"\nsource = ["S32t"]\n'
    )
    text = changed('code = "99445"', 'code = "S9110"')
    assert read(text + own).codes["S9110"].label == "Home telemonitoring"
    with pytest.raises(RuleError, match="S9110"):
        read(text)


def test_a_code_that_ends_before_it_starts_is_refused():
    """Payable days must be a run."""
    own = (
        '\n[[code]]\ncode = "S9110"\nlabel = "x"\npayable_from = 2020-01-01\n'
        'payable_to = 2019-01-01\nstatus = "SETTLED"\nsource = ["S32t"]\n'
    )
    with pytest.raises(RuleError, match="payable_from"):
        read(PAGE + own)
