"""CMS's tables from the command line: what is loaded, what it changes, and what is refused."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from cms_tables import (
    ADDON_NAME,
    GPCI_NAME,
    MUE_NAME,
    PTP_NAME,
    RVU_NAME,
    addons,
    as_csv,
    as_text,
    as_xlsx,
    as_zip,
    gpci,
    mue,
    ptp,
    rvu,
    written,
)
from ledger_practice import Practice, days
from sqlmodel import col, select

from rpm.actions.set_practice_setting import SetPracticeSetting, set_practice_setting
from rpm.cli import USAGE
from rpm.errors import InvalidRequest
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import Evaluated, evaluated
from rpm.store.readiness_refresh import refresh
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import CmsTable
from rpm.store.verify import verify_chain

Run = Callable[..., str]
PAIRS = ptp(("99453", "99091", "20200101", "*", "0"), ("99454", "96127", "20200101", "*", "1"))
LIMITS = mue(("99458", "2", "3"), ("99445", "1", "2"), ("10004", "3", "3"))
ADDONS = addons(("99458", "99457", "2020001", ""))


def tables(practice: Practice) -> list[tuple[str, str, str]]:
    """Kind, edition and file name of what is loaded."""
    with reading(practice.engine) as db:
        rows = db.exec(select(CmsTable).order_by(col(CmsTable.id))).all()
        assert verify_chain(db, practice.actor.organization_id) == []
    return [(row.kind, row.edition, row.file_name) for row in rows]


def bill(practice: Practice, known: date, until: int | None = None) -> Evaluated:
    """What follows from the facts, and from what was recorded up to an audit number."""
    with reading(practice.engine) as db:
        return evaluated(
            db,
            practice.actor.organization_id,
            as_of=known,
            known=known,
            until_audit_number=until,
        )


def test_tables_are_loaded_once(practice: Practice, said: Run, tmp_path: Path) -> None:
    """Text, CSV, XLSX and ZIP are read; the same content again is already there."""
    files = [
        written(tmp_path, PTP_NAME, as_text(PAIRS)),
        written(tmp_path, MUE_NAME, as_csv(LIMITS)),
        written(tmp_path, "AOC_V2026Q4-MCR.xlsx", as_xlsx(ADDONS)),
    ]
    told = said("rules", "load-ncci", *map(str, files))
    assert "loaded ptp 2026Q4: 2 of 2 rows kept, ccipra-v323r0-f4.txt, SHA-256 " in told
    assert "loaded mue 2026Q4: 2 of 3 rows kept" in told
    assert "loaded add-on 2026Q4: 1 of 1 rows kept" in told
    assert [kind for kind, _, _ in tables(practice)] == ["ptp", "mue", "add-on"]
    packed = as_zip(**{PTP_NAME: as_text(PAIRS), "readme.txt": b"a note of CMS\r\n"})
    again = written(tmp_path, "medicare-ncci-2026q4-practitioner-ptp-edits.zip", packed)
    assert "already there ptp 2026Q4" in said("rules", "load-ncci", str(again))
    assert len(tables(practice)) == 3
    shown = said("rules", "show", "ncci", "--organization", "Example Practice")
    assert "mue of 2026Q4, loaded from MCR_MUE_PractitionerServices_Eff_10-01-2026.csv" in shown
    assert "pair 99454 (paid) with 96127: indicator 1, from 2020-01-01" in shown
    assert "limit 99445: 1 units, MAI 2" in shown


def test_loaded_tables_judge_their_service_days(
    practice: Practice, said: Run, tmp_path: Path
) -> None:
    """A unit limit and a pair of the quarter count for its days, and only once they are loaded."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 80 * 60)
    practice.service(patient_id, "96127", date(2026, 1, 30), own=True)
    with reading(practice.engine) as db:
        before = chain_head(db, practice.actor.organization_id).number
    known = date(2026, 2, 2)
    assert units(bill(practice, known)) == {"99453": 1, "99454": 1, "99457": 1, "99458": 3}
    files = [
        written(tmp_path, "ccipra-v320r0-f4.txt", as_text(PAIRS)),
        written(tmp_path, "MCR_MUE_PractitionerServices_Eff_01-01-2026.csv", as_csv(LIMITS)),
    ]
    said("rules", "load-ncci", *map(str, files))
    after = bill(practice, known)
    assert units(after)["99458"] == 2
    findings = {(one.code, one.concerns, one.amount) for one in after.findings()}
    assert {("W_MUE_CAP", "99458", 1), ("W_NCCI_PAIR", "96127", 0)} <= findings
    assert {one.rule_page_id for one in after.events()} == {"medicare-b-2026@2026Q1"}
    earlier = bill(practice, known, before)
    assert units(earlier)["99458"] == 3
    assert "W_NCCI_PAIR" not in {one.code for one in earlier.findings()}


