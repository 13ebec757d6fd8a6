"""Wrong requests, as exceptions with a stable code.

Owns the types and their codes. Does not own HTTP (``rpm.web.problems``) nor wrong data, which is
returned as ``billing.finding.Finding``. A leaf: imports nothing of ``rpm``. No message echoes a
value that came from outside.
"""

from collections.abc import Sequence
from typing import ClassVar

from billing.finding import Finding


class ServiceError(Exception):
    """Something asked for cannot be done; ``code`` is stable, ``message`` is for a person."""

    code: ClassVar[str] = "service_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(ServiceError):  # noqa: N818 - the glossary's word, and it reads as a sentence
    """There is no such thing in this organization."""

    code = "not_found"


class NotAllowed(ServiceError):  # noqa: N818 - as above
    """The actor may not do this."""

    code = "not_allowed"


class NotAuthentic(ServiceError):  # noqa: N818 - as above
    """Who asks is not known, or a delivery is not signed as agreed."""

    code = "not_authentic"


class Conflict(ServiceError):  # noqa: N818 - as above
    """It contradicts what is already recorded."""

    code = "conflict"


class InvalidRequest(ServiceError):  # noqa: N818 - as above
    """The request is understood but wrong; ``findings`` name the fields."""

    code = "invalid_request"

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)


class TooLarge(ServiceError):  # noqa: N818 - as above
    """More bytes or rows than are taken at once."""

    code = "too_large"


class Busy(ServiceError):  # noqa: N818 - as above
    """Another writer holds the database; the same request may succeed a little later."""

    code = "busy"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TooManyTries(ServiceError):  # noqa: N818 - as above
    """Somebody guesses: no more tries are taken for a while."""

    code = "too_many_tries"


class NotReady(ServiceError):  # noqa: N818 - as above
    """The installation is not set up for this: a missing key, a database behind its version."""

    code = "not_ready"
