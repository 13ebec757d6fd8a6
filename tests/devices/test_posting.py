"""Posting: every vendor's requests are proved and read, whatever befalls them on the way."""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from standardwebhooks import Webhook

from devices.authenticity import verify
from devices.delivery import Notice, Secret, Verified
from devices.device_ids import check_digit
from devices.identity import identity_key
from devices.kinds import KINDS
from devices.local_day import local_date_in
from devices.posting import Posted, Sender, Trouble, deliveries, proved_by
from devices.reading import Reading
from devices.simulator import Habits, PatientPlan, Sent, practice, readings, usual_series
from devices.speaking import FORMATS, NOTIFYING
from devices.speaking.withings import fetched
from devices.vendor import VENDORS, settings_with_defaults
from devices.vendors.withings import items_of_groups

SECRET = Secret("whsec_" + base64.b64encode(b"s" * 32).decode())
FIRST, LAST = date(2025, 11, 1), date(2025, 12, 30)
ZONE = "America/Chicago"
IMEI = "86000000000017" + check_digit("86000000000017")
FAITHFUL = Habits(adherence=1, repeat=0, late=0, manual=0, missed_run=0)
LIFE = Habits(adherence=0.8, repeat=0.2, late=0.2, manual=0.1, missed_run=0.05)
STORMY = Trouble(split=0.7, retry=0.3, delay=0.3, heartbeat_hours=8)
VENDOR_NAMES = tuple(FORMATS)


def _sender(vendor: str) -> Sender:
    return Sender(FORMATS[vendor], proved_by(VENDORS[vendor]), SECRET)


def _sent(vendor: str, habits: Habits) -> list[Sent]:
    """Two months of a device of each kind that the vendor has."""
    kinds = sorted(FORMATS[vendor].kinds - {"steps"})
    series = tuple(usual_series(kind, IMEI) for kind in kinds)
    return readings(PatientPlan("SYN-1", ZONE, series, habits), FIRST, LAST, seed=3)


def _items(vendor: str, posts: Iterable[Posted]) -> list[Reading | Notice]:
    """What the vendor's reader makes of authentic requests; nothing may be refused."""
    known = VENDORS[vendor]
    settings = settings_with_defaults(known, {})
    found: list[Reading | Notice] = []
    for post in posts:
        proof = verify(proved_by(known), post.incoming, [SECRET], post.sent_at)
        assert isinstance(proof, Verified)
        for item in known.parse(post.body, settings).items:
            assert isinstance(item, Reading | Notice), item
            found.append(item)
    return found


def _identities(vendor: str, items: Sequence[Reading | Notice]) -> set[str]:
    return {
        identity_key(item, adapter=vendor, account="a")
        for item in items
        if isinstance(item, Reading)
    }


def _day(item: Reading) -> date:
    assert item.measured_at is not None
    return local_date_in(item.measured_at, ZONE)


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_every_vendor_says_every_measurement(vendor: str) -> None:
    """Each measurement is read as one reading of its kind, on its day; none is lost or doubled."""
    sent = _sent(vendor, FAITHFUL)
    items = _items(vendor, deliveries(sent, _sender(vendor)))
    told = Counter(
        (item.kind, _day(item)) for item in items if isinstance(item, Reading) and not item.is_part
    )
    parts = Counter(item.vendor_reading_id for item in items if isinstance(item, Reading))
    if vendor == "tenovi":
        assert len(_identities(vendor, items)) == len(sent)
        assert max(parts[one] for one in parts if one) == 1  # parts in one body are joined
    else:
        assert told == Counter((one.measurement.kind, one.measurement.local.date()) for one in sent)
    assert {item.kind for item in items if isinstance(item, Reading)} == FORMATS[vendor].kinds - {
        "steps"
    }


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_values_are_those_measured(vendor: str) -> None:
    """What is read is what was measured, in our units, to the vendor's own resolution."""
    sent = [one for one in _sent(vendor, FAITHFUL) if one.measurement.kind in {"bp", "weight"}]
    items = _items(vendor, deliveries(sent, _sender(vendor)))
    systolic, weight = KINDS["bp"].quantities[0].code, KINDS["weight"].quantities[0].code
    told = sorted(
        (part.loinc, float(part.value))
        for item in items
        if isinstance(item, Reading)
        for part in item.components
        if part.loinc in {systolic, weight}
    )
    pounds = 0.45359237
    measured = sorted(
        (code, float(text) * (pounds if unit == "[lb_av]" else 1))
        for one in sent
        for code, text, unit in one.measurement.values
        if code in {systolic, weight}
    )
    assert len(told) == len(measured)
    for (code, value), (wanted_code, wanted) in zip(told, measured, strict=True):
        assert code == wanted_code
        assert value == pytest.approx(wanted, abs=0.0006)


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_trouble_on_the_way_makes_no_reading_more_or_less(vendor: str) -> None:
    """Split, repeated, delayed and sent again, there are the same readings, in another order."""
    sent = _sent(vendor, LIFE)
    calm = list(deliveries(sent, _sender(vendor)))
    stormy = list(deliveries(sent, _sender(vendor), trouble=STORMY, seed=5))
    before, after = _items(vendor, calm), _items(vendor, stormy)
    assert _identities(vendor, before) == _identities(vendor, after)
    assert len(stormy) > len(calm)
    assert [one.sent_at for one in stormy] == sorted(one.sent_at for one in stormy)
    bodies = Counter(one.body for one in stormy)
    assert max(bodies.values()) > 1
    beats = sum(isinstance(item, Notice) for item in after)
    assert (beats > 100) is (FORMATS[vendor].heartbeat is not None)
    times = [item.measured_at for item in after if isinstance(item, Reading) and item.measured_at]
    assert any(later < earlier for earlier, later in pairwise(times))


