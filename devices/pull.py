"""Pull: the values that pass between a source that is asked for its readings and whoever asks.

Owns a request and a response as plain values, what is held of an account, and what a response may
mean. Does not own sending, waiting or storing (``rpm.pull``), nor any vendor's way of asking
(``devices.vendors``). An address is always one that the vendor's module writes, at one of its
hosts: nothing a response says is ever followed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from devices.delivery import Parsed


@dataclass(frozen=True)
class Request:
    """What to send; query, headers and form may hold a secret, so none is shown in a repr."""

    method: Literal["GET", "POST"]
    url: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False, kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Response:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Held:
    """What is held of one account at a vendor.

    ``subject`` is the vendor's word for the account, ``credentials`` its tokens with those of the
    practice's own application, ``cursor`` what the vendor's module keeps between requests.
    """

    subject: str
    credentials: Mapping[str, str] = field(repr=False)
    cursor: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Took:
    """A body was read: its items, ids of readings that are gone at the source, and the new cursor.

    ``same_as`` is what makes it the same body as an earlier one; ``about`` is what must be known
    beside the body to read it again. With a ``problem`` the run ends there, what was read stands.
    """

    parsed: Parsed
    cursor: Mapping[str, Any] = field(repr=False)
    same_as: bytes = field(repr=False)
    about: Mapping[str, str]
    voided: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Noted:
    """An answer with no readings in it: where the run stands then, and what a person is to know.

    ``told`` holds nothing sent; the run goes on all the same.
    """

    cursor: Mapping[str, Any] = field(repr=False)
    told: str = ""


@dataclass(frozen=True)
class Wait:
    """Ask again later: the source is busy or away. None: it does not say when."""

    seconds: int | None = None
    reason: str = "busy"


@dataclass(frozen=True)
class Refresh:
    """The access token is not good any more."""


@dataclass(frozen=True)
class Stop:
    """Nothing more can be done until a person has looked; the reason holds nothing sent."""

    reason: str


@dataclass(frozen=True)
class Renewed:
    """New tokens of an account, to be stored before they are used."""

    credentials: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Pace:
    """At most so many requests in so many seconds."""

    requests: int
    seconds: float

    @property
    def gap_seconds(self) -> float:
        """The time between two requests that never goes beyond it."""
        return self.seconds / self.requests


class Source(Protocol):
    """A vendor that is asked for its readings. Everything here is pure."""

    @property
    def hosts(self) -> frozenset[str]:
        """Where requests may go, whatever anybody says."""

    @property
    def pace(self) -> Pace:
        """How often one application may ask."""

    @property
    def application_credentials(self) -> tuple[str, ...]:
        """Names of what the practice's own application needs, kept once for all accounts."""

    @property
    def account_credentials(self) -> tuple[str, ...]:
        """Names of what each account needs."""

    @property
    def application_options(self) -> tuple[str, ...]:
        """Names of what the application may have besides."""

    @property
    def notifies(self) -> bool:
        """Whether what it pushes only says that there is something to fetch."""

    def begin(self, cursor: Mapping[str, Any], since: datetime | None, now: datetime) -> Any:
        """The cursor of a run that begins, or goes on where one was cut off.

        ``since`` is the earliest measurement that a notification spoke of, if one did.
        """

    def asked(self, parsed: Parsed) -> tuple[tuple[str, datetime | None], ...]:
        """Accounts that a notification says have news, with the instant from which on."""

    def next_request(
        self, held: Held, settings: Mapping[str, Any], now: datetime
    ) -> Request | Refresh | None:
        """What to send next; None when the run is done."""

    def read(
        self, held: Held, response: Response, settings: Mapping[str, Any], now: datetime
    ) -> Took | Noted | Wait | Refresh | Stop:
        """What a response means; UnreadableDeliveryError for a body that cannot be read."""

    def read_again(
        self, body: bytes, about: Mapping[str, str], settings: Mapping[str, Any]
    ) -> Parsed:
        """The items of a body that was fetched before; UnreadableDeliveryError as in ``read``."""


@runtime_checkable
class RenewingSource(Source, Protocol):
    """A source whose accounts have tokens that end and are renewed."""

    def renewal(self, held: Held, settings: Mapping[str, Any]) -> Request:
        """The request for new tokens."""

    def read_renewal(self, held: Held, response: Response, now: datetime) -> Renewed | Wait | Stop:
        """New tokens; UnreadableDeliveryError for a body that cannot be read."""


Heard = Literal["quiet", "ended", "enough"]
"""Why a line is left: what waited has come, the source ended it, or a run's time is over."""


@runtime_checkable
class StreamSource(Source, Protocol):
    """A source that is listened to: an answer with status 200 goes on and on, event by event.

    ``read`` is asked for other answers.
    """

    @property
    def quiet_events(self) -> int:
        """So many events without content, one after another, and what waited has come."""

    @property
    def longest_event_bytes(self) -> int:
        """An event that is longer ends the run."""

    def hear(self, held: Held, event: bytes, settings: Mapping[str, Any]) -> Took | None:
        """What an event means; None for one that only keeps the line open.

        UnreadableDeliveryError for one that cannot be read: the stream goes on behind it.
        """

    def heard(self, held: Held, why: Heard) -> Noted | Wait:
        """What follows when the line is left."""


def may_go(request: Request, source: Source) -> bool:
    """Whether a request goes to one of the source's hosts, encrypted, at the usual port."""
    return any(request.url.startswith(f"https://{host}/") for host in source.hosts)


def busy(response: Response) -> Wait | None:
    """A wait where the status says so: 429 and every 5xx; the seconds of Retry-After if it has."""
    if response.status != _TOO_MANY and response.status < _SERVER_FAULT:
        return None
    after = response.headers.get("retry-after", "")
    seconds = int(after) if after.isascii() and after.isdigit() and len(after) <= _DIGITS else None
    return Wait(seconds, f"status {response.status}")


_TOO_MANY, _SERVER_FAULT = 429, 500
_DIGITS = 5
