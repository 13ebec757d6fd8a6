"""835 files for tests: made of claims by the segment, balanced unless told otherwise.

Owns writing them, with nothing of the product's readers or writers. Does not own what is expected.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

HEADER = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*PRACTICE       *261101*1000*^*00501"
    "*{number:09d}*0*P*:"
)


def money(cents: int) -> str:
    """Cents as the file writes them."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


@dataclass(frozen=True)
class Line:
    """A service line with its adjustments as group, reason and cents."""

    charge_cents: int
    paid_cents: int
    adjustments: tuple[tuple[str, str, int], ...] = ()
    procedure: str = "99454"
    remarks: tuple[str, ...] = ()
    number: str = "1"


@dataclass(frozen=True)
class Paid:
    """A claim as the payer answers it."""

    control_number: str
    lines: tuple[Line, ...]
    status: str = "1"
    payer_number: str = "ICN1"
    frequency: str = "1"
    last: str = "DOE"
    patient_id: str = "M1"
    more: tuple[str, ...] = ()

    @property
    def paid_cents(self) -> int:
        """What it was paid."""
        return sum(line.paid_cents for line in self.lines)

    def segments(self) -> Iterable[str]:
        """Its loop."""
        charge = sum(line.charge_cents for line in self.lines)
        share = sum(
            cents for line in self.lines for group, _, cents in line.adjustments if group == "PR"
        )
        yield (
            f"CLP*{self.control_number}*{self.status}*{money(charge)}*{money(self.paid_cents)}"
            f"*{money(share) if share > 0 else ''}*MB*{self.payer_number}*11*{self.frequency}"
        )
        yield f"NM1*QC*1*{self.last}*JANE****MI*{self.patient_id}"
        yield from self.more
        for line in self.lines:
            paid = money(line.paid_cents)
            yield f"SVC*HC:{line.procedure}*{money(line.charge_cents)}*{paid}**1"
            yield "DTM*472*20261001"
            for group, reason, cents in line.adjustments:
                yield f"CAS*{group}*{reason}*{money(cents)}"
            yield f"REF*6R*{line.number}"
            yield from (f"LQ*HE*{code}" for code in line.remarks)


@dataclass(frozen=True)
class Payment:
    """A transaction set."""

    claims: Sequence[Paid]
    trace: str = "T1"
    day: str = "20261101"
    adjustments: Sequence[tuple[str, str, int]] = field(default=())  # reason, reference, cents
    paid_cents: int | None = None  # else what balances


def file_of(*payments: Payment, number: int = 1) -> bytes:
    """The whole file, one segment after the other."""
    out = [
        HEADER.format(number=number),
        f"GS*HP*PAYER*PRACTICE*20261101*1000*{number}*X*005010X221A1",
    ]
    for place, payment in enumerate(payments, 1):
        segments = [f"ST*835*{place:04d}", *_set(payment)]
        out += [*segments, f"SE*{len(segments) + 1}*{place:04d}"]
    out += [f"GE*{len(payments)}*{number}", f"IEA*1*{number:09d}"]
    return ("~".join(out) + "~").encode()


def _set(payment: Payment) -> Iterable[str]:
    taken = sum(cents for _, _, cents in payment.adjustments)
    paid = sum(claim.paid_cents for claim in payment.claims) - taken
    if payment.paid_cents is not None:
        paid = payment.paid_cents
    yield f"BPR*I*{money(paid)}*C*CHK************{payment.day}"
    yield f"TRN*1*{payment.trace}*1512345678"
    yield f"DTM*405*{payment.day}"
    yield from (
        "N1*PR*MEDICARE EXAMPLE",
        "N3*1 MAIN",
        "N4*CITY*NY*10001",
        "PER*BL*DESK*TE*8005550100",
    )
    yield from ("N1*PE*PRACTICE*XX*1234567893", "REF*TJ*123456789", "LX*1")
    for claim in payment.claims:
        yield from claim.segments()
    for reason, reference, cents in payment.adjustments:
        yield f"PLB*1234567893*20261231*{reason}:{reference}*{money(cents)}"


def paid(control_number: str, paid_cents: int = 4000, **more: object) -> Paid:
    """A claim of 90.00 with a patient's share of 10.00 and the rest a contract's reduction."""
    rest = 9000 - paid_cents - 1000
    line = Line(9000, paid_cents, (("CO", "45", rest), ("PR", "2", 1000)))
    return Paid(control_number, (line,), **more)  # type: ignore[arg-type] - as the caller tells


def denied(control_number: str, **more: object) -> Paid:
    """The same claim, denied for want of an authorization."""
    line = Line(9000, 0, (("CO", "197", 9000),), remarks=("M127",))
    return Paid(control_number, (line,), status="4", **more)  # type: ignore[arg-type] - as told


def taken_back(claim: Paid) -> Paid:
    """The reversal of a claim: every amount negated."""
    lines = tuple(
        Line(
            -line.charge_cents,
            -line.paid_cents,
            tuple((group, reason, -cents) for group, reason, cents in line.adjustments),
            line.procedure,
            (),
            line.number,
        )
        for line in claim.lines
    )
    return Paid(claim.control_number, lines, "22", claim.payer_number, claim.frequency)


def claim277(number: str, status: str = "A2:20") -> str:
    """A claim in a 277CA."""
    return f"HL*3*2*PT~TRN*2*{number}~STC*{status}*20261101~REF*1K*ICN9~"


def file_277(*claims: str, by: str = "AY", reference: str = "BATCH1", number: int = 600) -> bytes:
    """A 277CA with claims, or the statuses of a batch, told in segments."""
    header = HEADER.format(number=number)
    return (
        f"{header}~GS*HN*HOUSE*US*20261101*1000*1*X*005010X214~ST*277*0001*005010X214~"
        f"BHT*0085*08*X*20261101*1000*TH~HL*1**20*1~NM1*{by}*2*H*****46*H1~HL*2*1*21*1~"
        f"NM1*41*2*US*****46*U1~TRN*2*{reference}~{''.join(claims)}SE*9*0001~GE*1*1~"
        f"IEA*1*{number:09d}~"
    ).encode()