@pytest.mark.parametrize("vendor", VENDOR_NAMES)
def test_the_same_seed_gives_the_same_requests(vendor: str) -> None:
    """Headers, bodies and times are the same in every run, and others with another seed."""
    sent = _sent(vendor, LIFE)
    once = list(deliveries(sent, _sender(vendor), trouble=STORMY, seed=1))
    assert once == list(deliveries(sent, _sender(vendor), trouble=STORMY, seed=1))
    assert once != list(deliveries(sent, _sender(vendor), trouble=STORMY, seed=2))


def test_pressure_and_pulse_of_a_gateway_come_apart() -> None:
    """Posted apart within 90 seconds and in any order, the parts still carry one identity."""
    sent = [one for one in _sent("tenovi", FAITHFUL) if one.measurement.kind == "bp"]
    posts = list(
        deliveries(sent, _sender("tenovi"), window=timedelta(0), trouble=Trouble(split=1), seed=4)
    )
    items = _items("tenovi", posts)
    assert len(posts) == len(items) == 2 * len(sent)
    assert len(_identities("tenovi", items)) == len(sent)
    firsts = {item.kind for item in items[::2] if isinstance(item, Reading)}
    assert firsts == {"bp", "heart_rate"}


def test_a_retry_is_signed_anew() -> None:
    """A vendor that signs proves each try with its own time, under the same message id."""
    sent = _sent("generic", FAITHFUL)
    posts = list(deliveries(sent, _sender("generic"), trouble=Trouble(retry=1)))
    assert len({one.headers["webhook-id"] for one in posts}) * 2 == len(posts)
    assert len({one.headers["webhook-signature"] for one in posts}) == len(posts)


def test_signatures_are_those_of_the_published_library() -> None:
    """What the simulator signs is what the client library of Standard Webhooks signs."""
    for post in deliveries(_sent("generic", FAITHFUL)[:5], _sender("generic")):
        signature = Webhook(SECRET.text).sign(
            post.headers["webhook-id"], post.sent_at, post.body.decode()
        )
        assert post.headers["webhook-signature"] == signature


def test_a_whole_practice_is_read() -> None:
    """Every reading of a synthetic practice is read under its id, none is lost."""
    plans = practice(3, 8)
    sent = [one for plan in plans for one in readings(plan, FIRST, LAST, seed=3)]
    items = _items("generic", deliveries(sent, _sender("generic")))
    told = sorted(str(item.vendor_reading_id) for item in items if isinstance(item, Reading))
    assert told == sorted(one.measurement.id for one in sent)


def test_requests_are_bounded_in_number_and_time() -> None:
    """No request holds more readings or a longer time than allowed, and they are in order."""
    (template, *_) = _sent("generic", FAITHFUL)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    sent = [Sent(start + timedelta(minutes=n), template.measurement) for n in range(100)]
    sender = _sender("generic")
    by_time = list(deliveries(sent, sender, window=timedelta(minutes=10)))
    by_number = list(deliveries(sent, sender, window=timedelta(days=1), at_most=30))
    assert (len(by_time), len(by_number)) == (10, 4)
    assert list(deliveries([], sender)) == []
    times = [request.sent_at for request in by_time]
    assert times == sorted(times)


def test_a_notification_says_that_there_is_something_to_fetch() -> None:
    """Withings posts news of measurements and nothing measured; fetched, each is one reading."""
    kinds = sorted(NOTIFYING["withings"].kinds)
    series = tuple(usual_series(kind, "0a1b2c") for kind in kinds)
    sent = readings(PatientPlan("SYN-1", ZONE, series, LIFE), FIRST, LAST, seed=3)
    known = VENDORS["withings"]
    settings = settings_with_defaults(known, {})
    sender = Sender(NOTIFYING["withings"], known.schemes[0], SECRET)
    for post in deliveries(sent, sender, trouble=STORMY, seed=1):
        assert isinstance(verify(known.schemes[0], post.incoming, [], post.sent_at), Verified)
        (item,) = known.parse(post.body, settings).items
        assert isinstance(item, Notice)
        assert item.kind == "news"
    groups = json.loads(fetched(sent, sent[-1].sent_at))["body"]["measuregrps"]
    told = Counter(
        (item.kind, _day(item), item.entry_method)
        for item in items_of_groups(groups, "1", settings)
        if isinstance(item, Reading)
    )
    measured = {one.measurement.id: one.measurement for one in sent}
    assert told == Counter(
        (one.kind, one.local.date(), "manual" if one.manual else "device")
        for one in measured.values()
    )


def test_what_was_not_sent_yet_is_not_fetched() -> None:
    """The vendor's service knows of a measurement from the instant at which the device sent it."""
    series = (usual_series("weight", "0a1b2c"),)
    sent = readings(PatientPlan("SYN-1", ZONE, series, FAITHFUL), FIRST, LAST, seed=3)
    page = json.loads(fetched(sent, sent[9].sent_at))["body"]
    assert len(page["measuregrps"]) == 10
