"""A superbill as a PDF: what was done for one patient in one month.

Owns how it is told. Does not own which lines stand on it (``billing.claims.superbill``).
"""

from datetime import datetime

from billing.claims.claim import Address, Name, Person, Provider
from billing.claims.superbill import Superbill, SuperbillLine
from rpm.documents.letters import printable
from rpm.documents.sheet import Sheet
from rpm.written import dollars, us_day, us_month

_NAMES = ("Days", "Code", "Service", "Modifiers", "Place", "Units", "Diagnoses", "Charge", "Claim")
_WIDTHS = (17, 8, 22, 11, 6, 6, 14, 11, 13)


def superbill_pdf(bill: Superbill, made_at: datetime) -> bytes:
    """The superbill on paper; the same one gives the same bytes."""
    practice = name_of(bill.billing.name)
    sheet = Sheet(
        title=f"Superbill, {us_month(bill.to_day)}",
        head=f"{practice}, NPI {bill.billing.npi}: superbill of {us_month(bill.to_day)}",
        foot="Charges are the practice's own; what a payer allows is not told here.",
        made_at=made_at,
    )
    sheet.title_line(f"Superbill, {us_month(bill.to_day)}")
    sheet.pairs(_parties(bill, practice))
    sheet.heading("Services")
    sheet.grid(_NAMES, [_row(line) for line in bill.lines], _WIDTHS, right=(5, 7))
    sheet.pairs([("Total", dollars(bill.charge_cents))])
    return sheet.data()


def _parties(bill: Superbill, practice: str) -> list[tuple[str, str]]:
    return [
        ("Practice", practice),
        ("Address", address_of(bill.billing.address)),
        ("Tax id", bill.billing.tax_id),
        ("NPI", bill.billing.npi),
        ("Rendered by", "; ".join(_provider(one) for one in bill.providers)),
        ("Patient", name_of(bill.patient.name)),
        ("Born", _born(bill.patient)),
        ("Address", address_of(bill.patient.address)),
        *(
            ("Coverage", f"{one.payer.name}, member {one.member_id}, rank {one.rank}")
            for one in bill.coverages
        ),
        ("From and to", f"{us_day(bill.from_day)} to {us_day(bill.to_day)}"),
    ]


def _row(line: SuperbillLine) -> tuple[str, ...]:
    return (
        us_day(line.to_day)
        if line.from_day == line.to_day
        else f"{us_day(line.from_day)} to {us_day(line.to_day)}",
        line.procedure,
        line.label,
        " ".join(line.modifiers),
        line.place,
        str(line.units),
        " ".join(line.diagnoses),
        dollars(line.charge_cents),
        line.control_number,
    )


def name_of(name: Name) -> str:
    """A name as it is spoken, in letters of a document."""
    parts = (name.first, name.middle, name.last, name.suffix)
    return printable(" ".join(part for part in parts if part))


def address_of(address: Address | None) -> str:
    """An address in one line; empty where none is known."""
    if address is None:
        return ""
    street = ", ".join(part for part in (address.street, address.street_more) if part)
    code = address.postal_code
    zip_code = f"{code[:5]}-{code[5:]}" if len(code) > 5 else code
    return ", ".join(
        part for part in (street, f"{address.city}, {address.state} {zip_code}") if part
    )


def _provider(provider: Provider) -> str:
    return f"{name_of(provider.name)}, NPI {provider.npi}"


def _born(person: Person) -> str:
    return "" if person.birth_day is None else us_day(person.birth_day)
