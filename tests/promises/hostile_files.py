"""Hostile names, links and archives: what somebody may put where the product reads and writes.

Owns the cases. Each prepares its trap and gives the command that walks into it, and where that
command may change anything. Does not own running and comparing (``test_file_intake``).
"""

import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook

HEADER = "record_number,family_name,given_name,birth_date\n"
GOOD, BAD = "P-1,Example,Pat,1950-05-17\n", "P-2,Example,Pat,not a day\n"
PEOPLE = (HEADER + GOOD + BAD).encode()
ALL_GOOD = (HEADER + GOOD).encode()
UP = "../../outside/"


@dataclass(frozen=True)
class Ground:
    """Folders of a case; ``within`` is where the product works, ``outside`` is not to change."""

    inbox: Path
    out: Path
    outside: Path
    backup: Path  # a good one
    profile: Path  # of workbooks

    @property
    def victim(self) -> Path:
        """A file that nothing may change."""
        return self.outside / "secret.txt"


Prepare = Callable[[Ground], list[str]]
"""Sets the trap and gives the command."""
Target = Callable[[Ground], Path]
"""Where a link leads to."""


@dataclass(frozen=True)
class Case:
    """A trap, the command that meets it, and the folders in which it may change something."""

    name: str
    prepare: Prepare
    may_change: tuple[str, ...]


NAMES = (
    "..%2f..%2foutside%2fx.csv", "..\\..\\outside\\x.csv", "-rf.csv", "--rejects=x.csv",
    "$(touch pwned).csv", "`touch pwned`.csv", ";touch pwned;.csv", "|touch pwned.csv",
    "&& touch pwned.csv", "a\nb.csv", "a\r\nb.csv", "\x1b[2J.csv", "\u202evsc.exe", " lead.csv",
    "trail.csv ", "~root.csv", "~", "*.csv", "?.csv", "[a-z].csv", "{a,b}.csv", "%s%n%x.csv",
    "{0.__class__}.csv", "CON.csv", "NUL", "file:x.csv", "http:x.csv", ".hidden.csv", "...csv",
    "x" * 235, "é" * 100 + ".csv", "x.csv.rejects.csv", ".x.csv.rejects.csv.draft", "'\"<>.csv",
)  # fmt: skip


def _import(path: Path, *more: str, profile: str = "generic-patients") -> list[str]:
    return ["import", "patients", f"{path.parent}/{path.name}", "--profile", profile, *more]


def _named(name: str) -> Prepare:
    def prepare(ground: Ground) -> list[str]:
        path = ground.inbox / name
        path.write_bytes(PEOPLE)
        return _import(path)

    return prepare


def _linked(place: str, target: Target, *, hard: bool = False, data: bytes = PEOPLE) -> Prepare:
    """A link at a place beside the file that is imported."""

    def prepare(ground: Ground) -> list[str]:
        path = ground.inbox / "people.csv"
        link = ground.inbox / place.format(path.name)
        if link != path:
            path.write_bytes(data)
        if hard:
            os.link(target(ground), link)
        else:
            link.symlink_to(target(ground))
        return _import(path)

    return prepare


def _victim(ground: Ground) -> Path:
    return ground.victim


def _new_outside(ground: Ground) -> Path:
    return ground.outside / "new.txt"


def _outside(ground: Ground) -> Path:
    return ground.outside


def _people_outside(ground: Ground) -> Path:
    return ground.outside / "people.csv"


def _relative(_: Ground) -> Path:
    return Path(f"{UP}secret.txt")


DRAFT, REJECTS = ".{}.rejects.csv.draft", "{}.rejects.csv"
_TARGETS = (_victim, _new_outside, _outside, _relative)


def _import_links() -> Iterator[tuple[str, Prepare]]:
    for place in (DRAFT, REJECTS):
        for target in _TARGETS:
            word = target.__name__
            yield f"{place} to {word}", _linked(place, target)
            yield f"{place} to {word}, none refused", _linked(place, target, data=ALL_GOOD)
        yield f"{place} as hard link", _linked(place, _victim, hard=True)
    yield "file outside", _linked("{}", _people_outside)
    yield "file as hard link", _linked("{}", _people_outside, hard=True)
    yield "file is a folder outside", _linked("{}", _outside)
    yield "file is itself", _linked("{}", lambda ground: ground.inbox / "people.csv")
    yield "file is nothing", _linked("{}", lambda _: Path("/dev/null"))


def _workbook() -> bytes:
    book, data = Workbook(), BytesIO()
    sheet = book.active
    assert sheet is not None
    for line in (HEADER, GOOD, BAD):
        sheet.append(line.strip().split(","))
    book.save(data)
    return data.getvalue()


def _zipped(*entries: str, base: bytes = b"", link: str | None = None) -> bytes:
    data = BytesIO(base)
    with zipfile.ZipFile(data, "a" if base else "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry)
            info.external_attr = (0o120777 if link else 0o644) << 16
            archive.writestr(info, link or HEADER + GOOD)
    return data.getvalue()


def _tarred(*entries: str, link: str = "") -> bytes:
    data = BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry)
            info.size = 0 if link else len(PEOPLE)
            info.type, info.linkname = (tarfile.SYMTYPE if link else tarfile.REGTYPE), link
            archive.addfile(info, None if link else BytesIO(PEOPLE))
    return data.getvalue()


_ESCAPES = (f"{UP}x.csv", "/tmp/rpm-ledger-x.csv", "..\\..\\outside\\x.csv", "x/../../../x.csv")


