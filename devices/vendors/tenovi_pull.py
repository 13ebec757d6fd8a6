"""Tenovi, asked: what a device or a patient measured in the last days, so that gaps are repaired.

Owns the requests, paging and the cursor. Does not own what a metric means (``tenovi``) nor sending
(``rpm.pull``). Tenovi pushes; this reads the last days again each night, and whatever came before
is a repeat. An account is a device by its ``hwi_device_id``, or ``patient.`` and a patient's id.
How the list spells times is not documented: those of whole seconds are taken as the push spells
them, or one reading would be two.

Source: docs.tenovi.com, measurement data and backfilling; the list's shape and host from public
integrations.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from devices.delivery import Parsed, UnreadableDeliveryError
from devices.forms import form_text
from devices.pull import Held, Pace, Refresh, Request, Response, Stop, Took, Wait, busy
from devices.reading import CannotReadError
from devices.strict_json import loads
from devices.timestamps import parse_rfc3339
from devices.vendors.tenovi import items_of_metrics

_HOST = "api2.tenovi.com"
_PATIENT = "patient."
_WORD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_REREAD = timedelta(days=7)
_FURTHEST = timedelta(days=92)
_LONGEST_RUN_SECONDS = 6 * 3600
_MOST_PAGES = 200
_MOST_METRICS = 10_000


class TenoviSource:
    """The vendor ``tenovi`` as it is asked: one request a second for a key."""

    hosts = frozenset({_HOST})
    pace = Pace(1, 1.0)
    application_credentials = ("client_domain", "api_key")
    application_options: tuple[str, ...] = ()
    account_credentials: tuple[str, ...] = ()
    notifies = False

    def asked(self, parsed: Parsed) -> tuple[tuple[str, datetime | None], ...]:  # noqa: ARG002 - the protocol
        """None: what is pushed are the readings themselves."""
        return ()

    def begin(
        self, cursor: Mapping[str, Any], since: datetime | None, now: datetime
    ) -> dict[str, Any]:
        """From seven days ago, or from the last whole run where that is longer ago."""
        started = int(now.timestamp())
        if cursor.get("page") and started - cursor["started"] < _LONGEST_RUN_SECONDS:
            return dict(cursor)
        before = cursor.get("read_through", started)
        from_second = min(int((now - _REREAD).timestamp()), before)
        if since is not None:
            from_second = min(from_second, int(since.timestamp()))
        from_second = max(from_second, int((now - _FURTHEST).timestamp()))
        return {"page": 1, "started": started, "from": from_second, "read_through": before}

    def next_request(
        self,
        held: Held,
        settings: Mapping[str, Any],  # noqa: ARG002 - the protocol
        now: datetime,
    ) -> Request | Refresh | None:
        """The next page; None when the run is done. ``Refresh`` where nothing can be asked."""
        if not held.cursor["page"]:
            return None
        is_patient = held.subject.startswith(_PATIENT)
        name, domain = held.subject.removeprefix(_PATIENT), held.credentials["client_domain"]
        if not (_WORD.fullmatch(name) and _WORD.fullmatch(domain)):
            return Refresh()
        list_of = "patients" if is_patient else "hwi-devices"
        first = datetime.fromtimestamp(held.cursor["from"], now.tzinfo)
        query = form_text(
            {"created__gte": f"{first:%Y-%m-%dT%H:%M:%SZ}", "page": str(held.cursor["page"])}
        )
        path = f"clients/{domain}/hwi/{list_of}/{name}/measurements/"
        headers = {"authorization": f"Api-Key {held.credentials['api_key']}"}
        return Request("GET", f"https://{_HOST}/{path}?{query}", headers)

    def read(
        self,
        held: Held,
        response: Response,
        settings: Mapping[str, Any],
        now: datetime,  # noqa: ARG002 - the protocol
    ) -> Took | Wait | Refresh | Stop:
        """What a page means; the address of the next one that it may hold is not read."""
        waits = busy(response)
        if waits is not None:
            return waits
        if response.status in {401, 403}:
            return Refresh()
        if response.status != 200:
            return Stop(f"the vendor answers with status {response.status}")
        metrics, more = _metrics(response.body, held.subject)
        items = items_of_metrics(metrics, "results", settings)
        cursor, problem = dict(held.cursor), ""
        if more and cursor["page"] < _MOST_PAGES and metrics:
            cursor["page"] += 1
        elif more:
            cursor, problem = {**cursor, "page": 0}, "the vendor's pages do not move on"
        else:
            cursor = {"page": 0, "read_through": cursor["started"]}
        same_as = json.dumps([held.subject, metrics], sort_keys=True, default=str).encode()
        return Took(Parsed(items), cursor, same_as, {"subject": held.subject}, problem=problem)

    def read_again(
        self,
        body: bytes,
        about: Mapping[str, str],
        settings: Mapping[str, Any],
    ) -> Parsed:
        """The items of a page that was fetched before."""
        metrics = _metrics(body, about.get("subject", ""))[0]
        return Parsed(items_of_metrics(metrics, "results", settings))


def _metrics(body: bytes, subject: str) -> tuple[list[Any], bool]:
    """The metrics of a page, alone or under ``results``, and whether there is another page."""
    page = loads(body)
    listed = page.get("results") if isinstance(page, dict) else page
    if not isinstance(listed, list) or len(listed) > _MOST_METRICS:
        raise UnreadableDeliveryError("no list of measurements")
    more = isinstance(page, dict) and page.get("next") is not None
    device = {} if subject.startswith(_PATIENT) else {"hwi_device_id": subject}
    return [{**device, **_as_pushed(one)} if isinstance(one, dict) else one for one in listed], more


def _as_pushed(metric: dict[str, Any]) -> dict[str, Any]:
    """A metric with a time of whole seconds written as the push writes it."""
    text = metric.get("timestamp")
    try:
        at = parse_rfc3339(text).instant if isinstance(text, str) else None
    except CannotReadError:
        at = None
    is_whole = at is not None and not at.microsecond
    return {**metric, "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}"} if is_whole else metric
