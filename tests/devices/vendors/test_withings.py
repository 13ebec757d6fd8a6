"""Withings: notifications, groups of measurements, and the way the source is asked."""

import contextlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from vendor_samples import ANY_JSON, Fetched, items_of, notices_of, readings_of, sample, values

from devices.delivery import Notice, UnreadableDeliveryError
from devices.pull import Held, Refresh, Renewed, Request, Response, Stop, Took, Wait, may_go
from devices.reading import Reading
from devices.vendor import settings_with_defaults
from devices.vendors.withings import Withings
from devices.vendors.withings_pull import WithingsSource

WITHINGS, SOURCE, PAGE = Withings(), WithingsSource(), Fetched()
SETTINGS = settings_with_defaults(WITHINGS, {})
NOW = datetime(2026, 1, 15, 15, tzinfo=UTC)
USER = "11223344"
CREDENTIALS = {
    "client_id": "app-1",
    "client_secret": "s-app",
    "access_token": "a-1",
    "refresh_token": "r-1",
    "expires_at": (NOW + timedelta(days=30)).isoformat(),
}


def _one(content: Any, **chosen: str) -> Reading:
    (reading,) = readings_of(PAGE, content, **chosen)
    return reading


def _entries(name: str, **chosen: str) -> dict[str | None, str]:
    return {
        reading.vendor_reading_id: reading.entry_method
        for reading in readings_of(PAGE, sample("withings", name), **chosen)
    }


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        ("userid=11223344&appli=1&startdate=1768482800&enddate=1768482901", "news", "weight"),
        ("userid=11223344&appli=4&startdate=1768482800&enddate=1768482901", "news", "pressure"),
        ("userid=11223344&appli=54&startdate=1768482800&enddate=1768482901", "news", "saturation"),
        ("userid=11223344&appli=16&date=2026-01-15", "news", "activity"),
        ("userid=11223344&appli=44&startdate=0&enddate=1", "news", "sleep"),
        ("userid=11223344&appli=53&deviceid=abc", "news", "device"),
        ("userid=11223344&appli=999", "news", "other"),
        ("userid=11223344&appli=46&action=unlink", "account", "account unlink"),
        ("userid=11223344&appli=46&action=delete", "account", "account delete"),
        ("userid=11223344&appli=46&action=update", "account", "account update"),
    ],
)
def test_a_notification_says_where_to_look(body: str, kind: str, value: str) -> None:
    """Each number of ``appli`` and each account event leads to the account, and is no reading."""
    parsed = WITHINGS.parse(body.encode(), SETTINGS)
    (item,) = parsed.items
    assert isinstance(item, Notice)
    assert (item.kind, item.value, item.device_id) == (kind, value, f"user:{USER}")
    assert [account for account, _ in SOURCE.asked(parsed)] == [USER]


def test_the_first_instant_of_a_notification_is_a_hint() -> None:
    """It is passed on where it is a time, and nothing breaks where it is none."""
    for text, expected in [
        ("1768482800", datetime(2026, 1, 15, 13, 13, 20, tzinfo=UTC)),
        ("9999999999", None),
        ("-1", None),
        ("soon", None),
    ]:
        body = f"userid={USER}&appli=4&startdate={text}".encode()
        assert SOURCE.asked(WITHINGS.parse(body, SETTINGS)) == ((USER, expected),)


def test_measurements_that_are_pushed_are_not_believed() -> None:
    """A body as fetched, sent to the address by whoever knows it, is no notification."""
    with pytest.raises(UnreadableDeliveryError):
        WITHINGS.parse(json.dumps(sample("withings", "body-measures")).encode(), SETTINGS)


@pytest.mark.parametrize(
    "body", ["appli=4", "userid=abc&appli=4", "userid=1&userid=2", "userid=", "x" * 2000, "\xff"]
)
def test_what_is_no_notification_waits(body: str) -> None:
    """Without one userid of digits nobody can be asked."""
    with pytest.raises(UnreadableDeliveryError):
        WITHINGS.parse(body.encode("latin-1"), SETTINGS)


