"""Two pages side by side as text: what one says otherwise than the other, band by band.

Owns the choice of lines. Does not own their wording (``page_text``).
"""

from collections.abc import Iterator
from difflib import SequenceMatcher

from billing.rules.page_text import page_lines
from billing.rules.ruleset import RuleSet

_NAME_LINES = 2


def page_differences(old: RuleSet, new: RuleSet) -> Iterator[str]:
    """Lines of the old page with ``-``, of the new one with ``+``, under what they belong to.

    Every line carries its status and sources. Nothing is given for pages that say the same.
    """
    before, after = list(_placed(old)), list(_placed(new))
    heading = ""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for _, first, last, other_first, other_last in matcher.get_opcodes():
        if before[first:last] == after[other_first:other_last]:
            continue
        changed = [
            *(("-", *one) for one in before[first:last]),
            *(("+", *one) for one in after[other_first:other_last]),
        ]
        for sign, above, line in changed:
            if above != heading and line.startswith(" "):
                yield f"  {above}"
            heading = above
            yield f"{sign} {line}"


def _placed(page: RuleSet) -> Iterator[tuple[str, str]]:
    """Each line of a page with the unindented line above it, which says what it belongs to.

    Not of interest: name, payer, the day it became known, and digest.
    """
    above = ""
    for number, line in enumerate(page_lines(page)):
        if not line or number < _NAME_LINES or line.startswith(("digest ", "known from ")):
            continue
        if not line.startswith(" "):
            above = line.partition("  [")[0]
        yield above, line
