"""Claims for tests: a sound one, any number with hostile names, and what others say of a file.

Owns making claims and asking pyx12 and x12sdk. Does not own what is expected of them.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from random import Random

from billing.claims.claim import (
    Address,
    Adjudication,
    Adjustment,
    BillingProvider,
    Claim,
    Coverage,
    Dependent,
    Facility,
    Name,
    OtherCoverage,
    Payer,
    Person,
    Provider,
    ServiceLine,
)
from billing.claims.x12.envelope import (
    ClaimFile,
    ClaimSet,
    Interchange,
    Party,
    Receiver,
    Submitter,
)

MADE = datetime(2026, 11, 24, 9, 30)  # noqa: DTZ001 - the sender's local minute
HOSTILE = (
    *(
        "O*BRIEN",
        "SMITH~JONES",
        "A:B^C",
        "NÚÑEZ",
        "ÅSTRÖM-ØDEGÅRD",
        "STRAUSS ß",
        "MÜLLER>LÜDENSCHEID",
    ),
    *(
        "X" * 60,
        "van der  Berg\nNM1*85*2",
        "D’ARTAGNAN",
        "O'NEIL",
        "ŁUKASZ | ~GE*1*1~IEA*1",
        "Y" * 80,
    ),
)
"""Names that people have, and names that would break a careless writer."""

OFFICE = Address("100 MAIN ST", "SPRINGFIELD", "IL", "627010001", "SUITE 4")
HOME = Address("22 ELM ST", "SPRINGFIELD", "IL", "62704")
BILLING = BillingProvider(
    Name("LAKESIDE MEDICAL GROUP", organization=True),
    "1234567893",
    OFFICE,
    "371234567",
    taxonomy="207R00000X",
)
RENDERING = Provider(Name("GREEN", "ALICE", "M"), "1245319599", "207R00000X")
SUPERVISING = Provider(Name("WEBER", "HANS", suffix="JR"), "1003000126")
REFERRING = Provider(Name("PARK", "JIN"), "1679576722")
MEDICARE = Payer("MEDICARE B ILLINOIS", "06102")
PATIENT = Person(Name("DOE", "JANE", "Q"), date(1948, 3, 2), "F", HOME)
COVERAGE = Coverage(MEDICARE, PATIENT, "1EG4TE5MK73", "MB")
SUPPLY = ServiceLine("99454", 6_500, 1, date(2026, 10, 1), date(2026, 10, 30), (1, 2), "L0001")
TREATMENT = ServiceLine("99457", 5_500, 1, date(2026, 10, 31), date(2026, 10, 31), (1,), "L0002")
MORE = ServiceLine("99458", 8_400, 2, date(2026, 10, 31), date(2026, 10, 31), (1,), "L0003")
CLAIM = Claim(
    "C000001",
    BILLING,
    COVERAGE,
    "11",
    ("I10", "E119"),
    (SUPPLY, TREATMENT, MORE),
    rendering=RENDERING,
)
CHILD = Dependent(Person(Name("DOE", "TIM"), date(2015, 5, 6), "M", HOME), "19")
SECOND = replace(
    COVERAGE,
    payer=Payer("ACME HEALTH", "99999"),
    filing_code="CI",
    rank="S",
    member_id="A77",
)
PAID_FIRST = OtherCoverage(MEDICARE, PATIENT.name, "1EG4TE5MK73", "MB", "P", paid_cents=4_400)
ADJUDICATED = replace(
    TREATMENT,
    adjudications=(
        Adjudication(
            "06102",
            4_400,
            1,
            date(2026, 11, 14),
            (Adjustment("CO", "45", 100), Adjustment("PR", "1", 200), Adjustment("PR", "2", 800)),
        ),
    ),
)
EVERYTHING = replace(
    CLAIM,
    control_number="C000002",
    coverage=SECOND,
    dependent=CHILD,
    frequency="7",
    payer_claim_number="2026300123456",
    prior_authorization="PA778",
    note="CORRECTED UNITS",
    supervising=SUPERVISING,
    referring=REFERRING,
    facility=Facility("LAKESIDE ANNEX", "1679576722", OFFICE),
    others=(PAID_FIRST,),
    lines=(replace(SUPPLY, place="10", modifiers=("95", "KX")), ADJUDICATED),
)
VOIDED = replace(CLAIM, control_number="C000003", frequency="8", payer_claim_number="2026300123457")


def interchange(number: int = 41) -> Interchange:
    """An envelope of a test file."""
    ends = (Party("ZZ", "LAKESIDE", "LAKESIDE"), Party("ZZ", "CLEARHOUSE", "CLEARHOUSE"))
    return Interchange(*ends, number, number + 1, MADE, production=False)


def claim_file(*sets: tuple[Claim, ...]) -> ClaimFile:
    """A file of sets of claims."""
    submitter = Submitter("LAKESIDE MEDICAL GROUP", "LAKESIDE", "BILLING OFFICE", "2175550100")
    receiver = Receiver("CLEARHOUSE", "CLEARHOUSE")
    return ClaimFile(
        interchange(),
        tuple(
            ClaimSet(number, f"BATCH{number}", submitter, receiver, claims)
            for number, claims in enumerate(sets, start=1)
        ),
    )


def hostile_claim(number: int, chance: Random) -> Claim:
    """A claim with names from the hostile ones and shape by chance; its number tells it apart."""

    def name(*, organization: bool = False) -> Name:
        if organization:
            return Name(chance.choice(HOSTILE), organization=True)
        return Name(*(chance.choice(HOSTILE) for _ in range(4)))

    home = Address(chance.choice(HOSTILE), chance.choice(HOSTILE), "IL", "62704")
    born = date(1940, 1, 1) + timedelta(days=chance.randrange(20_000))
    person = Person(name(), born, chance.choice("FM"), home)
    lines = tuple(
        replace(
            chance.choice((SUPPLY, TREATMENT, MORE)),
            charge_cents=chance.randrange(1, 99_999),
            control_number=f"L{number:06d}{place:02d}",
            modifiers=tuple(chance.sample(("95", "KX", "25", "GT"), chance.randrange(5))),
        )
        for place in range(1, chance.choice((2, 4, 51)))
    )
    return Claim(
        f"C{number:09d}",
        replace(BILLING, name=name(organization=True)) if chance.random() < 0.2 else BILLING,
        replace(COVERAGE, subscriber=person, payer=Payer(chance.choice(HOSTILE), "06102")),
        chance.choice(("11", "02", "10")),
        tuple(chance.sample(("I10", "E119", "J449", "I509", "N183"), chance.randrange(2, 5))),
        lines,
        dependent=Dependent(replace(person, name=name()), "19") if chance.random() < 0.3 else None,
        note=chance.choice(("", *HOSTILE)),
        rendering=replace(RENDERING, name=name()),
        supervising=replace(SUPERVISING, name=name()) if chance.random() < 0.3 else None,
        facility=Facility(chance.choice(HOSTILE), "1679576722", home)
        if chance.random() < 0.3
        else None,
        others=(replace(PAID_FIRST, rank="S", subscriber=name(), paid_cents=None),)
        if chance.random() < 0.2
        else (),
    )


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    kept, logger = _Kept(), logging.getLogger("pyx12")
    logger.addHandler(kept)
    try:
        yield kept.lines
    finally:
        logger.removeHandler(kept)


def pyx12_verdict(content: bytes, folder: Path) -> tuple[bool, list[str]]:
    """Whether pyx12's function, never its command, finds a file valid, and what it said."""
    from pyx12.params import params
    from pyx12.x12n_document import x12n_document

    path = folder / "claims.837"
    path.write_bytes(content)
    with _listening() as lines:
        try:
            valid = x12n_document(params(), str(path), StringIO(), None, None, None)
        except Exception as error:  # noqa: BLE001 - pyx12 raises many kinds; all are a failure
            return False, [*lines, type(error).__name__]
    return bool(valid), lines
