"""Answers that others wrote: what each file is, what it says, and its money to the cent."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from billing.claims.remittance import balance_of
from billing.claims.x12.answer_file import read_answers
from billing.money import cents_to_text

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "tests" / "files" / "answers"
FILES = sorted(path for path in FOLDER.glob("*/*") if path.is_file())


def row(path: Path) -> str:
    """What is read of a file, as one row of the table in the documentation."""
    answers = read_answers(path.read_bytes())
    paid = [cents_to_text(balance_of(one).paid_cents) for one in answers.remittances]
    balances = [balance_of(one).holds for one in answers.remittances]
    claims = sum(len(one.claims) for one in (*answers.remittances, *answers.claims_answers))
    sets = [one.code for group in answers.group_answers for one in group.sets]
    said = [
        {True: "accepted", False: "rejected", None: "unclear"}[claim.accepted]
        for one in answers.claims_answers
        for claim in one.claims
    ]
    found = [
        *answers.findings,
        *(finding for one in answers.remittances for finding in one.findings),
        *(finding for one in answers.group_answers for finding in one.findings),
        *(finding for one in answers.claims_answers for finding in one.findings),
    ]
    codes = [one.code for one in found]
    told = ", ".join(f"{codes.count(code)} {code}" for code in sorted(set(codes)))
    money = (
        f"{' and '.join(paid)}{', balanced' if all(balances) else ', NOT balanced'}" if paid else ""
    )
    says = money or ", ".join(sets or said)
    name = path.relative_to(FOLDER).as_posix()
    return f"| `{name}` | {answers.told.kind} | {claims or ''} | {says} | {told or 'none'} |"


def test_every_file_is_read_as_the_documentation_says() -> None:
    """The table of results in the documentation is what the readers give today."""
    shown = (ROOT / "docs" / "remittances.md").read_text()
    assert [row(path) for path in FILES] == re.findall(r"^\| `(?:\d|2).*\|$", shown, re.MULTILINE)
    assert len(FILES) == 18


def plain_sum(content: bytes) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Payment, sum of claims and of provider adjustments of each set, with nothing of the product.

    Separators by their place in the header, elements by number, decimals as Python reads them.
    """
    text = content.decode("ascii").replace("\r", "").replace("\n", "")
    element, terminator = text[3], text[105]
    found: list[tuple[Decimal, Decimal, Decimal]] = []
    for segment in text.split(terminator):
        parts = segment.split(element)
        if parts[0] == "BPR":
            found.append((Decimal(parts[2]), Decimal(0), Decimal(0)))
        elif parts[0] == "CLP":
            payment, claims, taken = found[-1]
            found[-1] = (payment, claims + Decimal(parts[4]), taken)
        elif parts[0] == "PLB":
            payment, claims, taken = found[-1]
            found[-1] = (payment, claims, taken + sum(map(Decimal, parts[4::2])))
    return found


@pytest.mark.parametrize("path", sorted((FOLDER / "835").iterdir()), ids=lambda path: path.name)
def test_totals_of_remittances_agree_with_a_plain_sum(path: Path) -> None:
    """Payment, claims and provider adjustments are those of an independent sum, to the cent."""
    content = path.read_bytes()
    balances = [balance_of(one) for one in read_answers(content).remittances]
    assert [(one.paid_cents, one.claims_cents, one.adjusted_cents) for one in balances] == [
        tuple(int(amount * 100) for amount in told) for told in plain_sum(content)
    ]
    assert all(one.holds for one in balances)
