"""Everything of the product that reads bytes of strangers, by name, and valid samples of each.

Each reader is called as the product calls it, and may refuse with the errors that it documents;
any other error leaves it. Owns no mutation (``fuzz_program``).
"""

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

from cms_tables import addons, as_csv, as_text, as_xlsx, as_zip, gpci, mue, ptp, rvu
from openpyxl import Workbook
from vendor_samples import files

from billing.claims.inbound.proposed import FIELDS
from billing.claims.remittance import balance_of
from billing.claims.scrub import scrub
from billing.claims.x12.answer_file import read_answers
from billing.claims.x12.eligibility271 import read_271
from billing.claims.x12.p837_read import UnreadableClaimError, read_837p
from billing.claims.x12.segments import NotX12Error
from billing.evidence.check import check
from billing.evidence.pack import NotAPackError, read_pack
from billing.rules.book import shipped_book, shipped_page_paths
from billing.rules.cms_sheet import NotATableError
from billing.rules.fee_files import read_fees
from billing.rules.fields import RuleError
from billing.rules.ncci_files import read_ncci
from billing.rules.read import read_page
from billing.rules.references import shipped_references, shipped_text
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.pull import Held, RenewingSource, Response
from devices.reading import Reading, RejectedReading
from devices.vendor import SOURCES, VENDORS
from rpm.actions.take_message import Source, read_message
from rpm.imports.cms_files import CmsFile, cms_files
from rpm.imports.profile import ImportProfile, load_profile, read_profile, shipped_profiles
from rpm.imports.read import survey
from rpm.imports.refusals import FileRefusedError, ProfileError
from rpm.imports.zones import Zones

NOW = datetime(2026, 1, 15, 15, tzinfo=UTC)
FILES = Path(__file__).parent.parent / "files"
DAY = "2026-01-05"
WORDS = (DAY, "2026-01-05T08:15:00-05:00", "1e999", "NaN", "\\u0000", "\\ud800", "[[", "0E+9", "\t")
"""Texts that are worth a try anywhere."""
_EXPORTS = {
    "libreview": "cgm-exports/libreview_us_48days.csv",
    "libreview-dmy": "cgm-exports/libreview_us_48days.csv",
    "dexcom-clarity": "cgm-exports/clarity_export_synthetic.csv",
    "fitbit-weight": "fitbit/weightLogInfo_merged.csv",
    "ihealth-bp": "vendor-api/ihealth-bp.json",
    "ihealth-glucose": "vendor-api/ihealth-glucose.json",
}
_FORMS = {"withings": (b"userid=1&appli=4&startdate=1768482900&enddate=1768486500",)}
"""Samples of vendors whose notifications are forms."""
_OPTIONS = {"zone": "America/New_York", "date_order": "MDY"}
_FEW_LINES = 12


@dataclass(frozen=True)
class Parser:
    """A reader, and what it reads without complaint."""

    read: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]


def _settings(name: str, data: bytes) -> dict[str, str]:
    """A choice for every setting of a vendor, another one for another length of body."""
    return {
        setting: one.allowed[len(data) % len(one.allowed)] if one.allowed else one.default
        for setting, one in VENDORS[name].settings.items()
    }


def _is_sound(parsed: Parsed) -> None:
    for item in parsed.items:
        assert isinstance(item, Reading | RejectedReading | Notice)
        if isinstance(item, Reading):
            assert item.measured_at is None or item.measured_at.tzinfo is not None
            assert all(
                isinstance(part.value, Decimal) and part.value.is_finite()
                for part in item.components
            )


def _vendor(name: str, data: bytes) -> None:
    with suppress(UnreadableDeliveryError):
        _is_sound(VENDORS[name].parse(data, _settings(name, data)))


def _samples(name: str) -> Iterator[bytes]:
    yield from _FORMS.get(name, ())
    for folder in ("accepted", "rejected"):
        for path in files(name, folder):
            if path.stat().st_size < 20_000:
                yield path.read_bytes()


def _source(name: str, data: bytes) -> None:
    source, settings = SOURCES[name], _settings(name, data)
    credentials = dict.fromkeys((*source.application_credentials, *source.account_credentials), "x")
    held = Held("u-1", credentials, source.begin({}, None, NOW))
    answer = Response(200, {}, data)
    with suppress(UnreadableDeliveryError):
        source.read(held, answer, settings, NOW)
    if isinstance(source, RenewingSource):
        with suppress(UnreadableDeliveryError):
            source.read_renewal(held, answer, NOW)


