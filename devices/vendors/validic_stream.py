"""Validic, listened to: its stream of records, and the days that are played again.

Owns the requests and the cursor. Does not own what an event means (``validic``) nor the line
(``rpm.pull``). A run takes what waits in the stream and leaves when only heartbeats come. The
stream cannot be resumed where it was left, so a run that was cut is followed by a replay from the
day before the last whole one, and so is the first run of a night; what came before is a repeat.
An account is a stream by its id.

The cursor: ``phase`` (replay, listen, done), ``day`` from which a replay plays, ``started`` and
``replayed``: the seconds at which this run and the last whole replay began.

Source: developer.validic.com, connect to a stream and replay a stream; in a replay what was
processed since a day comes again, of at most the last 30.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from devices.delivery import Parsed
from devices.pull import (
    Heard,
    Held,
    Noted,
    Pace,
    Refresh,
    Request,
    Response,
    Stop,
    Took,
    Wait,
    busy,
)
from devices.vendors.validic import Validic

_HOST = "streams.v2.validic.com"
_KINDS = "measurement,cgm"
_FURTHEST = timedelta(days=30)
_OVERLAP = timedelta(days=1)
_REPLAY_AFTER_SECONDS = 20 * 3600
_REBALANCING = 422
_REBALANCING_SECONDS = 10


class ValidicStream:
    """The vendor ``validic`` as it is listened to."""

    hosts = frozenset({_HOST})
    pace = Pace(1, 1.0)
    application_credentials = ("token",)
    application_options: tuple[str, ...] = ()
    account_credentials: tuple[str, ...] = ()
    notifies = False
    quiet_events = 2
    longest_event_bytes = 1024 * 1024

    def asked(self, parsed: Parsed) -> tuple[tuple[str, datetime | None], ...]:  # noqa: ARG002 - the protocol
        """None: a stream says nothing beforehand."""
        return ()

    def begin(
        self, cursor: Mapping[str, Any], since: datetime | None, now: datetime
    ) -> dict[str, Any]:
        """Listen; replay first where the last run was cut, or the last replay is of another day."""
        started, replayed = int(now.timestamp()), cursor.get("replayed")
        furthest = (now - _FURTHEST).date()
        if replayed is None:
            return {"phase": "replay", "started": started, "day": furthest.isoformat()}
        cut = cursor["phase"] != "done"
        phase = "replay" if cut or started - replayed > _REPLAY_AFTER_SECONDS else "listen"
        day = _day(replayed) if since is None else min(_day(replayed), since.date())
        day = max(day - _OVERLAP, furthest)
        return {"phase": phase, "started": started, "replayed": replayed, "day": day.isoformat()}

    def next_request(
        self,
        held: Held,
        settings: Mapping[str, Any],  # noqa: ARG002 - the protocol
        now: datetime,  # noqa: ARG002 - the protocol
    ) -> Request | Refresh | None:
        """The line to open; None when the run is done."""
        phase, token = held.cursor["phase"], held.credentials["token"]
        if phase == "done":
            return None
        headers = {"accept": "text/event-stream"}
        if phase == "replay":
            query = {"token": token, "date": held.cursor["day"], "resources": _KINDS}
            return Request("GET", f"https://{_HOST}/replay", headers, query=query)
        address = f"https://{_HOST}/streams/{held.subject}/connect"
        return Request("GET", address, headers, query={"token": token})

    def read(
        self,
        held: Held,  # noqa: ARG002 - the protocol
        response: Response,
        settings: Mapping[str, Any],  # noqa: ARG002 - the protocol
        now: datetime,  # noqa: ARG002 - the protocol
    ) -> Took | Wait | Refresh | Stop:
        """Why the line was not opened. While a line that was left is given away, it is refused."""
        waits = busy(response)
        if waits is not None:
            return waits
        if response.status == _REBALANCING:
            return Wait(_REBALANCING_SECONDS, "the stream has all its clients")
        if response.status in {401, 403}:
            return Refresh()
        return Stop(f"the vendor answers with status {response.status}")

    def hear(self, held: Held, event: bytes, settings: Mapping[str, Any]) -> Took | None:
        """Each event is a delivery of its own: a replay then repeats those that came before."""
        parsed = Validic().parse(event, settings)
        if not parsed.items:
            return None
        return Took(parsed, held.cursor, event, {"subject": held.subject})

    def heard(self, held: Held, why: Heard) -> Noted | Wait:
        """A whole replay is followed by the stream; a stream that the vendor ends was cut."""
        cursor = dict(held.cursor)
        if cursor["phase"] == "replay":
            if why == "enough":
                return Wait(None, "there is more to play again")
            return Noted({**cursor, "phase": "listen", "replayed": cursor["started"]})
        if why == "ended":
            return Wait(None, "the stream was cut")
        return Noted({**cursor, "phase": "done"})

    def read_again(
        self,
        body: bytes,
        about: Mapping[str, str],  # noqa: ARG002 - the protocol
        settings: Mapping[str, Any],
    ) -> Parsed:
        """The items of an event that was heard before."""
        return Validic().parse(body, settings)


def _day(second: int) -> date:
    return datetime.fromtimestamp(second, UTC).date()
