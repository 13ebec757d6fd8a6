"""Check a pack: everything that does not fit, digests first.

Owns the order of the checks. Does not own any of them, nor files (``program``).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from billing.evidence.events import check_event
from billing.evidence.facts import Facts, check_fact, first_of
from billing.evidence.mismatch import Mismatch, differences
from billing.evidence.pack import Row, item_digests, pack_digest, page_digest
from billing.evidence.postings import check_chain, check_close, check_kind, check_posting

_WRONG = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What reading a value of an unexpected form raises: a finding, never the end of the check."""
_Check = Callable[[], Iterable[Mismatch]]


def check(pack: Row) -> list[Mismatch]:
    """Everything in a pack that does not fit; empty when all of it does."""
    found: list[Mismatch] = []
    try:
        facts = Facts(pack["facts"])
    except _WRONG as error:
        return [*_tried("digests", partial(_digests, pack)), _unreadable("facts", error)]
    for path, checked in _checks(pack, facts):
        found += _tried(path, checked)
    return found


def _checks(pack: Row, facts: Facts) -> Iterator[tuple[str, _Check]]:
    yield "digests", partial(_digests, pack)
    yield "kind", partial(check_kind, pack)
    yield "chain", partial(check_chain, pack)
    yield "organization", partial(_organization, pack, facts)
    for at, one in enumerate(pack["facts"]):
        yield f"facts[{at}]", partial(check_fact, f"facts[{at}]", one)
    for at, one in enumerate(pack["rules"]):
        yield f"rules[{at}]", partial(_page, f"rules[{at}]", one)
    for at, one in enumerate(pack["events"]):
        yield f"events[{at}]", partial(check_event, f"events[{at}]", pack, facts, one)
    for at, one in enumerate(pack["postings"]):
        yield f"postings[{at}]", partial(check_posting, f"postings[{at}]", pack, facts, one)
    yield "close", partial(check_close, pack, facts)


def _tried(path: str, checked: _Check) -> list[Mismatch]:
    found: list[Mismatch] = []
    try:
        found.extend(checked())
    except _WRONG as error:
        found.append(_unreadable(path, error))
    return found


def _unreadable(path: str, error: Exception) -> Mismatch:
    return Mismatch(path, f"what cannot be used ({type(error).__name__}: {error})", "nothing")


def _digests(pack: Row) -> Iterator[Mismatch]:
    yield from differences("digest", pack["digest"], pack_digest(pack))
    parts = item_digests(pack)
    for path in sorted(parts.keys() | pack["digests"].keys()):
        told, follows = pack["digests"].get(path), parts.get(path)
        if told != follows:
            yield Mismatch(path, f"what has the digest {follows}", f"what has the digest {told}")


def _organization(pack: Row, facts: Facts) -> Iterator[Mismatch]:
    told = pack["organization"]
    kept = first_of(facts.rows("organization", "id", told["id"]), "the organization")
    yield from differences("organization", told, {name: kept[name] for name in told})


def _page(path: str, page: Row) -> Iterator[Mismatch]:
    yield from differences(f"{path}.id", page["id"], page["content"]["id"])
    yield from differences(f"{path}.digest", page["digest"], page_digest(page["content"]))
