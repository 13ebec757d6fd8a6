"""A cloud that speaks as Withings documents: tokens that rotate, pages, refusals; a real server.

Owns the server and the way to it. A refresh token stays good until the access token that came of it
is used, as the vendor has it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import httpx2

CLIENT = {"client_id": "app-1", "client_secret": "secret-of-the-app"}


@dataclass
class Account:
    """A user's tokens and measurements."""

    refresh_tokens: list[str]
    access_tokens: set[str] = field(default_factory=set)
    pending: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[int, dict[str, Any]] = field(default_factory=dict)
    subscribed: set[tuple[int, str]] = field(default_factory=set)


class Cloud:
    """What the vendor knows, and what it was asked."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.accounts: dict[str, Account] = {}
        self.page_groups = 100
        self.faults: list[tuple[int, dict[str, str], bytes]] = []
        self.changed_pages: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.tokens_made = 0
        self.expires_in = 10_800
        self.subscribes = True

    def account(self, user: str) -> dict[str, str]:
        """A new account; what a practice is given for it."""
        self.accounts[user] = Account([f"refresh-0-{user}"])
        return {"refresh_token": f"refresh-0-{user}"}

    def weigh(self, user: str, group_id: int, at: datetime, **more: Any) -> None:
        """A measurement of a scale, changed now."""
        measures = more.pop("measures", [{"type": 1, "value": 81740, "unit": -3}])
        self.accounts[user].groups[group_id] = {
            "grpid": group_id,
            "attrib": 0,
            "category": 1,
            "date": int(at.timestamp()),
            "created": int(at.timestamp()),
            "modified": int(self.now.timestamp()),
            "deviceid": "scale-1",
            "measures": measures,
        } | more

    def expire(self, user: str) -> None:
        """End the access tokens of a user."""
        self.accounts[user].access_tokens.clear()

    def answer(self, path: str, token: str, form: dict[str, str]) -> Any:
        """The JSON body of an answer."""
        if path == "/v2/oauth2":
            return self._tokens(form)
        user = next((u for u, a in self.accounts.items() if token in a.access_tokens), None)
        if user is None:
            return {"status": 401, "body": {}, "error": "XRequestID: not provided invalid_token"}
        used = self.accounts[user].pending.pop(token, [])
        self.accounts[user].refresh_tokens = [
            one for one in self.accounts[user].refresh_tokens if one not in used
        ]
        if path == "/notify":
            return self._notify(self.accounts[user], form)
        return {"status": 0, "body": self._page(self.accounts[user], form)}

    def _notify(self, account: Account, form: dict[str, str]) -> Any:
        appli = int(form["appli"])
        if form["action"] == "list":
            told = [{"appli": one, "callbackurl": url} for one, url in account.subscribed]
            return {
                "status": 0,
                "body": {"profiles": [one for one in told if one["appli"] == appli]},
            }
        if not self.subscribes:
            return {"status": 293, "error": "The callback URL is either absent or incorrect"}
        account.subscribed.add((appli, form["callbackurl"]))
        return {"status": 0}

    def _tokens(self, form: dict[str, str]) -> Any:
        given = form.get("refresh_token")
        known = {name: form.get(name) for name in CLIENT} == CLIENT
        for user, account in self.accounts.items():
            if known and given in account.refresh_tokens:
                self.tokens_made += 1
                access, refresh = f"access-{self.tokens_made}", f"refresh-{self.tokens_made}"
                account.pending[access] = list(account.refresh_tokens)
                account.access_tokens.add(access)
                account.refresh_tokens.append(refresh)
                told = {"userid": user, "access_token": access, "refresh_token": refresh}
                return {"status": 0, "body": {**told, "expires_in": self.expires_in}}
        return {"status": 401, "body": {}, "error": "invalid refresh_token"}

    def _page(self, account: Account, form: dict[str, str]) -> Any:
        if "lastupdate" in form:
            since = int(form["lastupdate"])
            chosen = [one for one in account.groups.values() if one["modified"] >= since]
        else:
            low, high = int(form["startdate"]), int(form["enddate"])
            chosen = [one for one in account.groups.values() if low <= one["date"] <= high]
        chosen.sort(key=lambda one: int(one["date"]), reverse=True)
        start = int(form.get("offset", 0))
        page: dict[str, Any] = {
            "updatetime": int(self.now.timestamp()),
            "timezone": "America/New_York",
            "measuregrps": chosen[start : start + self.page_groups],
        }
        if start + self.page_groups < len(chosen):
            page |= {"more": 1, "offset": start + self.page_groups}
        return page | (self.changed_pages.pop(0) if self.changed_pages else {})


class Cut(NamedTuple):
    """The process dies ``before`` a request, or ``after`` its answer came; counted from 1."""

    place: str
    number: int


class _ToCloud(httpx2.BaseTransport):
    """The way to the vendor's hosts leads to the server on this machine."""

    def __init__(self, port: int, cut: Cut | None) -> None:
        self._port, self._cut, self._sent = port, cut, 0
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._sent += 1
        if Cut("before", self._sent) == self._cut:
            raise Killed
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        answer = self._inner.handle_request(request)
        if Cut("after", self._sent) == self._cut:
            answer.read()
            raise Killed
        return answer

    def close(self) -> None:
        self._inner.close()


class Killed(BaseException):
    """The process dies here; nothing of the program may catch it."""


def client_of(port: int, cut: Cut | None = None) -> httpx2.Client:
    """A client as the product makes it, whose every way leads to the cloud."""
    return httpx2.Client(transport=_ToCloud(port, cut), timeout=10.0, trust_env=False)


@contextmanager
def served(cloud: Cloud) -> Iterator[int]:
    """The cloud behind a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer a request, or fail as the cloud is told to."""
            length = int(self.headers.get("content-length", 0))
            path, _, query = self.path.partition("?")
            form = dict(parse_qsl(self.rfile.read(length).decode() or query))
            cloud.asked.append((self.headers["host"], path, form))
            if cloud.faults:
                status, headers, body = cloud.faults.pop(0)
            else:
                status, headers = 200, {}
                token = self.headers.get("authorization", "").partition(" ")[2]
                body = json.dumps(cloud.answer(path, token, form)).encode()
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the server's name for it

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
