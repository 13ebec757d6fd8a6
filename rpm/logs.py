"""The log: one JSON object a line, made of fixed words and ids.

Owns the format and what may be said in it. A field that is not on the list is left out, and of an
exception only its type and the places in the code are told: its text may hold what was sent.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

FIELDS = frozenset(
    {
        "event", "level", "time", "logger", "request_id", "organization_id", "token_id", "method",
        "route", "status", "milliseconds", "job", "slot", "result", "count", "error", "places",
        "month", "close_id", "host", "port", "version", "database",
    }
)  # fmt: skip
"""Every field that a line may have."""

# Their messages hold addresses and states of the process, never what was sent.
_TOLD_IN_FULL = ("uvicorn.error", "apscheduler")
_TALKATIVE = ("apscheduler", "alembic")


def listed_fields_only(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """structlog processor: drop every field that is not listed; values become plain text."""
    return {
        name: value if isinstance(value, int | float | list) else str(value)
        for name, value in line.items()
        if name in FIELDS
    }


def places(trace: TracebackType | None) -> list[str]:
    """Where an exception passed: file, line and function, innermost last; no values."""
    return [
        f"{frame.filename.rsplit('site-packages/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(trace)[-12:]
    ]


def about(error: BaseException) -> dict[str, Any]:
    """What the log may say of an exception."""
    kind = type(error)
    return {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "places": places(error.__traceback__),
    }


class _JsonLines(logging.Handler):
    """Lines of other libraries, in the same format."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        told = record.name.startswith(_TOLD_IN_FULL)
        text = record.getMessage() if told and not record.exc_info else str(record.msg)
        fields = about(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        level = record.levelname.lower()
        self._log.log(
            getattr(logging, level.upper(), logging.INFO),
            text.strip(),
            logger=record.name,
            **fields,
        )


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every log line of this process to ``stream`` (standard error unless told)."""
    least = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            listed_fields_only,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        # asked at every line: what stands for standard error may be another file by then
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_JsonLines(structlog.get_logger()))
    root.setLevel(max(least, logging.INFO))
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    logging.getLogger("uvicorn.access").disabled = True