def test_an_empty_post_says_nothing() -> None:
    """Some versions try the address out with an empty body."""
    assert WITHINGS.parse(b"", SETTINGS).items == ()


def test_the_real_body() -> None:
    """Exponents, type 18 passed over, typed-in groups: five groups are six readings."""
    items = readings_of(PAGE, sample("withings", "body-measures"))
    assert [(one.vendor_reading_id, one.kind, one.entry_method) for one in items] == [
        ("366956482/bp", "bp", "device"),
        ("366956482/weight", "weight", "device"),
        ("347186704/weight", "weight", "device"),
        ("323560022/heart_rate", "heart_rate", "manual"),
        ("321858727/heart_rate", "heart_rate", "manual"),
        ("320419189/temperature", "temperature", "manual"),
    ]
    assert values(items[0]) == {"8480-6": "104", "8462-4": "68", "8867-4": "41"}
    assert values(items[1]) == {"29463-7": "74.126"}
    assert items[0].measured_at == datetime(2015, 5, 31, 6, 6, 23, tzinfo=UTC)
    assert (items[0].offset_minutes, items[0].patient_ref) == (None, USER)


def test_attrib_tells_who_entered() -> None:
    """Typed in, best of several, ambiguous, and what is not known."""
    assert _entries("typed-in") == {"4714/weight": "manual", "4715/weight": "manual"}
    best = _one(sample("withings", "best-of-several"))
    assert (best.entry_method, best.flags) == ("device", ("best_of_several",))
    open_owner = _one(sample("withings", "owner-ambiguous"))
    assert open_owner.flags == ("owner_ambiguous",)
    assert open_owner.entry_method != "device"
    assert _one(sample("withings", "unknown-attrib")).entry_method == "unknown"
    content = sample("withings", "owner-ambiguous")
    content["body"]["measuregrps"][0]["attrib"] = 8
    assert (_one(content).entry_method, _one(content).flags) == ("device", ())


def test_goals_activities_and_guided_tests_are_no_readings() -> None:
    """Category 2 is a goal; attrib 7 and 15 are no vital signs."""
    assert notices_of(PAGE, sample("withings", "notice-goal")) == {"goal": ""}
    items = items_of(PAGE, sample("withings", "notice-activity-and-guided-test"))
    assert [(one.kind, one.value) for one in items] == [
        ("not_a_vital", "attrib 7"),
        ("not_a_vital", "attrib 15"),
    ]


def test_values_are_scaled_by_their_exponent() -> None:
    """Positive, zero and negative exponents; types that are not known are passed over."""
    found = [values(one) for one in readings_of(PAGE, sample("withings", "exponents"))]
    assert found == [
        {"29463-7": "81.74"},
        {"29463-7": "81"},
        {"29463-7": "80"},
        {"8480-6": "128", "8462-4": "79"},
    ]


def test_a_pulse_joins_the_saturation() -> None:
    """Without a pressure the pulse belongs to the oximeter's reading."""
    reading = _one(sample("withings", "saturation-with-pulse"))
    assert (reading.kind, values(reading)) == ("spo2", {"59408-5": "97", "8867-4": "71"})


def test_type_12_counts_once_it_is_known_to_be_a_body() -> None:
    """71 is a body; 12 may be a room until the practice says so, and 71 goes before it."""
    name = "temperatures"
    expected = {"4717/temperature": "device", "4719/temperature": "device"}
    assert _entries(name) == {**expected, "4718/temperature": "unknown"}
    assert _entries(name, type_12="body") == {**expected, "4718/temperature": "device"}
    found = readings_of(PAGE, sample("withings", name))
    assert [values(one)["8310-5"] for one in found] == ["36.84", "21.4", "36.8"]
    assert [one.flags for one in found] == [(), ("kind_inferred",), ()]