def _answers(name: str) -> Iterator[bytes]:
    for sample in _samples(name):
        yield sample
        with suppress(ValueError):
            yield json.dumps({"status": 0, "body": json.loads(sample)}).encode()


@cache
def _profiles(form: str) -> Mapping[str, ImportProfile]:
    """The shipped profiles of a form by name, with an answer to each of their options."""
    kept = {name: load_profile(name) for name in shipped_profiles()}
    return {
        name: one.with_options({option: _OPTIONS.get(option, "P-1") for option in one.options()})
        for name, one in kept.items()
        if one.format == form
    }


def _import(form: str, profiles: str, data: bytes) -> None:
    """The first byte chooses the profile."""
    known = list(_profiles(profiles).values())
    profile = known[data[0] % len(known) if data else 0].model_copy(update={"format": form})
    with suppress(FileRefusedError):
        survey(data[1:], profile, Zones("America/New_York"))


def _exported(name: str) -> bytes:
    """The beginning of an export that a profile reads; empty where there is none."""
    if name == "nightscout":
        text = (FILES / "devices" / "cgm-exports" / "nightscout_entries.json").read_text()
        return json.dumps(json.loads(text)[:3]).encode()
    if name not in _EXPORTS:
        return b""
    content = (FILES / "devices" / _EXPORTS[name]).read_bytes()
    if name.startswith("ihealth"):
        return content
    return b"".join(content.splitlines(keepends=True)[:_FEW_LINES])


def _table(profile: ImportProfile) -> list[list[str]]:
    """A head and a row for a profile of ours."""
    names = [names[0] for names in profile.columns.values()]
    return [names, [DAY if "day" in name or "date" in name else "1" for name in names]]


def _csv_files() -> Iterator[bytes]:
    for number, (name, profile) in enumerate(_profiles("csv").items()):
        table = "\n".join(",".join(row) for row in _table(profile)).encode()
        yield bytes([number]) + (_exported(name) or table)


def _workbooks() -> Iterator[bytes]:
    for number, profile in enumerate(_profiles("csv").values()):
        book, file = Workbook(), io.BytesIO()
        sheet = book.active
        assert sheet is not None
        for row in _table(profile):
            sheet.append(row)
        book.save(file)
        yield bytes([number]) + file.getvalue()


def _json_files() -> Iterator[bytes]:
    for number, name in enumerate(_profiles("json")):
        yield bytes([number]) + _exported(name)


def _profile_page(data: bytes) -> None:
    with suppress(ProfileError):
        read_profile(data.decode("utf-8", "replace"), "fuzzed")


def _profile_pages() -> Iterator[bytes]:
    yield (FILES / "profiles" / "welltory.toml").read_bytes()
    folder = Path(load_profile.__code__.co_filename).parent / "profiles"
    for name in shipped_profiles():
        yield (folder / f"{name}.toml").read_bytes()


def _rule_page(data: bytes) -> None:
    with suppress(RuleError):
        read_page(data.decode("utf-8", "replace"), "fuzzed.toml", shipped_references())


def _rule_pages() -> Iterator[bytes]:
    for path in shipped_page_paths():
        yield shipped_text(path).encode()


def _table_of(read: Callable[[CmsFile], Any], files_: Iterable[CmsFile]) -> None:
    for file in files_:
        with suppress(NotATableError):
            read(file)


def _edits(file: CmsFile) -> None:
    known = shipped_book().references.codes
    billable = {name for name, code in known.items() if code.payable_from is not None}
    read_ncci(file.full_name, file.rows(), file.sha256, known, billable, "2026Q1")


def _fees(file: CmsFile) -> None:
    read_fees(file.full_name, file.rows(), file.sha256, shipped_book().references.codes)


def _cms_text(read: Callable[[CmsFile], Any], data: bytes) -> None:
    with suppress(RuleError, FileRefusedError):
        _table_of(read, [CmsFile("pprrvu26_jan.txt", "", "0" * 64, data)])


def _cms_file(data: bytes) -> None:
    suffix = (".zip", ".xlsx")[len(data) % 2]
    place, path = tempfile.mkstemp(suffix, "pprrvu26_jan")
    with os.fdopen(place, "wb") as file:
        file.write(data)
    try:
        with suppress(RuleError, FileRefusedError):
            _table_of(_fees, cms_files(Path(path)))
        with suppress(RuleError, FileRefusedError):
            _table_of(_edits, cms_files(Path(path)))
    finally:
        Path(path).unlink()


