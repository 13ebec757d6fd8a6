"""What each figure is, in words, with the two numbers it is made of.

Owns the texts that stand beside every figure. Does not own the arithmetic. The definitions are this
product's own, written so that both numbers can be counted from claims; where the field measures
otherwise, the text says so.
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a figure is counted in."""

    PERCENT = "percent"
    DAYS = "days"
    CENTS = "cents"


@dataclass(frozen=True)
class Definition:
    """A figure: numerator over denominator, in words."""

    key: str
    title: str
    unit: Unit
    text: str
    numerator: str
    denominator: str


_ALL = (
    Definition(
        "clean-claims",
        "Clean claim rate",
        Unit.PERCENT,
        "Claims that left without being held and were not rejected, neither by the clearinghouse"
        " nor by the payer. By the month of the first sending; a claim without any answer yet is"
        " in neither number.",
        "claims sent whose first attempt was never held before it left and was not rejected",
        "claims sent whose first attempt was answered",
    ),
    Definition(
        "first-pass",
        "First-pass rate",
        Unit.PERCENT,
        "Claims settled by the first answer of the payer to the first attempt: nothing was refused."
        " The agreed reduction, the patient's share and sequestration refuse nothing. By the month"
        " of the first answer; a rejected first attempt counts as not settled, in the month it was"
        " sent.",
        "claims whose first attempt was adjudicated with nothing refused",
        "claims whose first attempt was adjudicated or rejected",
    ),
    Definition(
        "rejections",
        "Rejection rate",
        Unit.PERCENT,
        "Claims that never reached adjudication at an attempt: refused by a 999, a TA1 or a 277CA."
        " By the month of the first sending.",
        "claims sent of which any attempt was rejected",
        "claims sent of which any attempt was answered",
    ),
    Definition(
        "denials",
        "Denial rate",
        Unit.PERCENT,
        "Claims that the payer adjudicated and refused, wholly or in part, in its first answer."
        " By the month of that answer; what a correction or an appeal brings later does not change"
        " it.",
        "claims whose first answer refused an amount",
        "claims that were adjudicated",
    ),
    Definition(
        "denied-amount",
        "Denied share of charges",
        Unit.PERCENT,
        "What first answers refused, as a share of what was charged on the claims they answer."
        " By the month of the first answer.",
        "cents that first answers refused",
        "cents charged on claims that were adjudicated",
    ),
    Definition(
        "days-in-ar",
        "Days in accounts receivable",
        Unit.DAYS,
        "How many days of charges are owed: what payers and patients owe at the end of the day,"
        " over the charges of an average day. The average is taken over the last 90 days, or since"
        " the first sending where that is less.",
        "cents owed, times the days of the average",
        "cents charged on claims first sent in those days",
    ),
    Definition(
        "net-collection",
        "Net collection rate",
        Unit.PERCENT,
        "What came in of what may be collected: charges less the reductions agreed with the payer."
        " By the month of the first answer; money that came later, up to the day of the figures,"
        " counts.",
        "cents that payers and patients paid on claims that were adjudicated",
        "cents charged on them less agreed reductions",
    ),
    Definition(
        "payment-lag",
        "Payment lag",
        Unit.DAYS,
        "Days from the first sending of a claim to the payment that first brought money for it,"
        " on average. By the month of that payment.",
        "days from first sending to first payment, added up",
        "claims paid for the first time",
    ),
    Definition(
        "expected-paid",
        "Paid of expected",
        Unit.PERCENT,
        "What the payer allowed, beside what its own imported schedule gives. Only claims for which"
        " such a schedule has every line; for all others the expected amount is not known and no"
        " estimate takes its place. Sequestration counts as allowed. By the month of the first"
        " answer.",
        "cents paid, patient's share and sequestration",
        "cents that the imported schedule gives",
    ),
    Definition(
        "revenue-per-patient",
        "Revenue per enrolled patient",
        Unit.CENTS,
        "Money that came in during the month for claims, from payers and patients, for each"
        " patient enrolled on its last day. Reversals count against it in their month.",
        "cents received in the month",
        "patients enrolled on its last day",
    ),
    Definition(
        "adherence",
        "Reading adherence",
        Unit.PERCENT,
        "Days with a reading that counts, of all days on which a patient was enrolled in"
        " monitoring.",
        "days with a reading that counts",
        "days enrolled",
    ),
    Definition(
        "pressure-in-control",
        "Blood pressure in control",
        Unit.PERCENT,
        "Patients whose blood pressure was below 140 over 90, both numbers, on average over the"
        " month's readings that count; patients with such readings on fewer than 3 days are left"
        " out. It is a figure of the practice's own readings, not a quality measure as payers"
        " compute it: those take one reading and other exclusions.",
        "patients with an average below 140 and below 90",
        "patients with blood pressure readings on at least 3 days",
    ),
    Definition(
        "time-in-range",
        "Glucose in range",
        Unit.PERCENT,
        "Glucose readings that count, from 70 to 180 mg/dL, both included. Each counts once: with a"
        " meter this is a share of readings, with a sensor of time.",
        "glucose readings from 70 to 180 mg/dL",
        "glucose readings",
    ),
)

DEFINITIONS = {one.key: one for one in _ALL}
"""Every figure by its key, in the order of a page."""