def test_a_close_under_loaded_tables_is_exported_and_verified(
    practice: Practice, said: Run, tmp_path: Path
) -> None:
    """A table loaded after a close gives an adjustment; both closes verify and explain."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 80 * 60)
    assert "2 issued, 0 reversed" in said("close", "--month", "2026-01")
    said("export", "2026-01", "--out", str(tmp_path / "one"))
    limits = "MCR_MUE_PractitionerServices_Eff_01-01-2026.csv"
    said("rules", "load-ncci", str(written(tmp_path, limits, as_csv(LIMITS))))
    assert "1 issued, 1 reversed" in said("close", "--month", "2026-01")
    said("export", "2026-01", "--out", str(tmp_path / "two"))
    said("verify")


def units(found: Evaluated) -> dict[str, int]:
    """Units by code."""
    return {one.code: one.units for one in found.events()}


def test_readiness_follows_what_is_loaded(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A loaded table concerns every patient: all of them are computed anew."""
    practice.enrolled(opened_day=date(2026, 1, 1))
    refresh(practice.engine, Scope.of(practice.actor), practice.now)
    said("rules", "load-ncci", str(written(tmp_path, MUE_NAME, as_csv(LIMITS))))
    assert refresh(practice.engine, Scope.of(practice.actor), practice.now)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (MUE_NAME, as_csv(mue(("99458", "x", "3"))), "line 4: column 2 does not hold a number"),
        (MUE_NAME, as_csv(LIMITS)[:90], "is refused"),
        (MUE_NAME, b"", "not a table of CMS"),
        (MUE_NAME, bytes(range(256)) * 20, "is refused"),
        ("ccioph-v323r0-f4.txt", as_text(PAIRS), "hospitals"),
        ("pairs.txt", as_text(PAIRS), "--quarter"),
        ("AOC_V2026Q4-MCR.xlsx", as_csv(ADDONS), "is not an XLSX file"),
        ("AOC_V2026Q4-MCR.xlsx", as_xlsx(ADDONS)[:-300], "is not an XLSX file"),
        ("a-2026q4.zip", as_zip(**{PTP_NAME: as_text(PAIRS)})[:-60], "damaged"),
        ("a-2026q4.zip", as_zip(**{"readme.txt": b"a note\r\n"}), "holds no table"),
        (
            "a-2026q4.zip",
            as_zip(**{MUE_NAME: as_csv(mue(("99458", "x", "3")))}),
            f"a-2026q4.zip/{MUE_NAME} is refused: line 4",
        ),
        ("letter.pdf", b"%PDF-1.4", "neither"),
    ],
)
def test_a_damaged_or_foreign_file_changes_nothing(
    practice: Practice, said: Run, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """It is named, and the good file beside it is not loaded either."""
    good = written(tmp_path, ADDON_NAME, as_text(ADDONS))
    bad = written(tmp_path, name, content)
    told = said("rules", "load-ncci", str(good), str(bad), code=USAGE)
    assert name in told
    assert reason in told
    assert tables(practice) == []


def test_wrong_use_of_load_ncci(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A file that is not there and a quarter that is none end with 2."""
    assert "cannot be read" in said("rules", "load-ncci", str(tmp_path / "no.txt"), code=USAGE)
    good = written(tmp_path, ADDON_NAME, as_text(ADDONS))
    told = said("rules", "load-ncci", str(good), "--quarter", "Q4", code=USAGE)
    assert "2026Q4" in told


UNITS = rvu(("99457", "0.61", "0.90", "0.14", "0.04"), ("99454", "0", "1.55", "1.55", "0.01"))
PLACES = gpci(("01112", "CA", "05", "1.086", "1.394", "0.454"))


def test_a_fee_schedule_is_loaded_and_a_locality_chosen(
    practice: Practice, said: Run, tmp_path: Path
) -> None:
    """A release as CMS packs it: its two tables are taken, the rest is passed over."""
    packed = as_zip(
        **{
            RVU_NAME: as_csv(UNITS),
            "PPRRVU2026_Jul_QPP.csv": as_csv(UNITS),
            GPCI_NAME: as_csv(PLACES),
            "26LOCCO.csv": b"MAC,Locality\r\n01112,05\r\n",
            "RVU26C.pdf": b"%PDF",
        }
    )
    file = written(tmp_path, "rvu26c.zip", packed)
    told = said("rules", "load-rvu", str(file))
    assert f"loaded rvu 2026-07-01: 2 of 2 rows kept, rvu26c.zip/{RVU_NAME}" in told
    assert "loaded gpci 2026: 1 of 1 rows kept" in told
    assert said("rules", "load-rvu", str(file)).count("already there") == 2
    assert chosen(practice, "01112-05") == "01112-05"
    shown = said("rules", "show", "amounts", "--organization", "Example Practice")
    assert "by the factors of locality 01112-05 in rvu26c.zip/GPCI2026.csv" in shown
    assert "01112-05 PLACE 05  work, practice expense, malpractice 1.086 1.394 0.454" in shown
    with pytest.raises(InvalidRequest):
        chosen(practice, "01112-06")


def chosen(practice: Practice, locality: str) -> object:
    """The locality by which the practice is paid from now on."""
    command = SetPracticeSetting(key="locality", value=locality, reason="where we are")
    with transaction(practice.engine) as db:
        set_practice_setting(db, practice.actor, practice.now, command)
    with reading(practice.engine) as db:
        return book_of(db, practice.actor.organization_id).fees.locality


def test_a_locality_nobody_knows_is_refused(practice: Practice) -> None:
    """Without a table of factors a practice is paid by the national schedule."""
    with pytest.raises(InvalidRequest):
        chosen(practice, "01112-05")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (RVU_NAME, as_csv(UNITS).replace(b"0.61", b"0.62"), "line 7: column 12"),
        (RVU_NAME, as_csv(LIMITS), "neither relative value units nor locality factors"),
        ("PPRRVU2026_Jul_QPP.csv", as_csv(UNITS), "qualifying participants"),
        (GPCI_NAME, as_csv(PLACES).replace(b"1.394", b"x"), "line 4: column 7"),
        ("rvu26c.zip", as_zip(**{RVU_NAME: as_csv(UNITS)})[:-40], "damaged"),
    ],
)
def test_a_damaged_or_foreign_fee_file_changes_nothing(
    practice: Practice, said: Run, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """It is named, and the good file beside it is not loaded either."""
    good = written(tmp_path, "GPCI2025.csv", as_csv(PLACES))
    bad = written(tmp_path, name, content)
    told = said("rules", "load-rvu", str(good), str(bad), code=USAGE)
    assert name in told
    assert reason in told
    assert tables(practice) == []


def test_a_close_is_priced_by_the_locality(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A close after loading has the locality's amounts and says so; earlier exports stay."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2025, 12, 1))
    practice.entry(patient_id, episode_id, date(2025, 12, 8), 1200)
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1200)
    said("close", "--month", "2025-12")
    said("export", "2025-12", "--out", str(tmp_path))
    name = "PPRRVU26_JAN.csv"
    units = as_csv(UNITS).replace(b"July Release", b"January Release")
    said(
        *("rules", "load-rvu", str(written(tmp_path, name, units))),
        str(written(tmp_path, GPCI_NAME, as_csv(PLACES))),
    )
    chosen(practice, "01112-05")
    assert "1 issued, 0 reversed, known amounts 64.64" in said("close", "--month", "2026-01")
    assert said("export", "2026-01", "--out", str(tmp_path)).rstrip().endswith("total=64.64")
    bases = [
        json.loads((tmp_path / folder / "manifest.json").read_text())["charge_basis"]
        for folder in ("close-2025-12-1", "close-2026-01-1")
    ]
    assert bases[0] == "national schedule amounts by date of service; empty where none is known"
    assert bases[1].startswith(f"{name} by the factors of locality 01112-05 in {GPCI_NAME}")
    assert "the same bytes" in said("export", "2025-12", "--out", str(tmp_path))
    said("verify")
