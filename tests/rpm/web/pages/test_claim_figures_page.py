"""Figures of claims on their page, the claims behind them, and the same as files."""

import io
import re
import zlib
from datetime import UTC, datetime

import openpyxl
import pytest
from figures_practice import FiguresPractice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.actions.claim_tables import Table
from rpm.documents.workbook import workbook

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


def printed(document: bytes) -> str:
    """The text of a document that embeds no font."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL)
    shown = [re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", zlib.decompress(one)) for one in streams]
    return b" ".join(text for some in shown for text in some).decode("latin-1")


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock) -> FiguresPractice:
    """Three claims: one paid, one refused, one waiting."""
    clock.instant = FEBRUARY
    return FiguresPractice(engine, actor)


def test_the_page_tells_figures_with_definitions_and_leads_to_claims(
    signed_in, practice: FiguresPractice
) -> None:
    """Values, their two numbers, what is owed, and each link opens its list of claims."""
    biller = signed_in("biller")
    page = biller.get("/claims/figures").text
    assert "Claims that the payer adjudicated and refused" in page
    assert "Owed at the end of" in page
    assert "$195.00" in page
    assert page.count("<svg") == 6
    denied = practice.claims[1].control_number
    links = re.findall(r'href="(/claims/figures/[a-z-]+\?month=2026-02[^"]*)"', page)
    lists = [one.replace("&amp;", "&") for one in links if "/health" not in one]
    assert len(lists) > 8
    for one in lists:
        shown = biller.get(one).text
        assert any(claim.control_number in shown for claim in practice.claims)
    behind = biller.get("/claims/figures/denials?month=2026-02&by=reason&name=CO-97").text
    assert denied in behind
    assert practice.claims[0].control_number not in behind
    assert biller.get("/claims/figures/none-such").status_code == 404
    january = biller.get("/claims/figures?month=2026-01").text
    assert "$270.00" in january
    health = biller.get("/claims/figures/health?month=2026-01").text
    assert "48 of 93" in health
    files_tell_the_same(biller)


def files_tell_the_same(biller: TestClient) -> None:
    """The same numbers in each file; no cell is a formula, and no patient is named."""
    table = biller.get("/claims/figures/table.csv")
    assert "2026-02,Denial rate,50.0,percent,1,2" in table.text
    tables = biller.get("/claims/figures/tables.xlsx?month=2026-02").content
    book = openpyxl.load_workbook(io.BytesIO(tables))
    assert book.sheetnames[:3] == ["Figures", "Aging", "Owed"]
    assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}
    assert [cell.value for cell in book["Owed"]["B"]][5] == 195
    report = biller.get("/claims/figures/report.pdf?month=2026-02").content
    text = printed(report)
    for told in ("Denial rate: 50.0 %", "$195.00", "CO-97", "Reading adherence"):
        assert told in text
    for content in (table.text, text):
        assert "Doe" not in content


def test_a_payers_name_is_never_a_formula() -> None:
    """A name that a spreadsheet would run stays text."""
    made = workbook([Table("Names", ("Payer",), (("=1+1",), ("+cmd",)))], FEBRUARY)
    sheet = openpyxl.load_workbook(io.BytesIO(made))["Names"]
    assert [(cell.value, cell.data_type) for cell in sheet["A"]][1:] == [
        ("=1+1", "s"),
        ("+cmd", "s"),
    ]


def test_who_may_not_see_claims_has_no_figures_of_them(signed_in, engine: Engine) -> None:
    """Clinical staff are refused; a practice without claims has a page all the same."""
    assert signed_in("clinical_staff").get("/claims/figures").status_code == 403
    assert "Nothing to measure yet" in signed_in("biller").get("/claims/figures").text
