"""Lines: what an amount of days or seconds earns by the numbers of the rule page in the pack.

Owns bands, units, unit limits, dates of codes, relaxations, waivers and replacements. Does not own
what other lines exclude: a pack shows one event's facts, not all that was billed.
"""

from collections.abc import Iterator
from datetime import date

from billing.evidence.facts import day_of
from billing.evidence.pack import Row
from billing.evidence.papers import Papers


class Lines:
    """One ladder of a page, asked about an episode on a day of service."""

    def __init__(self, papers: Papers, page: Row, ladder: Row, episode: Row, service: date) -> None:
        self._papers, self._page, self._ladder = papers, page, ladder
        self._episode, self._service_day = episode, service

    def band(self, amount: int) -> Row:
        """The band an amount lies in, or the lowest where a relaxation let less suffice."""
        bands = sorted(self._ladder["bands"], key=lambda band: band["at_least"])
        reached: list[Row] = [band for band in bands if band["at_least"] <= amount]
        return (reached or bands[:1])[-1]

    def units(self, amount: int, *, limited: bool) -> dict[str, int]:
        """The codes that an amount earns, with their units."""
        found: dict[str, int] = {}
        for band in sorted(self._ladder["bands"], key=lambda band: -band["at_least"]):
            if self._least(band) <= amount and (band["at_most"] or amount) >= amount:
                for line in band["lines"]:
                    every, beyond = line["every"], amount - band["at_least"]
                    code, units = line["code"], beyond // every if every else 1
                    limit: int | None = self._page["codes"][code]["max_units"] if limited else None
                    if units > 0 and self._payable(code):
                        found |= self._replaced(code, units if limit is None else min(units, limit))
                break
        return found

    def missing(self, measured: Row) -> list[str]:
        """What the ladder needs and does not have."""
        return [need for need in self._ladder["needs"] if not self._has(need, measured)]

    def _has(self, need: str, measured: Row) -> bool:
        if need == "live-contact":
            return bool(measured["live_seconds"] > 0)
        if any(one["gate"] == need and self._on(one) for one in self._page["waivers"]):
            return True
        if need == "consent":
            return any(gate == need for gate, _, _ in self._papers.held(self._episode))
        return self._papers.holds(self._episode, need, self._service_day)

    def _least(self, band: Row) -> int:
        codes = {line["code"] for line in band["lines"]}
        eased = [
            one["at_least"]
            for one in self._page["relaxations"]
            if codes & set(one["codes"])
            and self._on(one)
            and self._papers.holds(self._episode, one["needs"], self._service_day)
        ]
        least: int = min([band["at_least"], *eased])
        return least

    def _payable(self, code: str) -> bool:
        known = self._page["codes"][code]
        first = known["payable_from"]
        begun = first is None or day_of(first) <= self._service_day
        return begun and self._service_day <= day_of(known["payable_to"])

    def _replaced(self, code: str, units: int) -> dict[str, int]:
        """What leaves in place of a code in the episode's setting."""
        found = dict.fromkeys(self._instead(code), 1)
        swapped = any(self._swaps(one, code) for one in self._page["replacements"])
        return found if swapped else {code: units}

    def _instead(self, code: str) -> Iterator[str]:
        for one in self._page["replacements"]:
            if self._swaps(one, code) and one["by"] is not None:
                yield one["by"]

    def _swaps(self, one: Row, code: str) -> bool:
        setting = not one["settings"] or self._episode["setting"] in one["settings"]
        return code in one["codes"] and setting and self._on(one)

    def _on(self, clause: Row) -> bool:
        """Whether a clause is in force on the day of service."""
        return day_of(clause["from_day"]) <= self._service_day <= day_of(clause["to_day"])
