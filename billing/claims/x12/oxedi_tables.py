"""oxedi's tables as plain columns: the only place that knows its tables and the Arrow buffers.

Owns what is added to oxedi's own description of an 835 (modifiers, remark codes, days of a line)
and how a column becomes values. Does not own what the values mean (``remit835``). A decimal of two
places is read as the whole number it is stored as: cents, with no way through a fraction.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_MODIFIERS = 4
_REMARKS = 5
PATCH: Mapping[str, Any] = {
    "tables": {
        "services": {
            "columns": {
                **{
                    f"modifier_{place}": {"segment": "SVC", "element": 1, "component": place + 2}
                    for place in range(1, _MODIFIERS + 1)
                },
                "days_from": {"segment": "DTM", "element": 2, "where": {"1": "150"}},
                "days_to": {"segment": "DTM", "element": 2, "where": {"1": "151"}},
            }
        },
        "claims": {
            "columns": {
                f"outpatient_remark_{place}": {"segment": "MOA", "element": place + 2}
                for place in range(1, _REMARKS + 1)
            }
        },
        "remarks": {
            "segment": "LQ",
            "loops": ["2110"],
            "columns": {"qualifier": {"element": 1}, "code": {"element": 2}},
        },
    }
}
"""What oxedi's spec lacks for posting: MIA is left out, this product bills no inpatient care."""
MODIFIER_COLUMNS = tuple(f"modifier_{place}" for place in range(1, _MODIFIERS + 1))
REMARK_COLUMNS = tuple(f"outpatient_remark_{place}" for place in range(1, _REMARKS + 1))


@lru_cache(maxsize=2)
def spec(version: str) -> Any:
    """oxedi's spec of a version, ``5010`` or ``4010``, with what is added."""
    import oxedi

    return oxedi.Spec.builtin(version).patch(dict(PATCH))


class Columns:
    """One table; each column as a list, made when it is first asked for."""

    def __init__(self, table: Any) -> None:
        import pyarrow as pa

        self._table = pa.table(table)
        self.count: int = self._table.num_rows

    def values(self, name: str) -> list[Any]:
        """Whole numbers and days as they are; None where there is none."""
        values: list[Any] = self._table.column(name).to_pylist()
        return values

    def texts(self, name: str) -> list[str]:
        """Text, empty where there is none; bytes that are not ASCII as their Latin-1 letters."""
        return [one.decode("latin-1").strip() if one else "" for one in self.values(name)]

    def cents(self, name: str) -> list[int | None]:
        """Amounts in whole cents; None where there is none, or where it cannot be read."""
        import numpy as np

        found: list[int | None] = []
        for chunk in filter(len, self._table.column(name).chunks):
            words = np.frombuffer(chunk.buffers()[1], dtype=np.int64)
            low = words[0::2][chunk.offset : chunk.offset + len(chunk)].tolist()
            high = words[1::2][chunk.offset : chunk.offset + len(chunk)].tolist()
            known = chunk.is_valid().to_pylist()
            found += [
                cents if is_known and sign == (-1 if cents < 0 else 0) else None
                for cents, sign, is_known in zip(low, high, known, strict=True)
            ]
        return found
