"""Files of ours in the eyes of others: pyx12's guide maps, and x12sdk's reader."""

from pathlib import Path
from random import Random

from claims_made import CLAIM, EVERYTHING, VOIDED, claim_file, hostile_claim, pyx12_verdict
from x12sdk_reading import same_values

from billing.claims.x12.p837 import write_837p


def test_pyx12_finds_our_files_valid(tmp_path: Path) -> None:
    """Originals, replacements, voids, second payers and dependents satisfy the guide's map."""
    content = write_837p(claim_file((CLAIM, VOIDED), (EVERYTHING,)))
    assert pyx12_verdict(content, tmp_path) == (True, [])


def test_pyx12_says_what_is_wrong(tmp_path: Path) -> None:
    """The same question about a file with a fault is answered with no, and why."""
    content = write_837p(claim_file((CLAIM,))).replace(b"HI*ABK:I10*ABF:E119~", b"")
    valid, told = pyx12_verdict(content, tmp_path)
    assert not valid
    assert any("HI" in line for line in told)


def test_another_reader_finds_the_same_values() -> None:
    """x12sdk's models hold the names, codes, days and amounts that our reader gives."""
    chance = Random(7)
    hostile = tuple(hostile_claim(number, chance) for number in range(1, 16))
    content = write_837p(claim_file((CLAIM, VOIDED, EVERYTHING), hostile))
    assert same_values(content) == 18
