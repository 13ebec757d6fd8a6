"""Sample payloads of vendors: files in, items out, and mutations of them for fuzzing.

A file in ``accepted`` gives readings, or only notices if its name begins with ``notice``; a file in
``rejected`` is refused for the reason that its name begins with.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from hypothesis import strategies as st

from devices.delivery import Notice, Parsed
from devices.reading import Reading
from devices.vendor import SOURCES
from devices.vendors.withings import Withings

PAYLOADS = Path(__file__).parent / "payloads"


class Format(Protocol):
    """What a sample needs of a vendor."""

    @property
    def name(self) -> str:
        """The vendor's word, which is its folder of samples."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its settings by name, each with a default."""

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The items of a body."""


class Fetched:
    """Bodies fetched from Withings, read as the bodies that others push."""

    name = "withings"
    settings = Withings.settings

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The items of a page of measurements."""
        return SOURCES[self.name].read_again(body, {"subject": "11223344"}, settings)


def files(vendor: str, folder: str) -> list[Path]:
    """The samples of a vendor in ``accepted`` or ``rejected``."""
    return sorted((PAYLOADS / vendor / folder).glob("*.json"))


def sample(vendor: str, name: str) -> Any:
    """The content of an accepted sample, to be changed and sent."""
    return json.loads((PAYLOADS / vendor / "accepted" / f"{name}.json").read_text())


def items_of(vendor: Format, sent: Any, **chosen: str) -> tuple[Any, ...]:
    """The items of content or bytes, with the vendor's settings at their defaults or as chosen."""
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    defaults = {name: setting.default for name, setting in vendor.settings.items()}
    return vendor.parse(body, defaults | chosen).items


def readings_of(vendor: Format, sent: Any, **chosen: str) -> list[Reading]:
    """The readings among the items."""
    return [item for item in items_of(vendor, sent, **chosen) if isinstance(item, Reading)]


def notices_of(vendor: Format, sent: Any, **chosen: str) -> dict[str, str]:
    """The notices among the items: value by kind."""
    items = items_of(vendor, sent, **chosen)
    return {item.kind: item.value for item in items if isinstance(item, Notice)}


def values(reading: Reading) -> dict[str, str]:
    """Values of a reading in the kept unit, by LOINC code."""
    return {part.loinc: f"{part.value.normalize():f}" for part in reading.components}


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "0", "-200", "1e999", "٣", "2026-01-15T13:15:00Z", "1768482900000"])
)
ANY_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn, vendor: str) -> Any:
    """A sample with one to three of its members, at any depth, replaced, taken out or repeated."""
    path = draw(st.sampled_from(files(vendor, "accepted")))
    content = json.loads(path.read_text())
    for _ in range(draw(st.integers(1, 3))):
        _mutate(draw, content)
    return draw(st.sampled_from([content, [content], [content, content]]))


def _mutate(draw: st.DrawFn, content: Any) -> None:
    inner = content
    while isinstance(inner, dict | list) and inner:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = draw(st.sampled_from(keys))
        if not isinstance(inner[key], dict | list) or draw(st.booleans()):
            if draw(st.booleans()):
                inner[key] = draw(ANY_JSON)
            else:
                del inner[key]
            return
        inner = inner[key]


def leaves(content: Any) -> list[str]:
    """The texts and numbers of some content, at any depth, as text."""
    if isinstance(content, dict):
        return [text for inner in content.values() for text in leaves(inner)]
    if isinstance(content, list):
        return [text for inner in content for text in leaves(inner)]
    return [str(content)]
