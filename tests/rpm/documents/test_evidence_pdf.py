"""Evidence on paper: what an auditor reads stands in the document, whole and always the same."""

import copy
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from rpm.documents.evidence import evidence_pdf
from rpm.documents.letters import ENCODING, printable

PACKS = Path(__file__).parents[2] / "files" / "evidence"
_SHOWN = re.compile(rb"\(((?:\\.|[^\\()])*)\) Tj")


def pack_of(code: str) -> dict[str, Any]:
    """A pack of the test files."""
    content: dict[str, Any] = json.loads((PACKS / f"posting-{code}.json").read_text("utf-8"))
    return content


def text_of(document: bytes) -> str:
    """What a reader sees, cell after cell: the document embeds no font, so its text is plain."""
    shown = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL):
        try:
            page = zlib.decompress(stream)
        except zlib.error:
            continue
        shown += [re.sub(rb"\\(.)", rb"\1", part) for part in _SHOWN.findall(page)]
    return b" ".join(shown).decode(ENCODING)


def test_supply_is_told_with_days_papers_rule_and_digests() -> None:
    """Every day of the pack, left-out days with their reasons, every digest of a fact."""
    pack = pack_of("99454")
    text = text_of(evidence_pdf(pack))
    assert "99454 Device supply, long (16 to 30 days), Jan 31, 2026" in text
    for told in (
        "Example Practice, NPI 1234567893",
        "$52.11 (SETTLED)",
        "18 days with qualifying readings",
        "Days that count: 18",
        "Jan 20, 2026: entered by hand",
        "Jan 1, 2026, written, taken by Ada Admin, told of cost sharing",
        "ordered by NPI 1234567893, I10",
        "128 mm[Hg]",
        "Page medicare-b-2026, ladder device-supply: 16 to 30 days give 99454.",
    ):
        assert told in text
    assert pack["digest"] in text
    assert pack["chain"]["at_pack"]["hmac"] in text
    assert all(fact["row_digest"] in text for fact in pack["facts"])
    assert all(source["title"] in text for source in named_sources(pack))


def named_sources(pack: dict[str, Any]) -> list[dict[str, Any]]:
    """The sources of the band of the first event whose titles fit a line."""
    wanted = pack["events"][0]["rule"]["source_ids"]
    told = [one for one in pack["rules"][0]["sources"] if one["id"] in wanted]
    return [one for one in told if len(one["title"]) + len(one["where"]) < 80]


def test_minutes_are_told_entry_by_entry() -> None:
    """Person, start, length, contact, and why an entry does not count."""
    text = text_of(evidence_pdf(pack_of("99458")))
    for told in (
        "51:40 minutes that count, of them 51:40 in live contact",
        "Entries of the time log: 10",
        "no: by clerical staff",
        "Doc Example",
        "length only",
    ):
        assert told in text


def test_the_same_pack_gives_the_same_bytes() -> None:
    """The date inside is the pack's, so a document can be compared byte for byte."""
    pack = pack_of("99454")
    first = evidence_pdf(pack)
    assert first == evidence_pdf(copy.deepcopy(pack))
    assert b"D:20260202150000" in first


def test_pages_are_numbered_and_name_the_practice() -> None:
    """Every page tells whose it is, which pack it belongs to, and which page of how many."""
    pack = pack_of("99454")
    document = evidence_pdf(pack)
    pages = len(re.findall(rb"/Type /Page\b", document))
    text = text_of(document)
    assert pages >= 3
    assert text.count("evidence pack of 99454") == pages
    assert text.count(f"Pack {pack['digest'][:32]}") == pages
    numbered = re.findall(r"Page (\d+) of\s+(\d+)", text)
    assert numbered == [(str(place), str(pages)) for place in range(1, pages + 1)]


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("Zo\u00eb D\u00edaz-M\u00fcller", "Zo\u00eb D\u00edaz-M\u00fcller"),
        ("\u0141ukasz Wi\u015bniewski", "Lukasz Wisniewski"),
        ("Nguy\u1ec5n Th\u1ecb H\u01b0\u01a1ng", "Nguyen Thi Huong"),
        ("\u674e\u660e", "[U+674E][U+660E]"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("a\u0000b", "a[U+0000]b"),
        ("\u201cquoted\u201d \u2013 5 \u20ac", "\u201cquoted\u201d \u2013 5 \u20ac"),
    ],
)
def test_letters_outside_the_fonts_are_replaced_by_rule(recorded: str, shown: str) -> None:
    """Western letters stay; others become the nearest letter, or their number: never lost."""
    assert printable(recorded) == shown


def test_names_of_any_script_reach_the_paper() -> None:
    """A person's name in letters that the fonts lack is told by their numbers."""
    pack = pack_of("99458")
    for fact in pack["facts"]:
        if fact["table"] == "consent":
            fact["stored"]["taken_by"] = "\u674e Nu\u00f1ez"
    assert "taken by [U+674E] Nu\u00f1ez" in text_of(evidence_pdf(pack))
