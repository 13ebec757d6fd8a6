"""What is wrong with an 835, in plain words: findings of the guide's checks, and our own.

Owns the words and which of oxedi's diagnostics becomes which finding. Does not own the checks of
shape and code lists (oxedi's). A finding names segments and elements, never a value.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from billing.claims.remittance import (
    GROUPS,
    Remittance,
    all_adjustments,
    balance_of,
    claim_difference,
)
from billing.finding import Finding
from billing.money import cents_to_text

MOST_OF_A_SET = 200
"""Findings of one remittance that are kept; how many there were is told."""
_OF_THE_GUIDE: Mapping[str, tuple[str, str]] = {
    "ControlNumberMismatch": (
        "W_835_NUMBER",
        "The number in a trailer differs from the one in its header.",
    ),
    "ControlCountMismatch": ("W_835_COUNT", "The count in a trailer is wrong."),
    "UnterminatedLoop": ("W_835_CUT_OFF", "The file ends before this part does."),
    "RequiredElementMissing": ("W_835_LACKS", "An element that the guide demands is missing."),
    "TypeMismatch": ("W_835_VALUE", "A value is no amount, day or number as the guide wants it."),
    "CodeNotInList": ("W_835_CODE", "A code is not in the guide's list."),
    "ByteOrderMark": ("I_835_MARK", "The file begins with a mark of its encoding."),
}
_OTHERWISE = ("W_835_GUIDE", "The file departs from the guide here.")
_OWN_BALANCE = "BalanceMismatch"
"""Told by our own sums instead, with the cents."""


def by_set(diagnostics: Iterable[Any], starts: Sequence[int]) -> dict[int, list[Finding]]:
    """Findings of the guide's checks, by the set they are in; -1 for those in none."""
    from bisect import bisect_right

    found: dict[int, list[Finding]] = {}
    dropped: dict[int, int] = {}
    for one in diagnostics:
        if one.kind == _OWN_BALANCE:
            continue
        row = -1 if one.segment is None else bisect_right(starts, one.segment) - 1
        kept = found.setdefault(row, [])
        if len(kept) < MOST_OF_A_SET:
            kept.append(_finding(one))
        else:
            dropped[row] = dropped.get(row, 0) + 1
    for row, count in dropped.items():
        found[row].append(Finding("I_835_MORE", "", f"{count} more findings of this kind."))
    return found


def _finding(one: Any) -> Finding:
    code, message = _OF_THE_GUIDE.get(one.kind, _OTHERWISE)
    if one.segment is None:
        return Finding(code, "end of the file", message)
    where = f"segment {one.segment + 1}"
    if one.element is not None:
        where += f", element {one.element}"
    return Finding(code, where, message)


def of_remittance(told: Remittance, guide: Sequence[Finding]) -> list[Finding]:
    """All findings of a remittance: ours first, since they are about money."""
    found = []
    if told.paid_cents is None:
        found.append(Finding("E_835_PAYMENT", "BPR02", "The payment's amount cannot be read."))
    balance = balance_of(told)
    if not balance.holds:
        found.append(
            Finding(
                "W_835_UNBALANCED",
                "BPR02",
                f"The payment is {cents_to_text(balance.difference_cents)} more than its claims"
                " less its provider adjustments.",
            )
        )
    if not told.is_whole:
        found.append(Finding("E_835_CUT_OFF", "SE", "The remittance ends without its trailer."))
    if any(one.cents is None for one in told.provider_adjustments):
        found.append(Finding("E_835_ADJUSTMENT", "PLB", "A provider adjustment cannot be read."))
    if told.paid_cents and not told.trace_number:
        found.append(Finding("W_835_NO_TRACE", "TRN02", "The payment has no trace number."))
    of_claims = [one for claim in told.claims for one in _of_claim(claim)]
    if len(of_claims) > MOST_OF_A_SET:
        rest = len(of_claims) - MOST_OF_A_SET
        more = Finding("I_835_MORE", "", f"{rest} more findings of claims.")
        of_claims = [*of_claims[:MOST_OF_A_SET], more]
    return [*found, *of_claims, *guide]


def _of_claim(claim: Any) -> Iterable[Finding]:
    where = f"claim {claim.ordinal}"
    if not claim.sound:
        yield Finding(
            "E_835_CLAIM",
            where,
            "The claim is cut off or its amounts cannot be read; it is shown and not posted.",
        )
        return
    difference = claim_difference(claim)
    if difference is None:
        yield Finding("W_835_CLAIM_AMOUNT", where, "An adjustment of the claim cannot be read.")
    elif difference:
        yield Finding(
            "W_835_CLAIM_UNBALANCED",
            where,
            f"Charge less payment and adjustments leaves {cents_to_text(difference)}.",
        )
    lines = [line.paid_cents for line in claim.lines]
    if lines and None not in lines and not claim.adjustments and sum(lines) != claim.paid_cents:
        yield Finding("W_835_LINES", where, "The lines were paid another sum than the claim.")
    if any(one.group not in GROUPS for one in all_adjustments(claim)):
        yield Finding("W_835_GROUP", where, "An adjustment is of a group the guide does not know.")
    if not claim.control_number:
        yield Finding("W_835_NO_CONTROL_NUMBER", where, "The claim carries no number of ours.")
