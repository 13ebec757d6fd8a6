"""Forms: fields in the encoding of queries and HTML forms, read and written.

Owns both. The only module here that may use ``urllib``, and of it only what opens nothing.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

_MOST_FIELDS = 100


def form_fields(text: str) -> tuple[tuple[str, str], ...]:
    """Names and values in the order sent; none when there are more than 100."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return ()


def form_text(fields: Mapping[str, str]) -> str:
    """The fields as one text."""
    return urlencode(fields)
