"""Services to claims: one for each patient, payer, billing and rendering provider, within limits.

Owns grouping, line order, diagnosis pointers, places, charges, numbers, and what is held back with
its reason. Does not own what a posting or a visit bills, nor where values are recorded. Nothing is
made up: what a record lacks holds the services that need it.

A claim is replaced or voided by ``replacement_of`` and ``void_of``, which keep its number.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain

from billing.claims.charges import ChargeSchedule
from billing.claims.claim import (
    MOST_DIAGNOSES,
    MOST_LINES,
    MOST_POINTERS,
    REPLACEMENT,
    VOID,
    BillingProvider,
    Claim,
    Coverage,
    Dependent,
    Facility,
    OtherCoverage,
    Provider,
    ServiceLine,
)
from billing.claims.complete import lack, lacking
from billing.finding import Finding, Severity

INSTITUTIONAL = "E_INSTITUTIONAL_CLAIM"
"""RHC and FQHC bill on the institutional claim, which is not written here."""
NO_CHARGE = "E_NO_CHARGE"
INSTITUTIONAL_SETTINGS = frozenset(("RHC", "FQHC"))


@dataclass(frozen=True)
class ClaimHead:
    """What all services of a claim share."""

    billing: BillingProvider
    coverage: Coverage
    rendering: Provider | None
    dependent: Dependent | None = None
    referring: Provider | None = None
    supervising: Provider | None = None
    facility: Facility | None = None
    prior_authorization: str = ""
    others: tuple[OtherCoverage, ...] = ()


@dataclass(frozen=True)
class Service:
    """A line to bill: a standing posting, or a line of an accepted visit, by its id.

    ``from_day`` and ``to_day`` differ only where the payer wants the range of a supply period.
    """

    id: str
    head: ClaimHead
    procedure: str
    units: int
    from_day: date
    to_day: date
    place: str
    diagnoses: tuple[str, ...]
    setting: str = "OFFICE"  # billing.ledger.facts.SETTINGS
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class AssembledClaim:
    """A claim, and the ids of the services of its lines in their order."""

    claim: Claim
    service_ids: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """A service that makes no claim yet, and why."""

    service_id: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Assembled:
    """Claims that can be written, and services held: every service is in exactly one of them."""

    claims: tuple[AssembledClaim, ...]
    held: tuple[Held, ...]


def assemble(
    services: Iterable[Service], charges: ChargeSchedule, control_numbers: Iterator[str]
) -> Assembled:
    """Claims of services. Their order does not matter: claims and lines have one of their own.

    A patient control number is taken from ``control_numbers`` for each claim that can be written.
    ValueError when a service is given twice.
    """
    given = sorted(services, key=_order)
    if len({one.id for one in given}) < len(given):
        raise ValueError("a service is given twice")
    held = {one.id: found for one in given if (found := _refused(one, charges))}
    groups: dict[ClaimHead, list[Service]] = {}
    for service in given:
        if service.id not in held:
            groups.setdefault(service.head, []).append(service)
    claims = []
    for part in chain.from_iterable(_within_limits(group) for group in groups.values()):
        draft = _claim(part, charges, "DRAFT")
        if found := _stopping(draft):
            held.update((one.id, found) for one in part)
        else:
            numbered = _claim(part, charges, next(control_numbers))
            claims.append(AssembledClaim(numbered, tuple(one.id for one in part)))
    return Assembled(
        tuple(claims), tuple(Held(one.id, held[one.id]) for one in given if one.id in held)
    )


def replacement_of(sent: Claim, corrected: Claim, payer_claim_number: str) -> Claim:
    """The corrected claim in the place of a sent one: frequency 7, the sent claim's number."""
    return replace(
        corrected,
        control_number=sent.control_number,
        frequency=REPLACEMENT,
        payer_claim_number=payer_claim_number,
    )


def void_of(sent: Claim, payer_claim_number: str) -> Claim:
    """The sent claim taken back: frequency 8, nothing else changed."""
    return replace(sent, frequency=VOID, payer_claim_number=payer_claim_number)


def _order(service: Service) -> tuple[date, str, str]:
    return service.from_day, service.procedure, service.id


def _refused(service: Service, charges: ChargeSchedule) -> tuple[Finding, ...]:
    """Why a service goes on no professional claim, whatever else is known."""
    found = []
    if service.setting in INSTITUTIONAL_SETTINGS:
        message = f"A service of an {service.setting} goes on the institutional claim (837I)."
        found.append(Finding(INSTITUTIONAL, "setting of the episode", message))
    if _cents(service, charges) is None:
        message = "The practice's schedule has no charge for the code on the day. Add it."
        found.append(Finding(NO_CHARGE, "schedule of charges", message))
    if not any(_codes(service)):
        found.append(lack("diagnosis of the service"))
    return tuple(found)


def _cents(service: Service, charges: ChargeSchedule) -> int | None:
    return charges.cents(service.procedure, service.modifiers, service.units, service.from_day)


def _within_limits(services: list[Service]) -> Iterator[list[Service]]:
    """The services of one head in claims of at most 50 lines and 12 diagnoses, in order."""
    part: list[Service] = []
    diagnoses: set[str] = set()
    for service in services:
        more = diagnoses | set(_codes(service))
        if part and (len(part) == MOST_LINES or len(more) > MOST_DIAGNOSES):
            yield part
            part, more = [], set(_codes(service))
        part.append(service)
        diagnoses = more
    if part:
        yield part


def _codes(service: Service) -> tuple[str, ...]:
    """The diagnoses that a line points to: the first four, without their point."""
    without_point = (code.replace(".", "") for code in service.diagnoses)
    return tuple(dict.fromkeys(without_point))[:MOST_POINTERS]


def _claim(part: list[Service], charges: ChargeSchedule, control_number: str) -> Claim:
    diagnoses = tuple(dict.fromkeys(chain.from_iterable(map(_codes, part))))
    place = part[0].place
    head = part[0].head
    return Claim(
        control_number=control_number,
        billing=head.billing,
        coverage=head.coverage,
        place=place,
        diagnoses=diagnoses,
        lines=tuple(
            ServiceLine(
                procedure=service.procedure,
                charge_cents=_cents(service, charges) or 0,
                units=service.units,
                from_day=service.from_day,
                to_day=service.to_day,
                pointers=tuple(diagnoses.index(code) + 1 for code in _codes(service)),
                control_number=f"{control_number}L{number:02d}",
                modifiers=service.modifiers,
                place="" if service.place == place else service.place,
            )
            for number, service in enumerate(part, start=1)
        ),
        dependent=head.dependent,
        prior_authorization=head.prior_authorization,
        rendering=head.rendering,
        referring=head.referring,
        supervising=head.supervising,
        facility=head.facility,
        others=head.others,
    )


def _stopping(claim: Claim) -> tuple[Finding, ...]:
    return tuple(found for found in lacking(claim) if found.severity is Severity.ERROR)
