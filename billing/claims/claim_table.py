"""The lines of claims as tables for other billing systems, by profiles that are data.

Owns which value of a claim fills which column, and the profiles' form. Does not own the guard
against formulas (``table``). A profile renames, orders and reformats columns of the generic table;
it holds no expressions. What a system's template looks like today only that system can say: names
in the shipped profiles are to be compared with it.
"""

import csv
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files

from billing.claims.claim import MOST_MODIFIERS, Claim
from billing.claims.table import COLUMNS, guarded
from billing.money import cents_to_text

NUMBERS = frozenset({"units", "charge"})
"""Columns that may begin with a sign."""
DAYS = frozenset({"patient_dob", "dos_from", "dos_to"})
DATE_FORMS: Mapping[str, str] = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "MM/DD/YYYY": "%m/%d/%Y",
    "YYYYMMDD": "%Y%m%d",
}
_KEYS = {"title", "source", "status", "dates", "delimiter", "column"}


class ProfileError(ValueError):
    """A profile that cannot be used, with what is wrong."""


@dataclass(frozen=True)
class Column:
    """A column: its name, and which column of the generic table fills it."""

    name: str
    source: str


@dataclass(frozen=True)
class TableProfile:
    """How a table is written for one system."""

    id: str
    title: str
    status: str
    dates: str  # a key of DATE_FORMS
    delimiter: str
    columns: tuple[Column, ...]


def read_profile(text: str, name: str) -> TableProfile:
    """The profile of a TOML page; ``ProfileError`` for an unknown key, column or form of days."""
    try:
        page = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{name}: {error}") from None
    unknown = page.keys() - _KEYS
    if unknown:
        raise ProfileError(f"{name}: there is no key {min(unknown)}")
    columns = tuple(_columns(page.get("column"), name))
    dates, delimiter = page.get("dates", "YYYY-MM-DD"), page.get("delimiter", ",")
    if dates not in DATE_FORMS:
        raise ProfileError(f"{name}: dates are one of {', '.join(DATE_FORMS)}")
    if delimiter not in (",", ";", "\t", "|"):
        raise ProfileError(f"{name}: the delimiter is a comma, semicolon, tab or bar")
    names = [one.name for one in columns]
    if len(set(names)) < len(names):
        raise ProfileError(f"{name}: a column stands twice")
    return TableProfile(
        name, str(page.get("title", name)), str(page.get("status", "")), dates, delimiter, columns
    )


def _columns(told: object, name: str) -> Iterator[Column]:
    if told is None:
        yield from (Column(one, one) for one in COLUMNS)
        return
    if not isinstance(told, list):
        raise ProfileError(f"{name}: columns are given as [[column]]")
    for one in told:
        if set(one) - {"name", "from"} or "from" not in one:
            raise ProfileError(f"{name}: a column has from, and perhaps name")
        if one["from"] not in COLUMNS:
            raise ProfileError(f"{name}: the table has no column {one['from']}")
        yield Column(str(one.get("name", one["from"])), str(one["from"]))


@lru_cache(maxsize=1)
def shipped_profiles() -> Mapping[str, TableProfile]:
    """The profiles that are shipped, by id."""
    folder = files("billing.claims") / "data" / "tables"
    pages = {
        one.name.removesuffix(".toml"): one.read_text(encoding="utf-8")
        for one in folder.iterdir()
        if one.name.endswith(".toml")
    }
    return {name: read_profile(pages[name], name) for name in sorted(pages)}


def claim_rows(
    claim: Claim, *, claim_id: str, batch_id: str, record_number: str
) -> list[dict[str, str]]:
    """The lines of a claim in the columns of the generic table, days in ISO form."""
    coverage, patient = claim.coverage, claim.patient
    shared = {
        "batch_id": batch_id,
        "encounter_id": claim.control_number,
        "patient_id": record_number,
        "patient_last": patient.name.last,
        "patient_first": patient.name.first,
        "patient_dob": patient.birth_day.isoformat() if patient.birth_day else "",
        "patient_sex": patient.sex,
        "subscriber_id": coverage.member_id,
        "payer_name": coverage.payer.name,
        "payer_id": coverage.payer.payer_id,
        "group_number": coverage.group_number,
        "rendering_npi": claim.rendering.npi if claim.rendering else "",
        "rendering_taxonomy": claim.rendering.taxonomy if claim.rendering else "",
        "billing_npi": claim.billing.npi,
        "billing_tax_id": claim.billing.tax_id,
        "referring_npi": claim.referring.npi if claim.referring else "",
        "supervising_npi": claim.supervising.npi if claim.supervising else "",
        "facility_npi": claim.facility.npi if claim.facility else "",
        "prior_auth": claim.prior_authorization,
        "orig_claim_number": claim.payer_claim_number,
        "frequency": claim.frequency,
        "note": claim.note,
        "evidence_ref": claim_id,
        **{f"dx{place}": code for place, code in enumerate(claim.diagnoses, start=1)},
    }
    return [
        {
            **shared,
            "line_id": line.control_number,
            "pos": line.place or claim.place,
            "dos_from": line.from_day.isoformat(),
            "dos_to": line.to_day.isoformat(),
            "procedure": line.procedure,
            **{
                f"mod{place}": code
                for place, code in enumerate(line.modifiers[:MOST_MODIFIERS], start=1)
            },
            "units": str(line.units),
            "charge": cents_to_text(line.charge_cents),
            "dx_pointers": ":".join(map(str, line.pointers)),
        }
        for line in claim.lines
    ]


def profiled_csv(profile: TableProfile, rows: Iterable[Mapping[str, str]]) -> bytes:
    """Rows of the generic table as a profile wants them: UTF-8, CRLF, leading zeros kept as text.

    No cell begins as a formula does, in a name of a column neither.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=profile.delimiter, lineterminator="\r\n")
    writer.writerow([guarded(column.name) for column in profile.columns])
    for row in rows:
        writer.writerow([_cell(profile, column, row) for column in profile.columns])
    return text.getvalue().encode("utf-8", "replace")


def _cell(profile: TableProfile, column: Column, row: Mapping[str, str]) -> str:
    told = row.get(column.source, "")
    if column.source in NUMBERS:
        return told
    if column.source in DAYS and told:
        return date.fromisoformat(told).strftime(DATE_FORMS[profile.dates])
    return guarded(told)