def test_a_comment_cannot_make_a_page_unreadable() -> None:
    """People type line ends into comments; comments are not read."""
    assert _one(sample("withings", "comment-with-line-ends")).kind == "weight"


class Run:
    """A run of requests and answers without any network."""

    def __init__(self, cursor: Mapping[str, Any] | None = None, now: datetime = NOW) -> None:
        self.now = now
        self.held = Held(USER, CREDENTIALS, SOURCE.begin(cursor or {}, None, now))
        self.voided: list[str] = []

    def request(self) -> Request | Refresh | None:
        """What is to be sent."""
        return SOURCE.next_request(self.held, SETTINGS, self.now)

    def answer(self, *groups: Any, **more: Any) -> Took:
        """A good page; the run goes on."""
        inner = {"updatetime": int(self.now.timestamp()), "measuregrps": list(groups), **more}
        body = json.dumps({"status": 0, "body": inner}).encode()
        took = SOURCE.read(self.held, Response(200, {}, body), SETTINGS, self.now)
        assert isinstance(took, Took)
        self.held = Held(USER, CREDENTIALS, took.cursor)
        self.voided += took.voided
        return took

    def form(self) -> Mapping[str, str]:
        """The form of the next request."""
        request = self.request()
        assert isinstance(request, Request)
        return request.form


def group(group_id: int, ago: timedelta = timedelta(hours=1), grams: int = 81740) -> Any:
    """A weight."""
    return {
        "grpid": group_id,
        "attrib": 0,
        "category": 1,
        "date": int((NOW - ago).timestamp()),
        "deviceid": "scale-1",
        "measures": [{"type": 1, "value": grams, "unit": -3}],
    }


def test_a_run_asks_for_changes_and_then_for_the_window() -> None:
    """First what changed since the last run, then a week whole; then it is done."""
    run = Run()
    request = run.request()
    assert isinstance(request, Request)
    assert (request.method, request.url) == ("POST", "https://wbsapi.withings.net/measure")
    assert request.headers == {"authorization": "Bearer a-1"}
    assert request.form == {
        "action": "getmeas",
        "category": "1",
        "meastypes": "1,9,10,11,12,54,71",
        "lastupdate": str(int((NOW - timedelta(days=92)).timestamp())),
    }
    run.answer(group(1))
    window = run.form()
    assert "lastupdate" not in window
    assert int(window["enddate"]) - int(window["startdate"]) == 7 * 86_400
    run.answer(group(1))
    assert run.request() is None
    later = Run(run.held.cursor, NOW + timedelta(days=1))
    assert later.form()["lastupdate"] == str(int(NOW.timestamp()) - 3600)


def test_pages_are_followed_by_their_offset() -> None:
    """A page that says there is more is followed, in each phase from the beginning."""
    run = Run()
    run.answer(group(1), more=1, offset=100)
    assert run.form()["offset"] == "100"
    run.answer(group(2), more=0, offset=0)
    assert "offset" not in run.form()


@pytest.mark.parametrize("offset", [0, -1, "200", None, True, 10**12, "https://example.com/", [1]])
def test_a_hostile_offset_ends_the_run(offset: Any) -> None:
    """Paging that does not move on ends; what was read stands, and nothing is taken back."""
    took = Run().answer(group(1), more=1, offset=offset)
    assert (took.problem != "", len(took.parsed.items), took.voided) == (True, 1, ())
    assert took.cursor["phase"] == "done"
    assert "lastupdate" in took.cursor


def test_an_endless_list_of_pages_ends() -> None:
    """However many pages are promised, a run has a bound."""
    run = Run()
    for page in range(1, 600):
        if run.answer(more=1, offset=page).problem:
            break
    assert page == 501


@given(updatetime=ANY_JSON)
@example(updatetime=int(NOW.timestamp()) + 10**8)
@example(updatetime=10**19)
def test_a_wrong_update_time_misses_nothing(updatetime: Any) -> None:
    """The next run never asks from later than this one."""
    run = Run()
    with contextlib.suppress(UnreadableDeliveryError):
        run.answer(updatetime=updatetime)
    run.answer()
    assert run.held.cursor["lastupdate"] <= int(NOW.timestamp())


