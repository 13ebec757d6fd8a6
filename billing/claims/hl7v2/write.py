"""The one place where an HL7 v2 field is written: separators are escaped, lines cannot break.

Owns escaping, and segments made of fields. Does not own what fields mean.
"""

import re

FIELD, COMPONENT, REPETITION, ESCAPE, SUBCOMPONENT = "|", "^", "~", "\\", "&"
SEGMENT_END = "\r"
ENCODING = f"{COMPONENT}{REPETITION}{ESCAPE}{SUBCOMPONENT}"
CHARACTERS = "UNICODE UTF-8"
"""MSH-18: how the bytes of a message are to be read."""

_ESCAPES = str.maketrans(
    {
        ESCAPE: r"\E\ ".strip(),
        FIELD: r"\F\ ".strip(),
        COMPONENT: r"\S\ ".strip(),
        REPETITION: r"\R\ ".strip(),
        SUBCOMPONENT: r"\T\ ".strip(),
    }
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")

Field = str | tuple[str, ...] | list[str | tuple[str, ...]]
"""A value, the components of one, or repetitions of either."""


def escaped(text: str) -> str:
    """Text as it may stand in a field; control characters become a space."""
    clean = _CONTROL.sub(" ", text).strip().translate(_ESCAPES)
    return clean.encode("utf-8", "replace").decode()


def money(cents: int) -> str:
    """An amount of the type CP, already escaped: what, and in which money."""
    sign, whole = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{whole // 100}.{whole % 100:02d}{SUBCOMPONENT}USD"


def segment(name: str, *fields: Field, ready: dict[int, str] | None = None) -> str:
    """A segment with its fields from 1; ``ready`` are fields that were written before."""
    texts = [_field(one) for one in fields]
    for position, text in (ready or {}).items():
        texts += [""] * (position - len(texts))
        texts[position - 1] = text
    return FIELD.join([name, *texts]).rstrip(FIELD) + SEGMENT_END


def _field(value: Field) -> str:
    if isinstance(value, list):
        return REPETITION.join(_repetition(one) for one in value)
    return _repetition(value)


def _repetition(value: str | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return COMPONENT.join(map(escaped, value)).rstrip(COMPONENT)
    return escaped(value)
