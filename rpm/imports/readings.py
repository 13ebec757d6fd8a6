"""One row of readings: cells to a ``devices.reading.Reading``.

Owns the times, the components and the words of a reading row. Does not own whether the reading
counts or for whom: ``devices.counting`` and the actions decide.
"""

import re
from dataclasses import replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from devices.kinds import KINDS, Kind
from devices.reading import CannotReadError, Reading, component
from devices.reading import Component as ReadingComponent
from rpm.imports.cells import Cells, column_text, translated, values_of
from rpm.imports.profile import Component, ImportProfile, Value
from rpm.imports.records import ReadingRow
from rpm.imports.refusals import DateOrderError, RowRefusedError
from rpm.imports.times import Moment, parse_epoch, parse_moment, parse_offset, resolve
from rpm.imports.zones import Zones

# Exports write binary fractions in full: 52.5999984741211 is a scale's 52.6.
_BINARY_FRACTION = re.compile(r"([-+]?\d+\.\d{12})\d+")


def reading_row(line: int, cells: Cells, profile: ImportProfile, zones: Zones) -> ReadingRow:
    """The reading of one row; RowRefusedError, or DateOrderError for the whole file."""
    values: dict[str, Any] = values_of(cells, profile)
    vendor_time = values.pop("measured_at")
    moment, offset_origin = _moment(vendor_time, values.pop("offset"), profile)
    zone, zone_origin = zones.of(profile, values["patient_ref"])
    stated = zones.stated(profile, values["patient_ref"])
    resolved = resolve(moment, ZoneInfo(zone), stated=stated)
    components = _components(KINDS[values["kind"]], cells, profile)
    reading = Reading(
        components=components,
        measured_at=resolved.instant,
        vendor_time=vendor_time,
        offset_minutes=moment.offset_minutes,
        offset_origin=offset_origin or zone_origin,
        time_quality=resolved.quality,
        **values,
    )
    return ReadingRow(line, reading, zone)


def _moment(
    text: str, offset: str | None, profile: ImportProfile
) -> tuple[Moment, Literal["vendor"] | None]:
    """The time as the file gives it; an offset that does not exist leaves a time without one."""
    try:
        if profile.time == "text":
            moment = parse_moment(text, profile.date_order or "YMD")
        else:
            moment = parse_epoch(text, profile.time)
    except DateOrderError:
        raise
    except ValueError as error:
        raise RowRefusedError("measured_at", str(error)) from None
    if offset and not moment.utc:
        try:
            moment = Moment(moment.at, parse_offset(offset))
        except ValueError:
            return moment, None
    return moment, None if moment.offset_minutes is None else "vendor"


def _components(kind: Kind, cells: Cells, profile: ImportProfile) -> tuple[ReadingComponent, ...]:
    found = [
        part
        for wanted in profile.component
        if (part := _component(kind, wanted, cells, profile)) is not None
    ]
    held = {part.loinc for part in found}
    if len(held) < len(found):
        raise RowRefusedError("kind", "one of its quantities is given twice")
    for quantity in kind.quantities:
        if quantity.required and quantity.code not in held:
            raise RowRefusedError(quantity.name, "is empty")
    return tuple(found)


def _component(
    kind: Kind, wanted: Component, cells: Cells, profile: ImportProfile
) -> ReadingComponent | None:
    for value in wanted.values:
        text = column_text(value.column, cells, profile)
        if not text:
            continue
        name = wanted.name
        if name == "main":
            name = next((part.name for part in kind.quantities if part.required), name)
        try:
            shortened = _BINARY_FRACTION.sub(r"\1", text)
            made = component(kind, name, shortened, _unit(value, cells, profile))
        except CannotReadError as error:
            raise RowRefusedError(wanted.name, error.message) from None
        return replace(made, original_value=text)
    return None


def _unit(value: Value, cells: Cells, profile: ImportProfile) -> str:
    if value.unit_column is None:
        return value.unit or ""
    return translated("unit", column_text(value.unit_column, cells, profile), profile)
