"""Posting: steps of the story become requests to the running service.

Owns the requests and what is kept of their answers. Does not own which steps there are. An answer
that is not the expected one is told and the story goes on: somebody may have changed the record.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2  # safe: the demo calls the server it started itself, at an address it took

from rpm.actions.whole_files import write_whole
from rpm.demo.memory import DONE, Memory
from rpm.demo.practice import BILLER
from rpm.demo.steps import CREATED, Call, CloseOf, Post, Step

_TIMEOUT_SECONDS = 120.0
_NAME = re.compile(r"@([a-z]+:[\w:.-]+)")


class Door:
    """The service as the practice and its gateways reach it."""

    def __init__(self, url: str, memory: Memory, exports: Path) -> None:
        self._client = httpx2.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)
        self._memory = memory
        self._exports = exports
        self.unexpected: list[str] = []

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def do(self, step: Step) -> None:
        """Carry a step out and remember that it is done."""
        match step:
            case Call():
                kept = self._call(step)
            case Post():
                kept = self._post(step)
            case CloseOf():
                kept = self._close(step)
        self._memory.remember(**kept, **{DONE: self._memory.done + 1})

    def _call(self, step: Call) -> dict[str, Any]:
        try:
            path, body = self._named(step.path), self._named(dict(step.body))
        except KeyError:
            self.unexpected.append(f"{step.at:%Y-%m-%d} {step.path}: an earlier step is missing")
            return {}
        headers = self._bearer(step.by)
        if step.keep is not None:
            # after a crash the step is done again, and must give the same id
            headers["Idempotency-Key"] = f"demo:{step.keep}"
        answer = self._client.post(path, json=body, headers=headers)
        if not self._expected(step.path, step.at, answer, CREATED) or step.keep is None:
            return {}
        return _kept(step.keep, answer.json())

    def _post(self, step: Post) -> dict[str, Any]:
        address = self._memory[f"address:{step.gateway}"]
        if step.query:
            address = f"{address}?{step.query}"
        headers = dict(step.headers)
        answer = self._client.post(address, content=step.body, headers=headers)
        if not self._expected("/webhooks", step.at, answer, step.expects) or not step.keeps:
            return {}
        items = answer.json()["items"]
        return {
            f"reading:{one['id']}": one["reading_id"] for one in items if one["id"] in step.keeps
        }

    def _close(self, step: CloseOf) -> dict[str, Any]:
        month = f"{step.month_start_day:%Y-%m}"
        body = {"month": month, "reason": "month-end"}
        answer = self._client.post("/v1/closes", json=body, headers=self._bearer(BILLER.key))
        if not self._expected("/v1/closes", step.at, answer, CREATED):
            return {}
        close_id = answer.json()["close"]["id"]
        path = f"/v1/closes/{close_id}/export"
        answer = self._client.post(path, headers=self._bearer(BILLER.key))
        if not self._expected("/v1/closes/export", step.at, answer, CREATED):
            return {f"close:{month}": close_id}
        exported = answer.json()
        files = {name: text.encode() for name, text in exported["files"].items()}
        folder = self._exports / month
        write_whole(folder, files)
        return {f"close:{month}": close_id, "exported": month}

    def _bearer(self, by: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._memory[f'token:{by}']}"}

    def _named(self, value: Any) -> Any:
        """The value with the ids that its names stand for."""
        if isinstance(value, str):
            return _NAME.sub(lambda found: str(self._memory[found[1]]), value)
        if isinstance(value, dict):
            return {name: self._named(part) for name, part in value.items()}
        return value

    def _expected(self, what: str, when: datetime, answer: httpx2.Response, status: int) -> bool:
        if answer.status_code == status:
            return True
        self.unexpected.append(f"{when:%Y-%m-%d} {what}: answered {answer.status_code}")
        return False


def _kept(keep: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a call's answer is remembered by: the id of what it made, or what is shown once."""
    if keep.startswith("token:"):
        return {keep: answer["token"]}
    if keep.startswith("connection:"):
        gateway = keep.removeprefix("connection:")
        return {f"secret:{gateway}": answer["secret"], f"address:{gateway}": answer["path"]}
    made = answer["entries"][0] if keep.startswith("entry:") else answer
    return {keep: str(UUID(made["id"]))}
