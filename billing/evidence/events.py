"""Events: what each event of a pack must say, from the facts, the rule page and the profile in it.

Owns the periods and the day of service, and puts the answers of the other modules together. Does
not own readings, entries and lines by themselves.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from billing.evidence.entries import Entries
from billing.evidence.facts import Facts, day_number, day_of, first_of
from billing.evidence.lines import Lines
from billing.evidence.mismatch import Mismatch, differences
from billing.evidence.pack import Row, canonical, sha256
from billing.evidence.papers import Papers
from billing.evidence.readings import Readings, days_of

_WINDOW = timedelta(days=30)
_DAY = timedelta(days=1)
_FACILITY_PLACES = (19, 21, 22)
_NO_AMOUNT = "UNKNOWN"
_STRATEGIES = {
    "anchor": ("first-reading", "previous-service-day"),
    "supply_service_day": ("window-end", "last-reading", "threshold-day"),
}


def check_event(path: str, pack: Row, facts: Facts, event: Row) -> Iterator[Mismatch]:
    """An event against what follows from the pack."""
    follows = _Case(pack, facts, event).follows()
    yield from differences(path, {name: event[name] for name in follows}, follows)


class _Case:
    def __init__(self, pack: Row, facts: Facts, event: Row) -> None:
        self._pack, self._event = pack, event
        self._papers = Papers(facts, event["known_audit_number"])
        episodes = self._papers.rows("episode", "id", event["episode_id"])
        self._episode = first_of(episodes, "the event's episode")
        rule, pages = event["rule"], pack["rules"]
        named = (rule["page_id"], rule["page_digest"])
        fitting = (one for one in pages if (one["id"], one["digest"]) == named)
        self._rules = first_of(fitting, "the event's rule page")
        self._page: Row = self._rules["content"]
        ladders = (one for one in self._page["ladders"] if one["name"] == rule["ladder"])
        self._ladder = first_of(ladders, "the rule's ladder")
        self._profile: Row = pack["profiles"][event["profile"]]
        if any(self._profile[name] not in words for name, words in _STRATEGIES.items()):
            raise LookupError("the profile names no strategy that is known")
        first_of(self._papers.rows("patient", "id", event["patient_id"]), "the patient")
        self._monthly = self._ladder["period"] == "calendar-month"
        self._readings = Readings(self._papers, self._episode, event)
        self._entries = Entries(self._papers, pack, event, self._ladder, self._episode)

    def follows(self) -> Row:
        first, last = self._period_days()
        readings = [] if self._monthly else self._readings.listed(first, last)
        entries = self._entries.listed()
        counted = [day_of(day) for day in days_of(readings)["counted"]]
        measured = self._measured(counted, entries)
        service = self._service_day(last, counted)
        lines = Lines(self._papers, self._page, self._ladder, self._episode, service)
        subject = "patient" if self._monthly else "episode"
        code = self._event["code"]
        limited = self._profile["mue_cap"]
        units = lines.units(measured["amount"], limited=limited).get(code, 0)
        return {
            "key": f"{subject}.{self._event[f'{subject}_id']}.{code}.{first}",
            "label": self._page["codes"][code]["label"],
            "patient_id": self._episode["patient_id"],
            "profile": self._episode.get("profile")
            or self._papers.setting("profile", None)
            or "P0",
            "readings": readings,
            "days": days_of(readings),
            "entries": entries,
            "measured": measured,
            "period": self._period(first, last),
            "service_day": str(service),
            "rule": self._rule(lines.band(measured["amount"])),
            "needs_missing": lines.missing(measured),
            "units": units,
            "gates": self._gates(),
            "coverages": self._coverages(),
            "also_counts": self._also_counts(),
            "em_codes": self._em_codes(),
            "payer_key": self._payer(service),
            "evidence_digest": self._evidence_digest(first, last, entries),
            **self._amount(units, service),
        }

    def _also_counts(self) -> list[str]:
        """Of the words told, those that the page has for the episode's program."""
        told: list[str] = self._event["also_counts"]
        program = self._episode["program"]
        of_page = {
            word
            for ladder in self._page["ladders"]
            if program in ladder["programs"]
            for word in ladder["also_counts"]
        }
        return sorted(of_page.intersection(told))

    def _em_codes(self) -> list[str]:
        """The codes told and those of the page; none where no work is counted."""
        told: list[str] = self._event["em_codes"]
        return sorted({*told, *(self._page["em_codes"] if self._ladder["work"] else ())})

    def _period_days(self) -> tuple[date, date]:
        """The window by its number and the strategy, or the month of the first day."""
        told = self._event["period"]
        if self._monthly:
            first = day_of(told["start_day"]).replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1) - _DAY
        days, number = self._readings.counted_days(), told["number"]
        start = days[0] + _WINDOW * number
        if self._by_service_day and number > 0:
            in_first = [day for day in days if day < days[0] + _WINDOW]
            start = in_first[-1] + _DAY + _WINDOW * (number - 1)
        return start, start + _WINDOW - _DAY

    @property
    def _by_service_day(self) -> bool:
        return bool(self._profile["anchor"] == "previous-service-day")

    def _period(self, first: date, last: date) -> Row:
        told = {**self._event["period"], "kind": self._ladder["period"]}
        told |= {"start_day": str(first), "end_day": str(last), "state": self._state(last)}
        if not self._monthly:
            days = self._readings.counted_days()
            in_first = [day for day in days if day < days[0] + _WINDOW]
            told |= {"first_counted_day": str(days[0]), "first_service_day": str(in_first[-1])}
        return told

    def _state(self, last: date) -> str:
        as_of, closed = day_of(self._event["as_of"]), self._papers.closed(self._episode)[0]
        if not self._monthly and closed < last and closed < as_of:
            return "ended"
        return "closed" if last < as_of else "open"

    def _service_day(self, last: date, counted: list[date]) -> date:
        """The day a line is dated, by the strategy that the profile names."""
        closed, why = self._papers.closed(self._episode)
        if self._monthly:
            return min(last, closed) if why == "death" else last
        told, strategy = self._event["period"], self._profile["supply_service_day"]
        threshold = told["threshold_days"]
        if strategy == "threshold-day" and threshold and len(counted) >= threshold:
            return counted[int(threshold) - 1]
        state = self._state(last)
        on_last = strategy == "last-reading" or state == "ended"
        on_last |= self._by_service_day and told["number"] == 0
        if on_last and state != "open":
            return counted[-1] if counted else min(last, closed)
        return last

    def _measured(self, counted: list[date], entries: list[Row]) -> Row:
        seconds = self._entries.measured(entries)
        measure = self._ladder["measure"]
        amount = len(counted) if measure == "device_days" else seconds[measure]
        return {"measure": measure, "amount": amount, "live_seconds": seconds["live_seconds"]}

    def _rule(self, band: Row) -> Row:
        return {
            "page_id": self._rules["id"],
            "page_digest": self._rules["digest"],
            "ladder": self._ladder["name"],
            **{name: band[name] for name in ("at_least", "at_most", "lines", "status")},
            "note": band["source"]["note"],
            "checked_on": band["source"]["checked_on"],
            "source_ids": band["source"]["ids"],
        }

    def _gates(self) -> list[Row]:
        return [
            {
                "gate": gate,
                "from_day": str(first),
                "to_day": None if last == date.max else str(last),
            }
            for gate, first, last in sorted(self._papers.held(self._episode))
        ]

    def _coverages(self) -> list[Row]:
        found = self._papers.coverages(self._event["patient_id"])
        return [
            {
                "payer_key": key,
                "from_day": str(first),
                "to_day": None if last == date.max else str(last),
            }
            for key, first, last in sorted(found)
        ]

    def _payer(self, service: date) -> str:
        """The payer of the page, where covered that day and the page judges it."""
        page, key = self._page, self._event["payer_key"]
        coverages = self._papers.coverages(self._event["patient_id"])
        covered = any(one == key and begin <= service <= end for one, begin, end in coverages)
        judges = day_of(page["effective_from"]) <= service
        known = page["known_from"] <= self._event["known_day"]
        if not (covered and judges and known and page["payer"] == key):
            return "none: no coverage and page of this payer on the day of service"
        return str(key)

    def _amount(self, units: int, service: date) -> Row:
        price = self._event["price"]
        if price is None:
            return {"amount_cents": None, "amount_status": _NO_AMOUNT}
        in_force = day_of(price["from_day"]) <= service <= day_of(price["to_day"])
        facility = self._episode["pos"] in _FACILITY_PLACES
        right = in_force and price["facility"] == facility
        unit_cents = _unit_cents(price)
        return {
            "price": {**price, "unit_cents": unit_cents},
            "amount_cents": unit_cents * units if right else None,
            "amount_status": price["status"],
        }

    def _evidence_digest(self, first: date, last: date, entries: list[Row]) -> str:
        """The digest that the posting carries, with words as their positions."""
        words = self._pack["words"]

        def coded(name: str, word: object) -> int:
            return int(words[name].index(word))

        days = [] if self._monthly else self._readings.digested(first, last)
        parts = {
            "days": sorted([d, coded("kind", k), coded("refused", w), *n] for d, k, w, *n in days),
            "entries": sorted(
                [row_id, start, seconds, *map(coded, ("role", "work", "mode"), rest[:3]), rest[3]]
                for row_id, start, seconds, *rest in self._entries.digested(entries)
            ),
            "gates": sorted(
                [day_number(begin), coded("gate", gate), day_number(end)]
                for gate, begin, end in self._papers.held(self._episode)
            ),
            "coverages": sorted(
                [day_number(begin), day_number(end), key]
                for key, begin, end in self._papers.coverages(self._event["patient_id"])
            ),
            "rules": self._rules["digest"],
        }
        return sha256(canonical(parts))


def _unit_cents(price: Row) -> int:
    """Value units times the factor, rounded half up, where the schedule computes them."""
    if price["rvu"] is None:
        return int(price["unit_cents"])
    exact = Decimal(price["rvu"]) * Decimal(price["factor"]) * 100
    return int(exact.to_integral_value(ROUND_HALF_UP))
