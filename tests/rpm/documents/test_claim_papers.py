"""Claims on paper: the CMS-1500, superbills and statements, each value where it belongs."""

import re
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime

from claims_made import CLAIM, COVERAGE, EVERYTHING, HOME, OFFICE

from billing.claims.claim import Claim, Name
from billing.claims.form1500_layout import shipped_layout
from billing.claims.statement import Statement, StatementLine, StatementPayment
from billing.claims.superbill import superbill
from rpm.documents.form1500 import Printing, form1500_pdf
from rpm.documents.statement import statement_pdf
from rpm.documents.superbill import superbill_pdf

MADE = datetime(2026, 11, 24, tzinfo=UTC)
_SHOWN = re.compile(rb"BT ([\d.]+) ([\d.]+) Td \(((?:\\.|[^\\()])*)\) Tj")
_TALL = 792.0  # points of a letter page


def shown(document: bytes) -> list[list[tuple[float, float, str]]]:
    """Each page's texts with their distance from the left and the top, in points."""
    pages = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL):
        page = zlib.decompress(stream)
        pages.append(
            [
                (
                    float(left),
                    _TALL - float(up),
                    re.sub(rb"\\(.)", rb"\1", text).decode("windows-1252"),
                )
                for left, up, text in _SHOWN.findall(page)
            ]
        )
    return [page for page in pages if page]


def at(claim: Claim, key: str, page: int = 0, service: int = 0) -> str:
    """What a form shows in the room of a value, found by its place on the sheet."""
    layout = shipped_layout()
    cell = layout.cells[key]
    line = cell.line or layout.service_line(service)
    left, right = (22 + (column - 1) * 7.2 for column in (cell.column, cell.column + cell.width))
    top = 22 + (line - 1) * 12
    found = [
        text
        for x, y, text in shown(form1500_pdf([claim], MADE))[page]
        if left - 0.1 <= x < right and top < y < top + 12
    ]
    return " ".join(found)


def test_every_value_stands_in_its_box() -> None:
    """Names, days, marks, codes, pointers, charges and numbers, each at its line and column."""
    for key, value in {
        "1.group": "X",
        "1a": "A77",
        "2": "DOE, TIM",
        "3.month": "05",
        "3.year": "2015",
        "3.M": "X",
        "4": "DOE, JANE, Q",
        "6.child": "X",
        "6.self": "",
        "9a": "1EG4TE5MK73",
        "17.qualifier": "DN",
        "17b": "1679576722",
        "21.B": "E119",
        "22": "7",
        "22.original": "2026300123456",
        "23": "PA778",
        "24A.from_day": "01",
        "24A.to_day": "30",
        "24B": "10",
        "24D": "99454",
        "24D.2": "KX",
        "24E": "AB",
        "24F": "65 00",
        "24J": "1245319599",
        "25.EI": "X",
        "26": "C000002",
        "28": "120 00",
        "29": "44 00",
        "32.name": "LAKESIDE ANNEX",
        "33.city": "SPRINGFIELD IL 62701-0001",
        "33a": "1234567893",
    }.items():
        assert at(EVERYTHING, key) == value, key
    assert at(EVERYTHING, "24D", service=1) == "99457"


def test_amounts_end_at_the_right_edge_of_their_room() -> None:
    """Cents stand under cents, whatever the charge."""
    dear = replace(CLAIM, lines=(replace(CLAIM.lines[0], charge_cents=123_456), *CLAIM.lines[1:]))
    (page,) = shown(form1500_pdf([dear], MADE))
    ends = {round(left + len(text) * 7.2) for left, _, text in page if text in ("1234 56", "55 00")}
    assert len(ends) == 1


def test_where_medicare_pays_first_box_11_says_so() -> None:
    """Box 11 says NONE, and the boxes of another holder stay empty."""
    assert at(CLAIM, "11") == "NONE"
    assert at(CLAIM, "4") == ""
    second = replace(CLAIM, coverage=replace(COVERAGE, rank="S", group_number="G7"))
    assert (at(second, "11"), at(second, "4")) == ("G7", "DOE, JANE, Q")