def _edit_tables() -> Iterator[bytes]:
    pairs = ptp(("99457", "99091", "20240101", "*", "0"))
    for rows in (
        pairs,
        mue(("99454", "1", "3 Date of Service Edit")),
        addons(("99458", "99457", "2024183", "")),
    ):
        yield as_text(rows)
        yield as_csv(rows)


def _fee_tables() -> Iterator[bytes]:
    yield as_text(rvu(("99454", "0.00", "1.30", "1.30", "0.01")))
    yield as_csv(gpci(("01112", "CA", "5", "1.062", "1.420", "0.421")))


def _archives() -> Iterator[bytes]:
    for text in (*_edit_tables(), *_fee_tables()):
        yield as_zip(**{"table.txt": text})
    yield as_xlsx(rvu())


def _pack(data: bytes) -> None:
    with suppress(NotAPackError):
        check(read_pack(data))


def _packs() -> Iterator[bytes]:
    for path in sorted((FILES / "evidence").glob("*.json")):
        yield json.dumps(json.loads(path.read_bytes()), separators=(",", ":")).encode()


def _claim_file(data: bytes) -> None:
    with suppress(NotX12Error):
        scrub(data, NOW.date())
    with suppress(NotX12Error, UnreadableClaimError):
        read_837p(data)


def _claim_files() -> Iterator[bytes]:
    for folder in ("written", "received"):
        for path in sorted((FILES / "claims" / folder).iterdir()):
            yield path.read_bytes()


def _answers_read(data: bytes) -> None:
    for told in read_answers(data).remittances:
        balance_of(told)


def _answer_files() -> Iterator[bytes]:
    for path in sorted((FILES / "answers").glob("*/*")):
        yield path.read_bytes()


_ADT = (
    b"MSH|^~\\&|EHR|F|RPM|F|20260101||ADT^A04^ADT_A01|17|P|2.5.1\rEVN|A04\r"
    b"PID|1||X1^^^A^PI~00042^^^F^MR||O\\T\\B^Ann||19500102|F|||22 Elm St^^Town^IL^62704\r"
    b"IN1|1|P|06102|Medicare||||GRP||||20250101|20261231\r"
)
_VISIT = (
    b'{"type":"visit.ended","data":{"visit_id":"v1","patient_record_number":"00042",'
    b'"started_at":"2026-01-13T15:00:00Z","ended_at":"2026-01-13T15:23:00Z","modality":"AV"}}'
)


def _message(source: Source, data: bytes) -> None:
    for one in read_message(source, data).proposals:
        assert one.record_number
        assert set(one.content) <= set(FIELDS[one.kind])


def _resources() -> Iterator[bytes]:
    yield (FILES / "interchange" / "hl7-patient-example.json").read_bytes()
    bundle = json.loads((FILES / "interchange" / "synthea-alfreda-wyman.json").read_bytes())
    kept = [one for one in bundle["entry"] if one["resource"]["resourceType"] in _RESOURCES]
    yield json.dumps({"resourceType": "Bundle", "entry": kept[:4]}).encode()


_RESOURCES = ("Patient", "Coverage", "Encounter")


def _eligibility(data: bytes) -> None:
    for one in read_271(data).people:
        assert one.copay_cents is None or one.copay_cents == int(one.copay_cents)


PARSERS: Mapping[str, Parser] = {
    **{name: Parser(partial(_vendor, name), partial(_samples, name)) for name in VENDORS},
    **{
        f"answers of {name}": Parser(partial(_source, name), partial(_answers, name))
        for name in SOURCES
    },
    "CSV import": Parser(partial(_import, "csv", "csv"), _csv_files),
    "XLSX import": Parser(partial(_import, "xlsx", "csv"), _workbooks),
    "JSON import": Parser(partial(_import, "json", "json"), _json_files),
    "import profile": Parser(_profile_page, _profile_pages),
    "rule page": Parser(_rule_page, _rule_pages),
    "NCCI table": Parser(partial(_cms_text, _edits), _edit_tables),
    "fee table": Parser(partial(_cms_text, _fees), _fee_tables),
    "file of CMS": Parser(_cms_file, _archives),
    "evidence pack": Parser(_pack, _packs),
    "claim file": Parser(_claim_file, _claim_files),
    "answer to claims": Parser(_answers_read, _answer_files),
    "ADT message": Parser(partial(_message, "adt-mllp"), lambda: [_ADT]),
    "FHIR resource": Parser(partial(_message, "fhir"), _resources),
    "visit event": Parser(partial(_message, "visit-event"), lambda: [_VISIT]),
    "eligibility answer": Parser(_eligibility, _answer_files),
}
"""All of them."""
