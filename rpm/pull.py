"""Pull: asking vendors for readings: sending, waiting, renewing tokens, one account at a time.

Owns the HTTP client, lines that are listened to, the pace per application, tries and the order in
which things become durable: new tokens before they are used, a body and its readings with the
cursor behind them. Does not own what is asked and what it means (``devices.pull``) nor what becomes
of it (``rpm.actions``). Where a request may go is fixed by the vendor's module; a redirect is an
answer like another and is not followed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain
from uuid import UUID, uuid4

import httpx2  # safe: goes only to the hosts that a vendor's module names
import structlog
from sqlalchemy.engine import Engine

from devices.delivery import UnreadableDeliveryError
from devices.event_stream import Cutting
from devices.forms import form_text
from devices.pull import (
    Heard,
    Noted,
    Refresh,
    Renewed,
    RenewingSource,
    Request,
    Response,
    Source,
    Stop,
    StreamSource,
    Took,
    Wait,
    may_go,
)
from rpm.actions.pull_accounts import Claim, claim_account, end_run, keep_tokens
from rpm.actions.pull_notes import note_pulled
from rpm.actions.take_pulled import keep_unreadable, take_pulled
from rpm.clock import Clock
from rpm.keys import KeyRing
from rpm.store.engine import transaction
from rpm.store.scope import Scope

_TIMEOUT_SECONDS = 20.0
_MOST_BYTES = 8 * 1024 * 1024
_TRIES = 4
_LONGEST_WAIT_SECONDS = 60
"""A longer wait ends the run: the account is asked again later."""
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=1), timedelta(hours=6)
_LONGEST_LISTENING_SECONDS = 100.0
_OPEN = 200
_UNREADABLE = "what the vendor answers cannot be read"
_log = structlog.get_logger()


@dataclass
class Outcome:
    """What a run came to. ``held``: another process is at it. Without a problem it is whole."""

    subject: str = ""
    requests: int = 0
    recorded: int = 0
    problem: str = ""
    held: bool = False
    stopped: bool = False


class _EndedError(Exception):
    """A run cannot go on; without a time to try again a person has to look."""

    def __init__(self, problem: str, retry_seconds: int | None = None, *, stop: bool) -> None:
        super().__init__(problem)
        self.problem, self.retry_seconds, self.stop = problem, retry_seconds, stop


@dataclass
class Pulling:
    """What asks; one for a process. ``wait`` is how it passes time."""

    engine: Engine
    ring: KeyRing
    clock: Clock
    client: httpx2.Client
    wait: Callable[[float], None] = time.sleep
    _free_at: dict[UUID, float] = field(default_factory=dict)

    def run(self, scope: Scope, account_id: UUID) -> Outcome:
        """Fetch what there is for an account; what was fetched is recorded page by page."""
        holder = uuid4()
        with transaction(self.engine) as db:
            claim = claim_account(db, scope, self.ring, self.clock.now(), account_id, holder)
        if claim is None:
            return Outcome(held=True)
        outcome, retry = Outcome(claim.held.subject), None
        try:
            self._pages(scope, claim, outcome)
        except _EndedError as ended:
            outcome.problem, outcome.stopped = ended.problem, ended.stop
            retry = None if ended.stop else _retry(claim.account.failures, ended.retry_seconds)
        with transaction(self.engine) as db:
            end_run(db, scope, self.clock.now(), claim, problem=outcome.problem, retry=retry)
        _log.info(
            "pulled",
            organization_id=scope.organization_id,
            count=outcome.requests,
            result=outcome.problem or f"{outcome.recorded} recorded",
        )
        return outcome

    def _pages(self, scope: Scope, claim: Claim, outcome: Outcome) -> None:
        source, is_renewed = claim.source, False
        needed = (*source.application_credentials, *source.account_credentials)
        if not all(claim.held.credentials.get(name) for name in needed):
            raise _EndedError("credentials are missing: connections authorize", stop=True)
        while True:
            source, chosen = claim.source, claim.settings.chosen
            request = source.next_request(claim.held, chosen, self.clock.now())
            if request is None:
                return
            step: Claim | Refresh = (
                request if isinstance(request, Refresh) else (self._asked(claim, request, outcome))
            )
            if isinstance(step, Claim):
                claim, is_renewed = step, False
                continue
            if is_renewed:
                raise _EndedError("the vendor refuses the token that it just gave", stop=True)
            claim, is_renewed = self._renewed(scope, claim, outcome), True

    def _asked(self, claim: Claim, request: Request, outcome: Outcome) -> Claim | Refresh:
        """The account as it stands behind an answer, after some tries if the vendor is busy."""
        answers: Iterator[Response | Claim] = (
            self._lines(claim, claim.source, request, outcome)
            if isinstance(claim.source, StreamSource)
            else self._tries(claim, request, outcome)
        )
        for response in answers:
            if isinstance(response, Claim):
                return response
            now = self.clock.now()
            try:
                step = claim.source.read(claim.held, response, claim.settings.chosen, now)
            except UnreadableDeliveryError as error:
                with transaction(self.engine) as db:
                    keep_unreadable(db, now, claim, response.body, error.reason)
                raise _EndedError(_UNREADABLE, stop=False) from None
            if isinstance(step, Refresh):
                return step
            if isinstance(step, Took):
                return self._taken(claim, response.body, step, outcome)
            if isinstance(step, Noted):
                return self._noted(claim, step)
            self._busy_or_ended(step)
        raise _EndedError("the vendor is busy", stop=False)

    def _renewed(self, scope: Scope, claim: Claim, outcome: Outcome) -> Claim:
        """The account with new tokens, stored before anything is done with them."""
        source = claim.source
        if not isinstance(source, RenewingSource):
            raise _EndedError("the credentials are refused or cannot be used", stop=True)
        request = source.renewal(claim.held, claim.settings.chosen)
        for response in self._tries(claim, request, outcome):
            try:
                step = source.read_renewal(claim.held, response, self.clock.now())
            except UnreadableDeliveryError:
                # not kept as a dead letter: it may hold tokens
                raise _EndedError(_UNREADABLE, stop=False) from None
            if isinstance(step, Renewed):
                with transaction(self.engine) as db:
                    keep_tokens(db, scope, self.ring, claim.account.id, step.credentials)
                credentials = {**claim.held.credentials, **step.credentials}
                return replace(claim, held=replace(claim.held, credentials=credentials))
            self._busy_or_ended(step)
        raise _EndedError("the vendor is busy", stop=False)

    def _taken(self, claim: Claim, body: bytes, took: Took, outcome: Outcome) -> Claim:
        """Record a page; the account as it stands behind it."""
        with transaction(self.engine) as db:
            outcome.recorded += take_pulled(db, self.clock.now(), claim, body, took)
        if took.problem:
            raise _EndedError(took.problem, stop=False)
        return replace(claim, held=replace(claim.held, cursor=took.cursor))

    def _noted(self, claim: Claim, noted: Noted) -> Claim:
        """The account as it stands behind an answer without readings."""
        with transaction(self.engine) as db:
            note_pulled(db, self.clock.now(), claim, noted)
        return replace(claim, held=replace(claim.held, cursor=noted.cursor))

    def _listened(
        self, claim: Claim, source: StreamSource, line: httpx2.Response, outcome: Outcome
    ) -> Claim:
        """Record what comes along an open line, event by event, until what waited has come."""
        cutting, quiet = Cutting(source.longest_event_bytes), 0
        until = time.monotonic() + _LONGEST_LISTENING_SECONDS
        why: Heard = "ended"
        try:
            for event in chain.from_iterable(map(cutting.more, line.iter_raw())):
                quiet = 0 if self._heard(claim, source, event, outcome) else quiet + 1
                if quiet >= source.quiet_events or time.monotonic() > until:
                    why = "quiet" if quiet >= source.quiet_events else "enough"
                    break
        except httpx2.HTTPError:
            raise _EndedError("the stream was cut", stop=False) from None
        except UnreadableDeliveryError as error:
            raise _EndedError(error.reason, stop=False) from None
        step = source.heard(claim.held, why)
        if isinstance(step, Wait):
            raise _EndedError(step.reason, step.seconds, stop=False)
        return self._noted(claim, step)

    def _heard(self, claim: Claim, source: StreamSource, event: bytes, outcome: Outcome) -> bool:
        """Whether an event had content, which is recorded, also where it cannot be read."""
        now = self.clock.now()
        try:
            took = source.hear(claim.held, event, claim.settings.chosen)
        except UnreadableDeliveryError as error:
            with transaction(self.engine) as db:
                keep_unreadable(db, now, claim, event, error.reason)
            return True
        if took is not None:
            self._taken(claim, event, took, outcome)
        return took is not None

    def _busy_or_ended(self, step: Wait | Stop) -> None:
        """Wait as long as the vendor asks for, or end the run."""
        if isinstance(step, Stop):
            raise _EndedError(step.reason, stop=True)
        if step.seconds is not None and step.seconds > _LONGEST_WAIT_SECONDS:
            raise _EndedError(f"the vendor is busy: {step.reason}", step.seconds, stop=False)
        if step.seconds:
            self.wait(float(step.seconds))

    def _tries(self, claim: Claim, request: Request, outcome: Outcome) -> Iterator[Response]:
        """Answers to the same request; none where nothing answers."""
        for _ in self._attempts(outcome):
            try:
                with self._opened(claim.source, claim.connection.id, request) as line:
                    response = _whole(line)
            except httpx2.HTTPError:
                continue
            yield response

    def _lines(
        self, claim: Claim, source: StreamSource, request: Request, outcome: Outcome
    ) -> Iterator[Response | Claim]:
        """As ``_tries``; the account as it stands behind a line that was opened and heard."""
        for _ in self._attempts(outcome):
            try:
                with self._opened(source, claim.connection.id, request) as line:
                    is_open = line.status_code == _OPEN
                    heard = self._listened(claim, source, line, outcome) if is_open else None
                    response = heard or _whole(line)
            except httpx2.HTTPError:
                continue
            yield response

    def _attempts(self, outcome: Outcome) -> Iterator[None]:
        """Tries, with growing waits between."""
        for attempt in range(_TRIES):
            if attempt:
                self.wait(float(2 ** (attempt - 1)))
            outcome.requests += 1
            yield

    @contextmanager
    def _opened(
        self, source: Source, application: UUID, request: Request
    ) -> Iterator[httpx2.Response]:
        """Send a request at the application's pace; never to another host than the vendor's."""
        if not may_go(request, source):
            raise _EndedError("the request would leave the vendor's hosts", stop=True)
        at = time.monotonic()
        free_at = max(at, self._free_at.get(application, at))
        self._free_at[application] = free_at + source.pace.gap_seconds
        if free_at > at:
            self.wait(free_at - at)
        headers = {**request.headers, "accept-encoding": "identity"}
        content = form_text(request.form).encode() if request.form else b""
        if content:
            headers["content-type"] = "application/x-www-form-urlencoded"
        url = f"{request.url}?{form_text(request.query)}" if request.query else request.url
        with self.client.stream(request.method, url, headers=headers, content=content) as answer:
            yield answer


def _whole(line: httpx2.Response) -> Response:
    body = bytearray()
    for part in line.iter_raw():
        body += part
        if len(body) > _MOST_BYTES:
            raise _EndedError("the vendor's answer is too large", stop=False)
    named = {name.lower(): value for name, value in line.headers.items()}
    return Response(line.status_code, named, bytes(body))


@contextmanager
def outgoing_client() -> Iterator[httpx2.Client]:
    """A client for vendors: nothing of the environment, no redirects, a limit of time."""
    with httpx2.Client(timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client:
        yield client


def _retry(failures: int, seconds: int | None) -> timedelta:
    """When to ask again: as long as the vendor said, or longer with each failure."""
    growing: timedelta = _FIRST_RETRY * 2 ** min(failures, 12)
    asked = timedelta(seconds=seconds or 0)
    return min(max(growing, asked), _LAST_RETRY)