def test_seven_services_take_two_pages_with_sums_of_their_own() -> None:
    """Each page is a claim by itself: its six lines at most and their sum."""
    many = replace(CLAIM, lines=CLAIM.lines[:1] * 7)
    assert at(many, "28") == "390 00"
    assert at(many, "28", page=1) == "65 00"


def test_the_check_print_adds_frames_and_says_that_it_is_none() -> None:
    """Numbers of boxes and a note stand on the check print only, and no text of the form on any."""
    plain = {text for page in shown(form1500_pdf([CLAIM], MADE)) for _, _, text in page}
    check = {
        text
        for page in shown(form1500_pdf([CLAIM], MADE, Printing(check=True)))
        for _, _, text in page
    }
    added = check - plain
    numbers = {box.number for box in shipped_layout().boxes}
    assert plain < check
    assert {text for text in added if len(text) > 5} == {
        next(text for text in added if text.startswith("Check print, not for filing."))
    }
    assert numbers <= check


def test_shifted_printing_moves_everything_alike() -> None:
    """A printer that feeds askew is met by one shift for all."""
    (here,) = shown(form1500_pdf([CLAIM], MADE))
    (there,) = shown(form1500_pdf([CLAIM], MADE, Printing(left=32, top=17)))
    moved = [(round(left - 10, 2), round(top + 5, 2), text) for left, top, text in there]
    assert moved == [(round(left, 2), round(top, 2), text) for left, top, text in here]


def test_the_same_papers_give_the_same_bytes() -> None:
    """Nothing of the moment of printing is in the file."""
    assert form1500_pdf([CLAIM, EVERYTHING], MADE) == form1500_pdf([CLAIM, EVERYTHING], MADE)


def texts(document: bytes) -> str:
    """All of a document's texts."""
    told: list[bytes] = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL):
        told += re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", zlib.decompress(stream))
    return re.sub(rb"\\(.)", rb"\1", b" ".join(told)).decode("windows-1252")


def test_a_superbill_lists_services_and_their_sum() -> None:
    """Codes with own words, diagnoses by pointer, charges, and who did it."""
    bill = superbill(
        [CLAIM], date(2026, 10, 1), date(2026, 10, 31), {"99454": "Device supply, long"}
    )
    told = texts(superbill_pdf(bill, MADE))
    for part in ("Superbill, Oct 2026", "Device supply, long", "I10 E119", "$204.00", "371234567"):
        assert part in told
    assert "ALICE M GREEN, NPI 1245319599" in told


def statement(*payments: int) -> Statement:
    """A patient with an answered claim of $16.00 and one that waits."""
    lines = (
        StatementLine(
            *(date(2026, 10, 1), date(2026, 10, 31), "C1", "Medicare", ("99454",)),
            *(12_000, 6_400, 4_000, 1_600),
        ),
        StatementLine(
            *(date(2026, 11, 1), date(2026, 11, 20), "C2", "Medicare", ("99454",)),
            *(6_500, None, None, None),
        ),
    )
    return Statement(
        Name("Lakeside", organization=True),
        OFFICE,
        "217-555-0100",
        Name("Núñez", "Jane"),
        HOME,
        "R-100",
        date(2026, 11, 24),
        lines,
        tuple(StatementPayment(date(2026, 11, 20), "card", cents) for cents in payments),
    )


def test_a_statement_asks_for_the_share_less_what_was_paid() -> None:
    """It asks for what is left, nothing for a claim that waits, and owns up to a surplus."""
    asked = texts(statement_pdf(statement(500), MADE))
    assert "Please pay $11.00" in asked
    assert "Jane Núñez" in asked
    assert "has not answered for every service" in asked
    assert "Nothing to pay" in texts(statement_pdf(statement(1_600), MADE))
    assert "We owe you $4.00" in texts(statement_pdf(statement(2_000), MADE))
