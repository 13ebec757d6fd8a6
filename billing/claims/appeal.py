"""An appeal: the letter's text from a claim's facts, and what belongs into the packet.

Owns the template and the outcomes. Does not own the packet's look (``rpm.documents.appeal``) nor
what makes a denial (``denial``). The letter says only what the record holds; a person reads it and
may change every word before it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing.claims.claim import Address, Claim, Name
from billing.claims.denial import Reason
from billing.money import Cents

OUTCOMES = ("overturned", "partly-overturned", "upheld", "withdrawn")
"""What a payer said, or that the practice took it back."""
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_ARGUMENTS = {
    "level": "The enclosed evidence lists the days and minutes that support the code as billed.",
    "units": "The enclosed evidence lists each service by its day; none was billed twice.",
    "records": "The records that you asked for are enclosed.",
    "diagnosis": "The enclosed evidence names the order and the diagnosis it was given for.",
    "late": "The claim was first sent within your filing limit; proof of acceptance is enclosed.",
    "bundled": "The services were distinct; the enclosed evidence lists what was done and when.",
    "not-covered": "The service meets the conditions of coverage as set out in the evidence.",
    "authorization": "Please take the authorization named below, or grant it after the fact.",
}
"""What is usually argued, by group of reasons; a person must check that it is true here."""
UNCHECKED_GROUPS = frozenset({"late", "bundled", "not-covered", "authorization", "units"})
"""Groups whose argument no record of the product proves: the letter marks it to be checked."""


@dataclass(frozen=True)
class AppealFacts:
    """What a letter tells."""

    claim: Claim
    practice_phone: str
    payer_claim_number: str
    reasons: tuple[Reason, ...]
    at_stake_cents: Cents
    answered_on: date | None
    trace_number: str
    level: int
    letter_day: date
    evidence: tuple[str, ...]  # one sentence for each proven line


@dataclass(frozen=True)
class Part:
    """One part of a packet; ``missing`` tells why it is not in it."""

    title: str
    missing: str = ""


def packet_parts(
    evidence_lines: int, unproven: Sequence[str], *, has_answer: bool
) -> tuple[Part, ...]:
    """What a packet holds, in order; a part that cannot be made is told with its reason."""
    evidence = Part("Evidence", "" if evidence_lines else "no line of the claim is a posting")
    if evidence_lines and unproven:
        evidence = Part(f"Evidence, without {', '.join(unproven)}")
    return (
        Part("Letter"),
        Part("Remittance excerpt", "" if has_answer else "no remittance is posted"),
        evidence,
    )


def letter_text(facts: AppealFacts) -> str:
    """The letter as plain text, one paragraph a line; what is not known is left out."""
    lines = [
        *_heads(facts),
        "",
        f"Appeal, level {facts.level}",
        *_subject(facts),
        "",
        "To the appeals department:",
        "",
        *_body(facts),
        "",
        "Please review the claim and pay it as billed. If you uphold your decision, please name"
        " the policy and the clinical or coding ground it rests on, and the next level of appeal.",
        "",
        "Sincerely,",
        "",
        spoken(facts.claim.billing.name),
        f"NPI {facts.claim.billing.npi}",
    ]
    if facts.practice_phone:
        lines.append(f"Telephone {facts.practice_phone}")
    return "\n".join(lines)


def _heads(facts: AppealFacts) -> list[str]:
    billing, payer = facts.claim.billing, facts.claim.coverage.payer
    return [
        spoken(billing.name),
        *_address(billing.address),
        "",
        us_long_day(facts.letter_day),
        "",
        payer.name,
        *_address(payer.address),
    ]


def _subject(facts: AppealFacts) -> list[str]:
    claim = facts.claim
    days = [day for line in claim.lines for day in (line.from_day, line.to_day)]
    pairs = [
        ("Patient", spoken(claim.patient.name)),
        ("Born", us_long_day(claim.patient.birth_day) if claim.patient.birth_day else ""),
        ("Member id", claim.coverage.member_id),
        ("Your claim number", facts.payer_claim_number),
        ("Our claim number", claim.control_number),
        ("Services", f"{us_long_day(min(days))} to {us_long_day(max(days))}"),
        ("Your decision of", us_long_day(facts.answered_on) if facts.answered_on else ""),
        ("Payment number", facts.trace_number),
        ("Amount in question", _dollars(facts.at_stake_cents)),
    ]
    return [f"{name}: {value}" for name, value in pairs if value]


def _body(facts: AppealFacts) -> list[str]:
    told = []
    for reason in facts.reasons:
        codes = ", ".join(reason.procedures) or "the claim"
        remarks = f" with remark {', '.join(reason.remarks)}" if reason.remarks else ""
        told.append(
            f"You did not pay {_dollars(reason.cents)} for {codes}, reason"
            f" {reason.adjustment}{remarks}. We do not agree."
        )
        if argument := _ARGUMENTS.get(reason.group.key):
            mark = "[CHECK] " if reason.group.key in UNCHECKED_GROUPS else ""
            told.append(mark + argument)
    if not facts.reasons:
        told.append(
            f"You paid {_dollars(facts.at_stake_cents)} less than your schedule allows for this"
            " claim. We ask you to correct the payment."
        )
    return [*told, *facts.evidence]


def is_checked(letter: str) -> bool:
    """Whether nobody left a mark in the letter that asks for checking."""
    return "[CHECK]" not in letter


def spoken(name: Name) -> str:
    """A name as it is spoken."""
    return " ".join(part for part in (name.first, name.middle, name.last, name.suffix) if part)


def _address(address: Address | None) -> list[str]:
    if address is None or not address.street:
        return []
    code = address.postal_code
    zip_code = f"{code[:5]}-{code[5:]}" if len(code) > 5 else code
    streets = [part for part in (address.street, address.street_more) if part]
    return [*streets, f"{address.city}, {address.state} {zip_code}"]


def us_long_day(day: date) -> str:
    """``2026-11-24`` as ``November 24, 2026``."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def _dollars(cents: Cents) -> str:
    return f"${cents // 100:,}.{cents % 100:02d}"
