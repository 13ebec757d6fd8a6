"""Outbound fetches: a small JSON document from a receiver that was checked.

Owns the limit on the answer and what counts as one. Connects as ``rpm.outbound`` does, to the
address that was checked, with no redirect followed. Does not own what is asked for.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpcore2  # safe: connects through ``rpm.outbound``'s checked addresses

from rpm.outbound import checked_backend
from rpm.outbound_address import AddressRefusedError, Receiver

DEADLINE_SECONDS = 10.0
LARGEST_BYTES = 256 * 1024


class FetchError(Exception):
    """Why there is no document; the text names no address and holds nothing of the answer."""


def fetch_json(
    receiver: Receiver, form: bytes | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object at a receiver's address; a form is posted, otherwise it is asked for.

    ``FetchError`` for anything but status 200 with an object of at most 256 KiB.
    """
    sent = {"Accept": "application/json", **(headers or {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    until = time.monotonic() + DEADLINE_SECONDS
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), DEADLINE_SECONDS)
    try:
        with (
            httpcore2.ConnectionPool(
                network_backend=checked_backend(receiver, until), retries=0
            ) as pool,
            pool.stream(
                "GET" if form is None else "POST",
                receiver.url,
                headers=list(sent.items()),
                content=form,
                extensions={"timeout": timeout},
            ) as answer,
        ):
            if answer.status != 200:
                raise FetchError(f"it answered with status {answer.status}")
            content = _limited(answer)
    except AddressRefusedError as error:
        raise FetchError(str(error)) from None
    except (httpcore2.TimeoutException, TimeoutError):
        raise FetchError("it did not answer in time") from None
    except (httpcore2.ProtocolError, httpcore2.NetworkError, OSError) as error:
        raise FetchError(f"it cannot be reached: {type(error).__name__}") from None
    return _object(content)


def _limited(answer: httpcore2.Response) -> bytes:
    content = b""
    for part in answer.iter_stream():
        content += part
        if len(content) > LARGEST_BYTES:
            raise FetchError("its answer is too long")
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise FetchError("its answer is not JSON") from None
    if not isinstance(found, dict):
        raise FetchError("its answer is not a JSON object")
    return found
