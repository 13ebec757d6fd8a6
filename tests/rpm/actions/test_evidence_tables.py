"""Evidence packs of practices that loaded tables of CMS."""

from datetime import date

import pytest
from cms_tables import GPCI_NAME, RVU_NAME, gpci, lines, mue, rvu
from evidence_practice import FEBRUARY_CLOSE, close, told_practice
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from billing.evidence.check import check
from billing.rules.book import shipped_book
from billing.rules.fee_files import read_fees
from billing.rules.ncci_files import read_ncci
from rpm.access import Actor
from rpm.actions.evidence_pack import close_pack
from rpm.actions.load_cms_tables import load_cms_tables
from rpm.clock import Clock
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """Patients for every kind of code."""
    return told_practice(engine, actor, clock.now())


def test_a_close_under_loaded_tables_fits(practice: Practice) -> None:
    """Pages under loaded edits and amounts of a locality are recomputed from the pack, too."""
    known = shipped_book().references.codes
    units = rvu(("99457", "0.61", "0.90", "0.14", "0.04"), ("99454", "0", "1.55", "1.55", "0.01"))
    place = ("01112", "CA", "05", "1.086", "1.394", "0.454")
    tables = [
        read_ncci("x.csv", lines(mue(("99458", "1", "3"))), "0", known, known, "2026Q1"),
        read_fees(RVU_NAME, lines(units), "1", known, date(2026, 1, 1)),
        read_fees(GPCI_NAME, lines(gpci(place)), "2", known),
    ]
    with transaction(practice.engine) as db:
        load_cms_tables(db, practice.actor, practice.now, tables)
    practice.setting("locality", "01112-05")
    made = close(practice, "2026-01", FEBRUARY_CLOSE)
    with reading(practice.engine) as db:
        pack = close_pack(db, Scope.of(practice.actor), FEBRUARY_CLOSE, made.id).content
    assert check(pack) == []
    told = {(one["code"], one["units"], one["amount_cents"]) for one in pack["events"]}
    assert {("99457", 1, 6464), ("99458", 1, 4142)} <= told
    assert {one["rule"]["page_id"].partition("@")[2] for one in pack["events"]} >= {"2026Q1"}
