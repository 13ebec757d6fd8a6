"""Rates of claims: clean, settled at once, rejected, denied; by payer, code and reason.

Owns which claims count. Does not own the definitions' words (``definitions``).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from billing.claims.figures.figure import ClaimId, Figure, Group, Span, share
from billing.claims.figures.story import Story

BY = ("payer", "code", "reason")
"""What a rate is broken down by."""


def clean_claims(told: Iterable[Story], span: Span) -> Figure:
    """Of claims sent in the span and answered, those neither held before nor rejected."""
    of = [one for one in told if span.holds(one.first_sent) and one.answered_first]
    return share("clean-claims", _ids(one for one in of if one.clean), _ids(of))


def first_pass(told: Iterable[Story], span: Span) -> Figure:
    """Of first attempts adjudicated or rejected in the span, those with nothing refused."""
    of = [one for one in told if _first_pass_counts(one, span)]
    settled = (one for one in of if not one.first_attempt_rejected and not one.refused_first)
    return share("first-pass", _ids(settled), _ids(of))


def _first_pass_counts(one: Story, span: Span) -> bool:
    if one.first_attempt_rejected:
        return span.holds(one.first_sent)
    first = one.first_answer
    return first is not None and first.attempt <= 1 and span.holds(first.on_day)


def rejections(told: Iterable[Story], span: Span) -> Figure:
    """Of claims sent in the span and answered, those rejected at any attempt."""
    of = _sent(told, span)
    return share("rejections", _ids(one for one in of if one.rejected), _ids(of))


def denials(told: Iterable[Story], span: Span) -> Figure:
    """Of claims first adjudicated in the span, those of which something was refused."""
    of = adjudicated(told, span)
    return share("denials", _ids(one for one in of if one.refused_first), _ids(of))


def denied_amount(told: Iterable[Story], span: Span) -> Figure:
    """Cents refused of cents charged, on claims first adjudicated in the span."""
    of = adjudicated(told, span)
    return Figure(
        "denied-amount",
        sum(one.cents for claim in of for one in claim.refused_first),
        sum(one.claim.charge_cents for one in of),
        tuple(_ids(one for one in of if one.refused_first)),
        tuple(_ids(of)),
    )


def rejections_by(told: Iterable[Story], span: Span, by: str) -> list[Group]:
    """The rejection rate of each payer, code or reason; KeyError for anything else."""
    of = _sent(told, span)
    counted = [one for one in of if one.rejected]
    named: Naming = {
        "payer": lambda one: [(one.claim.payer, 0)],
        "code": lambda one: [(code, 0) for code in one.claim.procedures],
        "reason": lambda one: [(reason, 0) for reason in one.claim.rejected_for],
    }[by]
    return _groups("rejections", counted, of, named, _against(by))


def denials_by(told: Iterable[Story], span: Span, by: str) -> list[Group]:
    """The denial rate of each payer, code or reason; KeyError for anything else.

    A refusal of the whole claim counts for each of its codes, its cents for none of them.
    """
    of = adjudicated(told, span)
    counted = [one for one in of if one.refused_first]
    named: Naming = {
        "payer": lambda one: [(one.claim.payer, found.cents) for found in one.refused_first],
        "code": _refused_codes,
        "reason": lambda one: [(found.reason, found.cents) for found in one.refused_first],
    }[by]
    return _groups("denials", counted, of, named, _against(by))


def _refused_codes(one: Story) -> list[tuple[str, int]]:
    named = [(found.procedure, found.cents) for found in one.refused_first if found.procedure]
    if len(named) < len(one.refused_first):
        named += [(code, 0) for code in one.claim.procedures]
    return named


Naming = Callable[[Story], Iterable[tuple[str, int]]]
"""Names that a claim counts under, each with the cents that are refused under it."""


def _against(by: str) -> Callable[[Story], Iterable[str]] | None:
    """The names under which a claim is in the denominator; None: under every name."""
    if by == "reason":
        return None
    return lambda one: (one.claim.payer,) if by == "payer" else one.claim.procedures


def adjudicated(told: Iterable[Story], span: Span) -> list[Story]:
    """Claims whose first answer of the payer lies in the span."""
    return [
        one for one in told if one.first_answer is not None and span.holds(one.first_answer.on_day)
    ]


def _sent(told: Iterable[Story], span: Span) -> list[Story]:
    return [one for one in told if span.holds(one.first_sent) and one.answered]


def _groups(
    key: str,
    counted: Iterable[Story],
    of: Sequence[Story],
    named: Naming,
    against: Callable[[Story], Iterable[str]] | None,
) -> list[Group]:
    """Groups by name, the largest numerator first."""
    found: defaultdict[str, dict[ClaimId, None]] = defaultdict(dict)
    cents: defaultdict[str, int] = defaultdict(int)
    for one in counted:
        for name, amount in named(one):
            found[name][one.claim.id] = None
            cents[name] += amount
    all_of: defaultdict[str, dict[ClaimId, None]] = defaultdict(dict)
    for one in of if against is not None else ():
        for name in against(one) if against is not None else ():
            all_of[name][one.claim.id] = None
    everybody = _ids(of)
    told = []
    for name, some in found.items():
        measured = everybody if against is None else list({**all_of[name], **some})
        told.append(Group(name, share(key, list(some), measured), cents[name]))
    return sorted(told, key=lambda one: (-one.figure.numerator, -one.cents, one.name))


def _ids(told: Iterable[Story]) -> list[ClaimId]:
    return [one.claim.id for one in told]
