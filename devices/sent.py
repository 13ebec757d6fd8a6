"""Sent: the fields of a vendor's body, checked strictly before they are used.

Owns the base of the models, the types of numbers and what an item that does not fit is answered.
Unknown fields are allowed, because vendors add some; known ones are not converted: ``false`` is not
0 and ``"120"`` is a number only where the vendor writes numbers as text. Does not own what the
fields mean.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from devices.delivery import UnreadableDeliveryError
from devices.reading import CannotReadError, RejectedReading
from devices.strict_json import loads

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_LONGEST_NUMBER = 40


def _number(value: object) -> object:
    """A JSON number as its text; texts too are wrapped, so that the model refuses them."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else [value]


def _number_or_text(value: object) -> object:
    return value if isinstance(value, str) else _number(value)


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


_NumberText = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_NUMBER)]
Number = Annotated[_NumberText, BeforeValidator(_number)]
"""A JSON number, as its text."""
NumberOrText = Annotated[_NumberText, BeforeValidator(_number_or_text)]
"""A number for senders that write it as a number or as text, as its text."""

Item = TypeVar("Item")
Many = Annotated[tuple[Item, ...], BeforeValidator(_as_tuple)]
"""A JSON list."""


class Sent(BaseModel):
    """A known shape of a vendor: known fields strictly, others left out."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


Model = TypeVar("Model", bound=Sent)


def loaded_object(body: bytes) -> dict[str, Any]:
    """A body that is one JSON object; UnreadableDeliveryError for any other."""
    loaded = loads(body)
    if not isinstance(loaded, dict):
        raise UnreadableDeliveryError("not an object")
    return loaded


def shaped(model: type[Model], sent: Any) -> Model:
    """``sent`` as the model; CannotReadError with reason ``shape`` names the first bad field."""
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CannotReadError("shape", f"{field or 'item'}: {first['type']}") from None


def taken(where: str, read: Callable[[], tuple[Item, ...]]) -> tuple[Item | RejectedReading, ...]:
    """What an item gives, or the refusal that tells where it lies and why it cannot be read."""
    try:
        return read()
    except CannotReadError as error:
        return (RejectedReading(error.reason, where, error.message),)