def _archives() -> Iterator[tuple[str, bytes]]:
    for entry in _ESCAPES:
        yield f"zip {entry}", _zipped(entry)
        yield f"tar {entry}", _tarred(entry)
        yield f"workbook and {entry}", _zipped(entry, base=_workbook())
    yield "zip with a link", _zipped("people.csv", link=f"{UP}secret.txt")
    yield "tar with a link", _tarred("people.csv", link=f"{UP}secret.txt")
    yield "workbook with a link", _zipped("xl/media/x", base=_workbook(), link="/etc/passwd")
    yield "zip of zeros", _zipped("x" * 100)
    yield "half a workbook", _workbook()[:2_000]
    yield "zip in a workbook", _zipped("xl/embeddings/x.zip", base=_workbook())


def _archived(data: bytes, ending: str) -> Prepare:
    def prepare(ground: Ground) -> list[str]:
        path = ground.inbox / f"people.{ending}"
        path.write_bytes(data)
        if ending == "zip":
            return ["rules", "load-ncci", str(path), "--quarter", "2026Q4"]
        return _import(path, profile=str(ground.profile))

    return prepare


def _export_link(place: str, target: Target) -> Prepare:
    """A link where the export, its draft or its folder comes to stand."""

    def prepare(ground: Ground) -> list[str]:
        made = next(path for path in ground.out.iterdir() if path.is_dir())
        name = made.name
        for file in made.iterdir():
            file.unlink()
        if place == "folder":
            made.rmdir()
            (ground.out / name).symlink_to(target(ground))
        else:
            (made / place).symlink_to(target(ground))
        return ["export", "2026-01", "--out", str(ground.out)]

    return prepare


def _pack_link(place: str, target: Target) -> Prepare:
    def prepare(ground: Ground) -> list[str]:
        (ground.out / place).symlink_to(target(ground))
        return ["evidence", "pack", "2026-01", "--out", str(ground.out / "pack.json")]

    return prepare


def _hostile_pack(text: str) -> Prepare:
    def prepare(ground: Ground) -> list[str]:
        path = ground.inbox / "pack.json"
        path.write_text(json.dumps({"format": text, "name": text, "digest": text}))
        return ["evidence", "verify", str(path)]

    return prepare


def _backup_link(place: str, target: Target) -> Prepare:
    def prepare(ground: Ground) -> list[str]:
        (ground.out / place).symlink_to(target(ground))
        return ["backup", "--out", str(ground.out / "copy")]

    return prepare


def _restored(ground: Ground, *more: str) -> list[str]:
    return ["restore", str(ground.backup), "--to", f"sqlite:///{ground.out / 'back.db'}", *more]


def _restore_link(place: str, target: Target) -> Prepare:
    """A link where the restored database, its draft or its log comes to stand."""

    def prepare(ground: Ground) -> list[str]:
        (ground.out / place).symlink_to(target(ground))
        return _restored(ground)

    return prepare


def _hostile_manifest(**changed: object) -> Prepare:
    def prepare(ground: Ground) -> list[str]:
        path = ground.backup / "manifest.json"
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, **changed}))
        return _restored(ground)

    return prepare


def _hostile_backup(name: str) -> Prepare:
    """A file of a backup is a link, or the backup is an archive."""

    def prepare(ground: Ground) -> list[str]:
        if name == "archive":
            path = ground.inbox / "backup.tar.gz"
            path.write_bytes(_tarred(*_ESCAPES))
            return ["restore", str(path), "--to", f"sqlite:///{ground.out / 'back.db'}"]
        path = ground.backup / name
        path.unlink()
        path.symlink_to(ground.victim)
        return _restored(ground)

    return prepare


_PLACES = ("manifest.json", ".manifest.json.draft", "service-lines.csv", ".service-lines.csv.draft")
_FILE = {"name": f"{UP}secret.txt", "bytes": 6, "sha256": "0" * 64}
_IMPORTS, _OUT = ("inbox",), ("out",)


def cases() -> Iterator[Case]:
    """All of them."""
    for name in NAMES:
        yield Case(f"import of {name!r}", _named(name), _IMPORTS)
    for name, prepare in _import_links():
        yield Case(f"import beside {name}", prepare, _IMPORTS)
    for name, data in _archives():
        for ending in ("xlsx", "zip"):
            yield Case(f"{ending}: {name}", _archived(data, ending), _IMPORTS)
    for target in (_victim, _new_outside, _outside):
        for name, prepare in _out_links(target):
            yield Case(f"{name} to {target.__name__}", prepare, _OUT)
    for text in (f"{UP}x", "/etc/passwd", "\x00", "$(touch pwned)"):
        yield Case(f"pack of {text!r}", _hostile_pack(text), ())
    for name, prepare in _hostile_backups():
        yield Case(f"backup with {name}", prepare, _OUT)


def _out_links(target: Target) -> Iterator[tuple[str, Prepare]]:
    yield "export: folder", _export_link("folder", target)
    for place in _PLACES:
        yield f"export: {place}", _export_link(place, target)
    for place in ("pack.json", ".pack.json.draft"):
        yield f"pack: {place}", _pack_link(place, target)
    yield "backup: its draft", _backup_link(".copy.draft", target)
    if target is not _outside:  # a folder that the operator names is where the backup goes
        yield "backup: its folder", _backup_link("copy", target)
    for place in ("back.db", ".back.db.draft", "back.db-wal", "back.db.key"):
        yield f"restore: {place}", _restore_link(place, target)


def _hostile_backups() -> Iterator[tuple[str, Prepare]]:
    yield "another file named", _hostile_manifest(file=_FILE)
    yield "another engine", _hostile_manifest(engine=f"{UP}x")
    yield "no version", _hostile_manifest(schema_revision=f"{UP}x")
    yield "another key", _hostile_manifest(audit_key_id=f"{UP}x")
    for name in ("manifest.json", "database.db", "archive"):
        yield f"a link: {name}", _hostile_backup(name)