def test_a_group_that_is_gone_is_taken_back_after_a_second_look() -> None:
    """What was seen in the window and is missing twice is void; once is not enough."""
    run = Run()
    run.answer(group(1), group(2))
    run.answer(group(1))
    assert (run.voided, run.held.cursor["phase"]) == ([], "confirm")
    run.answer(group(1))
    assert (run.voided, run.request()) == (["2/weight"], None)
    again = Run(run.held.cursor)
    again.answer()
    again.answer(group(1))
    assert (again.voided, again.request()) == ([], None)


def test_a_group_that_was_only_missed_stays() -> None:
    """The second look finds it: nothing is taken back."""
    run = Run()
    run.answer(group(1), group(2))
    run.answer(group(1))
    run.answer(group(1), group(2))
    assert (run.voided, run.request()) == ([], None)
    assert set(run.held.cursor["seen"]) == {"1/weight", "2/weight"}


def test_what_lies_outside_the_window_is_not_missed() -> None:
    """Readings older than the window, at its edge, or still to come are left alone."""
    run = Run()
    old, edge, ahead = timedelta(days=8), timedelta(days=7), timedelta(hours=-2)
    run.answer(group(1, old), group(2, edge), group(3, ahead))
    run.answer()
    assert (run.voided, run.request()) == ([], None)


def test_a_notification_of_old_news_widens_the_window() -> None:
    """The window reaches back to the first instant of the news, at most 92 days."""
    for ago, days in [(20, 20), (400, 92)]:
        run = Run()
        cursor = SOURCE.begin({}, NOW - timedelta(days=ago), NOW)
        run.held = Held(USER, CREDENTIALS, cursor)
        run.answer()
        form = run.form()
        length = int(form["enddate"]) - int(form["startdate"])
        assert days * 86_400 < length < (days + 1) * 86_400


def test_a_group_that_cannot_be_read_is_not_missing() -> None:
    """It is there, even if nobody can read it; one without an id leaves everything in doubt."""
    broken = {**group(2), "attrib": "x"}
    nameless = {"grpid": "?"}
    for odd in (broken, nameless):
        run = Run()
        run.answer(group(2), group(3))
        run.answer(odd)
        if run.request():
            run.answer(odd)
        assert run.voided == ([] if odd is nameless else ["3/weight"])


def test_a_run_that_was_cut_off_goes_on() -> None:
    """The next run asks for the page that was not read; after hours it begins anew."""
    run = Run()
    run.answer(group(1), more=1, offset=100)
    resumed = Run(run.held.cursor, NOW + timedelta(minutes=5))
    assert resumed.form()["offset"] == "100"
    assert "offset" not in Run(run.held.cursor, NOW + timedelta(hours=7)).form()


def _read(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SOURCE.read(Run().held, Response(status, headers or {}, sent), SETTINGS, NOW)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"status": 401}, Refresh()),
        (200, {"status": 100}, Refresh()),
        (401, b"", Refresh()),
        (200, {"status": 601}, Wait(60, "too many requests")),
        (429, b"", Wait(None, "status 429")),
        (503, b"<html>", Wait(None, "status 503")),
        (200, {"status": 503}, Wait(None, "a fault of the vendor")),
        (200, {"status": 293, "error": "see https://example.com/"}, Stop),
        (302, b"", Stop),
        (404, b"", Stop),
    ],
)
def test_what_a_refusal_means(status: int, body: Any, expected: Any) -> None:
    """Errors come as HTTP status and as ``status`` in a good answer."""
    outcome = _read(status, body)
    assert isinstance(outcome, expected) if isinstance(expected, type) else outcome == expected
    assert "example" not in repr(outcome)


