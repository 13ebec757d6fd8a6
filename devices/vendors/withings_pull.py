"""Withings, asked: what has changed since the last time, then what is gone, page by page.

Owns the requests, paging, tokens and the cursor. Does not own what a group of measurements means
(``withings``) nor sending (``rpm.pull``). A run first asks for everything changed since the last
run, so a lost notification loses nothing. Then it asks for a window of days whole: what was seen in
those days and is not there any more is asked for a second time, and taken back only if it is
missing again. Once a night it asks whether it would still be notified (``withings_notify``).

The cursor: ``phase`` (changes, window, confirm, done), ``offset`` and ``pages`` of the phase,
``lastupdate``, ``started`` and ``updatetime`` of this run, ``from`` and ``to`` of the window,
``present`` (ids found in it), ``unsure`` (a group there has no id that can be read), ``missing``,
``seen``: ids of readings with their second, as far back as a window can go, and what the look
at notifications keeps.

Source: developer.withings.com, measure-getmeas, oauth2 and status codes.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.kinds import KINDS
from devices.pull import (
    Held,
    Noted,
    Pace,
    Refresh,
    Renewed,
    Request,
    Response,
    Stop,
    Took,
    Wait,
    busy,
)
from devices.reading import Reading, RejectedReading
from devices.strict_json import loads
from devices.vendors.withings import MOST_GROUPS, TYPES, account_of, items_of_groups, reading_id
from devices.vendors.withings_notify import (
    CALLBACK,
    after_answer,
    begun_look,
    kept_look,
    notify_form,
)

_HOSTS = {"public": "wbsapi.withings.net", "us_medical": "wbsapi.us.withingsmed.net"}
_OK = 0
_BAD_TOKEN = frozenset({100, 101, 102, 200, 401})
_TOO_MANY = 601
_MINUTE_SECONDS = 60
_FAULTS = frozenset({500, 503, 522, 524, 2554, 2556})
"""Codes of faults on their side, worth another try."""
_MOST_PAGES, _MOST_OFFSET = 500, 10**9
_FURTHEST = timedelta(days=92)
"""How far a first run asks back, and the widest window."""
_OVERLAP_SECONDS = 3600
_EDGE_SECONDS = 60
"""Readings this close to an end of the window are not missed if they are not in it."""
_EARLY = timedelta(minutes=5)
"""A token is renewed this long before it ends."""
_LONGEST_TOKEN = 1000
_LONGEST_LASTS = 365 * 86_400
_LONGEST_RUN_SECONDS = 6 * 3600
"""A run that was cut off longer ago begins anew."""


class WithingsSource:
    """The vendor ``withings`` as it is asked."""

    hosts = frozenset(_HOSTS.values())
    pace = Pace(120, 60.0)
    application_credentials = ("client_id", "client_secret")
    application_options = (CALLBACK,)
    account_credentials = ("refresh_token",)
    notifies = True

    def asked(self, parsed: Parsed) -> tuple[tuple[str, datetime | None], ...]:
        """Accounts that are named, also where one is said to be gone: the fetch tells."""
        return tuple((account_of(one), one.at) for one in parsed.items if isinstance(one, Notice))

    def begin(
        self, cursor: Mapping[str, Any], since: datetime | None, now: datetime
    ) -> dict[str, Any]:
        """The cursor of a run; one that was cut off goes on where it was."""
        is_open = cursor.get("phase", "done") != "done"
        if is_open and _seconds(now) - cursor["started"] < _LONGEST_RUN_SECONDS:
            return dict(cursor)
        first = _seconds(now - _FURTHEST)
        return {
            "phase": "changes",
            "started": _seconds(now),
            "offset": 0,
            "pages": 0,
            "lastupdate": cursor.get("lastupdate", first),
            "since": None if since is None else max(first, _seconds(since)),
            "seen": {
                name: second for name, second in cursor.get("seen", {}).items() if second >= first
            },
            **begun_look(cursor, _seconds(now)),
        }

    def next_request(
        self, held: Held, settings: Mapping[str, Any], now: datetime
    ) -> Request | Refresh | None:
        """The next page; None when the run is done."""
        cursor = held.cursor
        if cursor["phase"] == "done":
            return None
        token, until = held.credentials.get("access_token"), held.credentials.get("expires_at", "")
        if not token or until < (now + _EARLY).isoformat():
            return Refresh()
        headers = {"authorization": f"Bearer {token}"}
        asks = notify_form(held)
        if asks is not None:
            return Request("POST", f"https://{_HOSTS[settings['cloud']]}/notify", headers, asks)
        form = {
            "action": "getmeas",
            "category": "1",
            "meastypes": ",".join(str(code) for code in TYPES),
        }
        if cursor["phase"] == "changes":
            form["lastupdate"] = str(cursor["lastupdate"])
        else:
            form |= {"startdate": str(cursor["from"]), "enddate": str(cursor["to"])}
        if cursor["offset"]:
            form["offset"] = str(cursor["offset"])
        return Request("POST", f"https://{_HOSTS[settings['cloud']]}/measure", headers, form)

    def read(
        self, held: Held, response: Response, settings: Mapping[str, Any], now: datetime
    ) -> Took | Noted | Wait | Refresh | Stop:
        """What a page means, or an answer about notifications."""
        if notify_form(held) is not None:
            told = _told_of_notifications(response)
            return (
                told
                if isinstance(told, Wait | Refresh)
                else after_answer(held, told, _seconds(now))
            )
        answer = _answer(response)
        if not isinstance(answer, dict):
            return answer
        groups = _groups(answer)
        about = {"subject": held.subject}
        items = items_of_groups(groups, held.subject, settings)
        cursor, voided, problem = _after(dict(held.cursor), answer, items, settings, now)
        same_as = json.dumps([held.subject, groups], sort_keys=True, default=str).encode()
        return Took(Parsed(items), cursor, same_as, about, voided, problem)

    def read_again(
        self, body: bytes, about: Mapping[str, str], settings: Mapping[str, Any]
    ) -> Parsed:
        """The items of a page that was fetched before."""
        answer = _loaded(body)
        inner = answer.get("body")
        if not isinstance(inner, dict):
            raise UnreadableDeliveryError("no body of measurements")
        return Parsed(items_of_groups(_groups(inner), about.get("subject", ""), settings))

    def renewal(self, held: Held, settings: Mapping[str, Any]) -> Request:
        """The request for new tokens; the refresh token in it is used up by it."""
        form = {
            "action": "requesttoken",
            "grant_type": "refresh_token",
            "client_id": held.credentials.get("client_id", ""),
            "client_secret": held.credentials.get("client_secret", ""),
            "refresh_token": held.credentials.get("refresh_token", ""),
        }
        return Request("POST", f"https://{_HOSTS[settings['cloud']]}/v2/oauth2", {}, form)

    def read_renewal(self, held: Held, response: Response, now: datetime) -> Renewed | Wait | Stop:
        """The new tokens, if they are of the same account."""
        answer = _answer(response)
        if isinstance(answer, Refresh):
            return Stop("the vendor refuses the tokens: the account must be authorized anew")
        if not isinstance(answer, dict):
            return answer
        access, refresh = answer.get("access_token"), answer.get("refresh_token")
        if not (_is_token(access) and _is_token(refresh)):
            raise UnreadableDeliveryError("no tokens")
        if str(answer.get("userid", held.subject)) != held.subject:
            return Stop("the tokens are of another account")
        lasts = answer.get("expires_in")
        seconds = lasts if isinstance(lasts, int) and 0 < lasts <= _LONGEST_LASTS else 0
        until = now + timedelta(seconds=seconds)
        return Renewed(
            {
                "access_token": str(access),
                "refresh_token": str(refresh),
                "expires_at": until.isoformat(),
            }
        )


def _answer(
    response: Response, *, bodiless: bool = False
) -> dict[str, Any] | Wait | Refresh | Stop:
    """The inner body of a good answer; else what is to be done. Errors come with status 200 too."""
    waits = busy(response)
    if waits is not None:
        return waits
    if response.status in {401, 403}:
        return Refresh()
    if response.status != 200:
        return Stop(f"the vendor answers with status {response.status}")
    answer = _loaded(response.body)
    status = answer.get("status")
    if not isinstance(status, int) or isinstance(status, bool):
        raise UnreadableDeliveryError("no status")
    if status == _OK:
        inner = answer.get("body", {} if bodiless else None)
        if not isinstance(inner, dict):
            raise UnreadableDeliveryError("no body of measurements")
        return inner
    if status in _BAD_TOKEN:
        return Refresh()
    if status == _TOO_MANY:
        return Wait(_MINUTE_SECONDS, "too many requests")
    if status in _FAULTS:
        return Wait(None, "a fault of the vendor")
    return Stop("the vendor refuses the request")


def _told_of_notifications(response: Response) -> dict[str, Any] | Wait | Refresh | None:
    """An answer about subscriptions; None for a refusal.

    One that cannot be read is kept nowhere: it may hold the address of notifications, a secret.
    """
    try:
        answer = _answer(response, bodiless=True)
    except UnreadableDeliveryError:
        return None
    return None if isinstance(answer, Stop) else answer


def _loaded(body: bytes) -> dict[str, Any]:
    answer = loads(body, any_text=True)
    if not isinstance(answer, dict):
        raise UnreadableDeliveryError("not an object")
    return answer


def _groups(inner: Mapping[str, Any]) -> list[Any]:
    groups = inner.get("measuregrps")
    if not isinstance(groups, list) or len(groups) > MOST_GROUPS:
        raise UnreadableDeliveryError("no list of groups")
    return groups


def _after(
    cursor: dict[str, Any],
    inner: Mapping[str, Any],
    items: tuple[Reading | RejectedReading | Notice, ...],
    settings: Mapping[str, Any],
    now: datetime,
) -> tuple[dict[str, Any], tuple[str, ...], str]:
    """The cursor after a page, ids that are gone, and what is wrong with the paging, if it is."""
    _note(cursor, items, now)
    if cursor["phase"] == "changes" and not cursor["pages"]:
        cursor["updatetime"] = _update_time(inner, now)
    further, problem = _next_offset(inner, cursor)
    if problem:
        return {**cursor, "phase": "done"}, (), problem
    if further is not None:
        return {**cursor, "offset": further, "pages": cursor["pages"] + 1}, (), ""
    return *_next_phase(cursor, settings, now), ""


def _note(
    cursor: dict[str, Any], items: tuple[Reading | RejectedReading | Notice, ...], now: datetime
) -> None:
    """Write down which readings were on a page; a group that cannot be read is there as well."""
    first = _seconds(now - _FURTHEST)
    seen, present = dict(cursor["seen"]), list(cursor.get("present", ()))
    for item in items:
        if isinstance(item, Reading) and item.vendor_reading_id and item.measured_at:
            present.append(item.vendor_reading_id)
            if _seconds(item.measured_at) >= first:
                seen[item.vendor_reading_id] = _seconds(item.measured_at)
        elif isinstance(item, RejectedReading) and item.vendor_reading_id:
            present += [reading_id(int(item.vendor_reading_id), kind) for kind in KINDS]
        elif isinstance(item, RejectedReading):
            cursor["unsure"] = True
    cursor["seen"] = seen
    if cursor["phase"] != "changes":
        cursor["present"] = present


def _next_phase(
    cursor: dict[str, Any], settings: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The phase is whole: what follows, and what is gone for good."""
    begun = {**cursor, "offset": 0, "pages": 0, "present": [], "unsure": False}
    if cursor["phase"] == "changes":
        begun["lastupdate"] = max(cursor["lastupdate"], cursor["updatetime"] - _OVERLAP_SECONDS)
        from_second = _seconds(now - timedelta(days=int(settings["reread_days"])))
        if cursor["since"] is not None:
            from_second = min(from_second, cursor["since"] - 2 * _EDGE_SECONDS)
        return {**begun, "phase": "window", "from": from_second, "to": _seconds(now)}, ()
    missing = [] if cursor["unsure"] else _missing(cursor)
    if cursor["phase"] == "window" and missing:
        return {**begun, "phase": "confirm", "missing": missing}, ()
    gone = tuple(name for name in missing if name in cursor.get("missing", ()))
    seen = {name: at for name, at in cursor["seen"].items() if name not in gone}
    done = {"phase": "done", "lastupdate": cursor["lastupdate"], "seen": seen}
    return {**done, **kept_look(cursor)}, gone


def _missing(cursor: Mapping[str, Any]) -> list[str]:
    low, high = cursor["from"] + _EDGE_SECONDS, cursor["to"] - _EDGE_SECONDS
    present = set(cursor["present"])
    return sorted(
        name for name, at in cursor["seen"].items() if low <= at <= high and name not in present
    )


def _update_time(inner: Mapping[str, Any], now: datetime) -> int:
    """When the vendor made the answer: never later than now, or changes would be missed."""
    told = _count(inner.get("updatetime"))
    return min(told, _seconds(now)) if told else _seconds(now)


def _next_offset(inner: Mapping[str, Any], cursor: Mapping[str, Any]) -> tuple[int | None, str]:
    """The next page's offset, None on the last page; a problem where paging does not move on."""
    if inner.get("more") in (None, 0):
        return None, ""
    offset = _count(inner.get("offset"))
    if cursor["offset"] < offset < _MOST_OFFSET and cursor["pages"] < _MOST_PAGES:
        return offset, ""
    return None, "the vendor's pages do not move on"


def _count(value: Any) -> int:
    """A number of things; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _is_token(value: Any) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_TOKEN
        and value.isascii()
        and (value.isprintable())
    )


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
