"""The catalog of edits as a page: Markdown that a biller can read, made from the shipped data.

Owns the wording around the data. Does not own where it is printed (``rpm.commands``).
"""

from collections.abc import Iterator

from billing.coding.catalog import AREAS, Edit, Review, Run, Unrepaired, shipped_edits
from billing.coding.sources import telehealth_sources

_TITLES = {
    "place": "Place of service",
    "modifier": "Modifiers",
    "code": "Choice of code",
    "level": "Levels, minutes and units",
    "coverage": "Coverage",
    "license": "Licenses and compacts",
    "documentation": "The note",
    "prescribing": "Prescribing",
    "pairs": "Between codes",
    "administration": "The claim",
}
_BECOMES = {
    Unrepaired.DROP: "drops the line",
    Unrepaired.HOLD: "holds the claim",
    Unrepaired.LEAVE: "leaves the line for a person",
}
_HEAD = """# Edits of telehealth coding

Made from `billing/rules/data/telehealth/edits.toml` by `rpm-ledger rules edits`; a test keeps it
so. ERROR blocks release, REVIEW needs a person, WARN shows and lets go, INFO is recorded. An ERROR
that the facts can repair changes its line; the last column says what one does that they cannot.
The likely answer is what a payer would probably send: a hint, never a key to match by. Confidence:
A primary text, B society or law firm, C one vendor, U not verified; with C and U a person confirms
the rule (TH-ADM-08). Any edit can be overruled by a named person with a reason
([guide/visits.md](guide/visits.md)).
"""


def catalog_page() -> str:
    """The whole page; every line of it follows from the data."""
    return "\n".join([*_HEAD.splitlines(), *_areas(), *_sources()]) + "\n"


def _areas() -> Iterator[str]:
    edits = shipped_edits().values()
    for area in AREAS:
        yield from ("", f"## {_TITLES[area]}", "")
        yield "| Edit | Weight | Judges | Says | Fix | Likely answer | Source | Without repair |"
        yield "|---|---|---|---|---|---|---|---|"
        for edit in edits:
            if edit.area == area:
                yield "| " + " | ".join(_cells(edit)) + " |"


def _cells(edit: Edit) -> tuple[str, ...]:
    ids = () if edit.source is None else edit.source.ids
    source = " ".join((*ids, edit.basis)).strip()
    becomes = "" if edit.unrepaired is None else _BECOMES[edit.unrepaired]
    if edit.review is not None:
        alone = " unless an ERROR stands on the line" if edit.review is Review.UNLESS_ERROR else ""
        becomes = "; ".join(part for part in (becomes, f"asks for a person{alone}") if part)
    return (
        edit.id,
        edit.severity.value,
        "; ".join(_run(run) for run in edit.runs) or "always",
        edit.message.replace("{", "*").replace("}", "*").replace("|", "or"),
        edit.fix.replace("|", "or"),
        edit.likely_answer,
        f"{source} ({edit.confidence})",
        becomes,
    )


def _run(run: Run) -> str:
    days = (
        f"from {run.from_day}" if run.from_day else "",
        f"to {run.to_day}" if run.to_day else "",
    )
    return " ".join(part for part in (", ".join(run.payers), *days) if part)


def _sources() -> Iterator[str]:
    named = {
        one
        for edit in shipped_edits().values()
        for one in (() if edit.source is None else edit.source.ids)
    }
    yield from ("", "## Sources", "")
    for one in telehealth_sources().values():
        if one.id in named:
            yield f"- {one.id}: {one.title}, {one.where}, last read {one.checked_on}"
