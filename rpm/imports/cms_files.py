"""Files as CMS publishes them: text with tabs or commas, XLSX, or a ZIP of such files.

Owns opening them and their digests. Does not own what they mean (``billing.rules``). Nothing is
unpacked onto the disk.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from rpm.imports.refusals import FileRefusedError
from rpm.imports.rows import csv_rows, xlsx_rows

_FORMS = (".txt", ".csv", ".xlsx")
"""In order of preference: a ZIP often holds the same table in several forms."""
_MOST_BYTES = 2 * 1024**3
_MOST_MEMBERS = 1_000
_SAMPLE_CHARACTERS = 65_536


@dataclass(frozen=True)
class CmsFile:
    """A table's file: its name, that of the ZIP around it, its SHA-256, and its bytes."""

    name: str
    outer: str
    sha256: str
    content: bytes

    @property
    def full_name(self) -> str:
        """The name with that of the ZIP before it: quarters are often told by the ZIP alone."""
        return f"{self.outer}/{self.name}" if self.outer else self.name

    def rows(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Lines and cells; FileRefusedError when they cannot be read."""
        file: BinaryIO = io.BytesIO(self.content)
        if self.name.lower().endswith(".xlsx"):
            found = xlsx_rows(file, None, "YMD")
        else:
            found = csv_rows(file, "latin-1", self._delimiter(), strict=False)
        for row in found:
            yield row.line, row.cells

    def _delimiter(self) -> str:
        sample = self.content[:_SAMPLE_CHARACTERS].decode("latin-1")
        lines = [cells for cells in csv.reader(sample.splitlines(), delimiter="\t") if cells]
        return "\t" if max((len(cells) for cells in lines), default=0) > 1 else ","


def cms_files(path: Path) -> list[CmsFile]:
    """The files of a path, each table once; FileRefusedError for what is none of the forms."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileRefusedError(f"cannot be read: {error.strerror}") from None
    if path.suffix.lower() == ".zip":
        return list(_members(path.name, data))
    if path.suffix.lower() not in _FORMS:
        raise FileRefusedError("is neither .txt, .csv, .xlsx nor .zip")
    return [CmsFile(path.name, "", hashlib.sha256(data).hexdigest(), data)]


def _members(outer: str, data: bytes) -> Iterator[CmsFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in _chosen(archive):
                content = archive.read(name)
                digest = hashlib.sha256(content).hexdigest()
                yield CmsFile(PurePosixPath(name).name, outer, digest, content)
    except FileRefusedError:
        raise
    except Exception:  # noqa: BLE001 - of a damaged file its reader may raise anything
        raise FileRefusedError("is not a ZIP file, or a damaged one") from None


def _chosen(archive: zipfile.ZipFile) -> list[str]:
    """Names of the tables in an archive, each in its preferred form."""
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) > _MOST_MEMBERS or sum(one.file_size for one in members) > _MOST_BYTES:
        raise FileRefusedError("holds more than a ZIP of CMS does")
    best: dict[str, tuple[int, str]] = {}
    for one in members:
        path = PurePosixPath(one.filename)
        form = path.suffix.lower()
        if form in _FORMS:
            stem = path.stem.lower()
            best[stem] = min(best.get(stem, (len(_FORMS), "")), (_FORMS.index(form), one.filename))
    return [name for _, name in best.values()]