def test_the_wait_that_a_server_asks_for() -> None:
    """Retry-After counts in seconds; anything else in it is passed over."""
    assert _read(503, b"", {"retry-after": "17"}) == Wait(17, "status 503")
    assert _read(503, b"", {"retry-after": "Wed, 21 Oct 2026"}) == Wait(None, "status 503")
    assert _read(503, b"", {"retry-after": "9" * 40}) == Wait(None, "status 503")


@pytest.mark.parametrize("until", ["", (NOW + timedelta(minutes=4)).isoformat()])
def test_a_token_is_renewed_before_it_ends(until: str) -> None:
    """A token that ends within five minutes, or about which nothing is known, is not used."""
    held = Held(USER, {**CREDENTIALS, "expires_at": until}, SOURCE.begin({}, None, NOW))
    assert SOURCE.next_request(held, SETTINGS, NOW) == Refresh()


def _renew(body: Any) -> Any:
    response = Response(200, {}, json.dumps(body).encode())
    return SOURCE.read_renewal(Run().held, response, NOW)


def test_new_tokens() -> None:
    """The request uses the refresh token up; the answer has the next one."""
    request = SOURCE.renewal(Run().held, {**SETTINGS, "cloud": "us_medical"})
    assert request.url == "https://wbsapi.us.withingsmed.net/v2/oauth2"
    assert request.form == {
        "action": "requesttoken",
        "grant_type": "refresh_token",
        "client_id": "app-1",
        "client_secret": "s-app",
        "refresh_token": "r-1",
    }
    told = {"userid": USER, "access_token": "a-2", "refresh_token": "r-2", "expires_in": 10800}
    renewed = _renew({"status": 0, "body": told})
    assert renewed == Renewed(
        {
            "access_token": "a-2",
            "refresh_token": "r-2",
            "expires_at": "2026-01-15T18:00:00+00:00",
        }
    )
    assert "a-2" not in repr(renewed)
    assert "r-1" not in repr(request)


def test_tokens_that_are_refused_or_of_somebody_else() -> None:
    """Both need a person; a body without tokens cannot be read."""
    assert isinstance(_renew({"status": 401}), Stop)
    told = {"userid": "5", "access_token": "a", "refresh_token": "r", "expires_in": 1}
    assert isinstance(_renew({"status": 0, "body": told}), Stop)
    for tokens in ({}, {"access_token": "a"}, {"access_token": "a\n", "refresh_token": "r"}):
        with pytest.raises(UnreadableDeliveryError):
            _renew({"status": 0, "body": tokens})


@given(answer=ANY_JSON, inner=ANY_JSON, status=st.sampled_from([0, 401, 601, 7]))
def test_no_answer_leads_elsewhere(answer: Any, inner: Any, status: int) -> None:
    """Whatever comes back, the next request goes to the vendor's own host or nowhere."""
    for body in (answer, {"status": status, "body": inner}):
        run = Run()
        response = Response(200, {"location": "https://example.com/"}, json.dumps(body).encode())
        try:
            outcome = SOURCE.read(run.held, response, SETTINGS, NOW)
            SOURCE.read_renewal(run.held, response, NOW)
        except UnreadableDeliveryError:
            continue
        if isinstance(outcome, Took):
            held = Held(USER, CREDENTIALS, outcome.cursor)
            request = SOURCE.next_request(held, SETTINGS, NOW)
            assert request is None or (isinstance(request, Request) and may_go(request, SOURCE))


@pytest.mark.parametrize(
    "url",
    [
        "http://wbsapi.withings.net/measure",
        "https://wbsapi.withings.net.example.com/measure",
        "https://wbsapi.withings.net@example.com/",
        "https://wbsapi.withings.net:8443/measure",
        "https://example.com/wbsapi.withings.net/",
        "file:///etc/passwd",
    ],
)
def test_only_the_vendors_hosts_may_be_asked(url: str) -> None:
    """Another host, port, or way is refused before anything is sent."""
    assert not may_go(Request("GET", url), SOURCE)
