"""S14: what is exported carries no formulas and no separators, and says what was meant."""

import csv
import io
from pathlib import Path
from random import Random

import pytest
from claims_made import HOSTILE, claim_file, hostile_claim, pyx12_verdict
from promised import Promised
from x12sdk_reading import same_values

from billing.claims.table import COLUMNS, service_lines_csv
from billing.claims.x12.p837 import write_837p
from billing.claims.x12.p837_read import read_837p
from billing.claims.x12.segments import read_segments

FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")')
CELLS = (*HOSTILE, *FORMULAS, 'a"b', "a,b", "a\r\nb", "00123")
A_SET = 100


@pytest.mark.promise("S14")
def test_claims_with_hostile_names_are_valid_and_unchanged(
    tmp_path: Path, promised: Promised
) -> None:
    """pyx12 finds each set valid, and two readers give back the values that were written."""
    chance = Random(14)
    count = promised.count(2_000, 60)
    claims = [hostile_claim(number, chance) for number in range(1, count + 1)]
    segments = 0
    for start in range(0, count, A_SET):
        file = claim_file(tuple(claims[start : start + A_SET]))
        content = write_837p(file)
        valid, told = pyx12_verdict(content, tmp_path)
        assert valid, told[:5]
        read = read_837p(content)
        assert write_837p(read) == content
        assert same_values(content) == len(file.sets[0].claims)
        found = len(read_segments(content).segments)
        assert found == content.count(b"~")
        segments += found
    promised.reached(
        f"{count:,} claims in {segments:,} 837P segments: 0 invalid by pyx12, 0 values that two"
        " readers see differently"
    )


@pytest.mark.promise("S14")
def test_no_cell_of_a_table_is_live(promised: Promised) -> None:
    """A spreadsheet runs no cell, and taking the guard away gives the text that was meant."""
    chance = Random(14)
    count = promised.count(2_000, 500)
    texts = [name for name in COLUMNS if name not in ("units", "charge")]
    lines = [{name: chance.choice(CELLS) for name in texts} for _ in range(count)]
    table = service_lines_csv(lines).decode()
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert len(rows) == count
    for line, row in zip(lines, rows, strict=True):
        for name in texts:
            assert row[name][:1] not in tuple("=+-@\t\r")
            assert row[name] == line[name] or row[name] == f"'{line[name]}"
    promised.reached(f"{count:,} rows of the CSV table: 0 live cells, every text as it was")
