"""Joining a page with the page it ``extends``.

Owns what is replaced and what is added. Does not own which page is extended (``book``).

A ladder replaces the one of its name; other tables (exclusions, stops, notices ...) are added to
those extended; ``em_codes`` and ``not_adopted`` replace when the page gives them; a page's own
codes replace. A page that must do without something is written without ``extends``.
"""

from dataclasses import replace
from datetime import date

from billing.rules.read import digest_of
from billing.rules.references import References
from billing.rules.ruleset import Ladder, RuleSet


def join(page: RuleSet, base: RuleSet, references: References) -> RuleSet:
    """The page with what it does not replace taken from ``base``, under an id of its own.

    The id is the page's; joined with another payer's page it is ``page+base``, and the days are
    those that both cover. The digest is that of the joined content.
    """
    by_payer = page.payer != base.payer
    run = base.id if by_payer else base.id.partition("+")[2]
    own = {name: code for name, code in page.codes.items() if references.codes.get(name) != code}
    joined = replace(
        page,
        id=f"{page.id}+{run}" if run else page.id,
        effective_from=max(page.effective_from, base.effective_from)
        if by_payer
        else page.effective_from,
        effective_to=_earlier(page.effective_to, base.effective_to)
        if by_payer
        else page.effective_to,
        known_from=max(page.known_from, base.known_from) if by_payer else page.known_from,
        ladders=_join_ladders(page.ladders, base.ladders),
        codes={**base.codes, **own},
        relaxations=base.relaxations + page.relaxations,
        waivers=base.waivers + page.waivers,
        exclusions=base.exclusions + page.exclusions,
        stops=base.stops + page.stops,
        notices=base.notices + page.notices,
        replacements=base.replacements + page.replacements,
        boundaries=base.boundaries + page.boundaries,
        not_adopted=page.not_adopted or base.not_adopted,
        not_adopted_finding=page.not_adopted_finding or base.not_adopted_finding,
        em_codes=page.em_codes or base.em_codes,
    )
    return replace(joined, digest=digest_of(joined))


def _join_ladders(own: tuple[Ladder, ...], extended: tuple[Ladder, ...]) -> tuple[Ladder, ...]:
    by_name = {ladder.name: ladder for ladder in extended}
    by_name.update({ladder.name: ladder for ladder in own})
    return tuple(by_name.values())


def _earlier(one: date | None, other: date | None) -> date | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
