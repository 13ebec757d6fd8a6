"""Packs that somebody changed: one value, with or without new digests.

Owns finding the values of a pack and changing them. Does not own what a check must say.
"""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from billing.evidence.pack import page_digest, read_pack, row_digest, sealed

FILES = Path(__file__).parent / "files" / "evidence"
Pack = dict[str, Any]
Place = tuple[str | int, ...]


def kept_pack(name: str) -> Pack:
    """A pack of format 1 that was given out once."""
    return read_pack((FILES / name).read_bytes())


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where each text and number of a pack stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*place, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from leaves(inner, (*place, at))
    elif (isinstance(value, str) and value) or isinstance(value, bool | int):
        yield place


def at(pack: Pack, place: Place) -> Any:
    """The value in a place."""
    found: Any = pack
    for step in place:
        found = found[step]
    return found


def changed(pack: Pack, place: Place, value: Any) -> Pack:
    """The pack with another value in a place."""
    other = deepcopy(pack)
    at(other, place[:-1])[place[-1]] = value
    return other


def with_other_character(value: Any, which: int) -> Any:
    """A value of the same kind with one character or digit changed."""
    if isinstance(value, bool):
        return not value
    text = str(value)
    which %= len(text)
    old = text[which]
    new = "7" if old != "7" else "3"
    if not old.isdigit():
        new = "q" if old != "q" else "x"
    if isinstance(value, int):
        return -value if old == "-" else int(text[:which] + new + text[which + 1 :])
    return text[:which] + new + text[which + 1 :]


def sealed_anew(pack: Pack) -> Pack:
    """The pack with every digest made anew, as somebody would who knows how they are made."""
    other = deepcopy(pack)
    for fact in other["facts"]:
        if not fact["withheld"]:
            fact["row_digest"] = row_digest(fact["table"], fact["stored"])
    for page in other["rules"]:
        old, page["digest"] = page["digest"], page_digest(page["content"])
        for event in other["events"]:
            if event["rule"]["page_digest"] == old:
                event["rule"]["page_digest"] = page["digest"]
    return sealed({key: value for key, value in other.items() if key not in ("digests", "digest")})


def path_of(place: Place) -> str:
    """A place as a check writes it."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
