"""A pack as a file: its format, its digests, and what is no pack.

Owns canonical JSON, row digests as the audit chain has them, and the digests of a pack's parts.
Does not own what the parts say.
"""

import hashlib
import json
import re
from typing import Any

FAMILY = "rpm-ledger evidence"
FORMAT = f"{FAMILY} 1"
Row = dict[str, Any]
_LISTS = ("facts", "rules", "events", "postings")
_OBJECTS = ("organization", "chain", "people", "profiles", "words", "digests")


class NotAPackError(ValueError):
    """The file cannot be checked: not JSON, not a pack, of another format, or damaged."""


def canonical(value: Any) -> str:
    """JSON as it is digested: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(text: str) -> str:
    """SHA-256 of a text, hex; lone surrogates, which no digest of ours has, are kept apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def row_digest(table: str, stored: Row) -> str:
    """The digest of a fact in stored form, as the practice's audit chain covers it."""
    return sha256(f"{table}\n{canonical(stored)}")


def page_digest(content: Row) -> str:
    """The digest of a rule page's content."""
    return sha256(json.dumps(content, sort_keys=True))


def item_digests(pack: Row) -> dict[str, str]:
    """The digest of each part of a pack by its path; facts told whole have their row digest."""
    found: Row = {}
    for key, value in pack.items():
        if key == "events":
            for at, event in enumerate(value):
                found |= {f"events[{at}].{name}": part for name, part in event.items()}
        elif key == "facts":
            found |= {f"facts[{at}]": one for at, one in enumerate(value) if one["withheld"]}
        elif isinstance(value, list):
            found |= {f"{key}[{at}]": one for at, one in enumerate(value)}
        elif key not in ("digests", "digest"):
            found[key] = value
    return {path: sha256(canonical(part)) for path, part in found.items()}


def pack_digest(pack: Row) -> str:
    """The digest over all of a pack but itself."""
    return sha256(canonical({key: value for key, value in pack.items() if key != "digest"}))


def sealed(pack: Row) -> Row:
    """A pack with its digests, the whole one last."""
    whole = {**pack, "digests": item_digests(pack)}
    return {**whole, "digest": pack_digest(whole)}


def read_pack(content: bytes) -> Row:
    """A pack from the bytes of a file; ``NotAPackError`` says why it is none."""
    try:
        pack: Any = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        raise NotAPackError(f"not JSON, or damaged: {error}") from error
    stated = pack.get("format") if isinstance(pack, dict) else None
    if not isinstance(stated, str) or not re.fullmatch(rf"{FAMILY} [1-9]\d*", stated):
        raise NotAPackError(f"another kind of file: its format is not {FORMAT!r}")
    if stated != FORMAT:
        raise NotAPackError(f"of the newer format {stated!r}; this program reads {FORMAT!r}")
    for names, kind in ((_LISTS, list), (_OBJECTS, dict), (("digest",), str)):
        for name in names:
            if not isinstance(pack.get(name), kind):
                raise NotAPackError(f"damaged: {name} is missing or has another form")
    whole: Row = pack
    return whole


def _no_key_twice(pairs: list[tuple[str, Any]]) -> Row:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("the same key stands twice in an object")
    return found
