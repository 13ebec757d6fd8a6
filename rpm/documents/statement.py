"""A patient's statement as a PDF: one page or more that a patient understands.

Owns how it is told. Does not own the amounts (``billing.claims.statement``). It is written for
patients: no reason codes, no diagnoses, and it never asks for what a payer has not answered.
"""

from datetime import datetime

from billing.claims.claim import Address
from billing.claims.statement import Statement, StatementLine
from rpm.documents.letters import printable
from rpm.documents.sheet import Sheet
from rpm.documents.superbill import address_of, name_of
from rpm.written import dollars, us_day

_NAMES = ("Days of service", "Services", "Insurer", "Charged", "Insurer paid", "Reduced", "You owe")
_WIDTHS = (24, 18, 24, 13, 14, 13, 13)
_WAITS = "not answered"


def statement_pdf(statement: Statement, made_at: datetime) -> bytes:
    """The statement on paper; the same one gives the same bytes."""
    practice = name_of(statement.practice)
    sheet = Sheet(
        title=f"Statement of {us_day(statement.made_day)}",
        head=f"{practice}: statement of {us_day(statement.made_day)}",
        foot="Keep this page for your records.",
        made_at=made_at,
    )
    sheet.text_line(practice)
    _address(sheet, statement.practice_address)
    if statement.practice_phone:
        sheet.text_line(statement.practice_phone)
    sheet.ln(24)
    sheet.text_line(name_of(statement.patient))
    _address(sheet, statement.patient_address)
    sheet.ln(18)
    sheet.title_line(_asked(statement))
    sheet.pairs(
        [
            ("Patient", f"{name_of(statement.patient)}, record {statement.record_number}"),
            ("Date", us_day(statement.made_day)),
            ("Your share in all", dollars(statement.patient_cents)),
            ("You paid", dollars(statement.paid_cents)),
            ("Balance", dollars(statement.balance_cents)),
        ]
    )
    if statement.lines:
        sheet.heading("Services")
        sheet.grid(_NAMES, [_row(one) for one in statement.lines], _WIDTHS, right=(3, 4, 5, 6))
    if statement.payments:
        sheet.heading("Your payments")
        rows = [(us_day(one.on_day), one.method, dollars(one.cents)) for one in statement.payments]
        sheet.grid(("Day", "How", "Amount"), rows, (30, 40, 20), right=(2,))
    if statement.waiting:
        sheet.quiet_line(
            "Your insurer has not answered for every service. Nothing is asked for those yet."
        )
    sheet.quiet_line(
        "Reduced: what was agreed with your insurer, or refused by it; you do not owe it."
        " Ask us about anything on this page that you do not understand."
    )
    return sheet.data()


def _asked(statement: Statement) -> str:
    if statement.balance_cents > 0:
        return f"Please pay {dollars(statement.balance_cents)}"
    if statement.balance_cents < 0:
        return f"We owe you {dollars(-statement.balance_cents)}"
    return "Nothing to pay"


def _address(sheet: Sheet, address: Address | None) -> None:
    if address is not None:
        street, _, rest = printable(address_of(address)).rpartition(f", {address.city}")
        sheet.text_line(street)
        sheet.text_line(f"{address.city}{rest}")


def _row(line: StatementLine) -> tuple[str, ...]:
    days = us_day(line.from_day)
    if line.from_day != line.to_day:
        days = f"{days} to {us_day(line.to_day)}"
    amounts = (line.payer_cents, line.adjusted_cents, line.patient_cents)
    return (
        days,
        ", ".join(line.procedures),
        line.payer_name,
        dollars(line.charge_cents),
        *(_WAITS if cents is None else dollars(cents) for cents in amounts),
    )
